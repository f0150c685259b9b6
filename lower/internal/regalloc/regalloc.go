package regalloc

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// Config configures [Allocate].
type Config struct {
	// Regs are the registers to use, all of R0 to R9 if empty. Tests cut the
	// set to provoke spills; three registers are enough for any function.
	// Physical registers that the function mentions itself are used as it says
	// whether or not they are in the set.
	Regs []mir.Reg
}

// Stats says what an allocation did.
type Stats struct {
	Moves   int // copies between registers left
	Removed int // copies between registers that coalescing removed
	Slots   int // spill slots
	Stores  int // stores to spill slots
	Reloads int // loads from spill slots
	Remats  int // constants and addresses computed again instead of kept
	Rounds  int // of colouring, 1 unless it failed at first
}

// Allocate replaces the virtual registers of f by physical registers and spill
// slots. f must be valid as [mir.VerifyFunc] has it; it is changed in place,
// and its unreachable blocks are removed. Equal functions get equal results.
func Allocate(f *mir.Func, cfg Config) Stats {
	a := &allocator{f: f, regs: clobbered | preserved}
	if len(cfg.Regs) > 0 {
		a.regs = 0
		for _, r := range cfg.Regs {
			a.regs |= setOf(r)
		}
	}
	a.k = a.regs.count()
	a.kSaved = (a.regs & preserved).count()
	a.run()
	return a.stats
}

// An allocator is the state of one allocation.
type allocator struct {
	f      *mir.Func
	g      *graph
	regs   regSet
	k      int // number of registers
	kSaved int // number of those that calls preserve
	stats  Stats

	// A home is a web of the original function. What spilling makes of it are
	// new webs, but they share its spill slot, which always holds its
	// value if it holds anything of use.
	homeOf []int32      // by web
	homes  []*mir.Slot  // by home, nil until needed; Index is the home
	remat  []*mir.Inst  // by web: the instruction to repeat instead of a reload, or nil
	level  []spillLevel // by web
}

// A spillLevel says what came of a web by spilling when colouring failed.
type spillLevel uint8

const (
	whole    spillLevel = iota // nothing
	divided                    // a part before, across or behind calls
	regional                   // a part in one block, between calls
	minimal                    // a part that lives at one instruction
)

func (a *allocator) run() {
	f := a.f
	a.g = newGraph(f)
	blocks := f.NumBlocks()
	before := a.countRemats()
	var live [][]int32
	a.homeOf, live = splitWebs(a.g, f.NumRegs()-int(mir.FirstVirtual))
	n := len(a.homeOf)
	commute(a.g, n, live)
	for i := range a.homeOf {
		a.homeOf[i] = int32(i)
	}
	a.homes = make([]*mir.Slot, n)
	a.level = make([]spillLevel, n)
	a.findRemats()
	a.copyConstants()
	removeDead(a.g, n, n)
	if a.limitPressure(n) {
		a.g = newGraph(f)
		a.placeStores(n)
		removeDead(a.g, n, n)
	}
	for {
		live := a.rename()
		a.stats.Rounds++
		colors, failed, rivals := a.color(live)
		if failed == nil {
			a.assign(colors)
			break
		}
		a.respond(failed, rivals, live)
	}
	removeDeadStores(a.g, n)
	a.shareSlots()
	a.tidy()
	a.removeEmptyBlocks(blocks)
	a.removeUnusedSlots()
	a.count()
	a.stats.Remats = max(a.countRemats()-before, 0)
}

// respond makes something of the webs that got no register: at first it cuts them
// and their rivals at calls; what was cut before or cannot be, it spills.
func (a *allocator) respond(failed, rivals []int32, live [][]int32) {
	subject := make([]bool, len(a.homeOf)) // to be cut
	for _, list := range [...][]int32{failed, rivals} {
		for _, v := range list {
			subject[v] = a.level[v] == whole && a.remat[v] == nil
		}
	}
	a.splitAtCalls(subject, live)
	failed = slices.DeleteFunc(failed, func(v int32) bool { return subject[v] && a.level[v] == divided })
	if len(failed) > 0 {
		a.respill(failed)
	}
}

// rename splits webs after code was inserted. It returns what is live on entry to
// the blocks.
func (a *allocator) rename() (live [][]int32) {
	origin, live := splitWebs(a.g, len(a.homeOf))
	homeOf := make([]int32, len(origin))
	level := make([]spillLevel, len(origin))
	for i, v := range origin {
		homeOf[i], level[i] = a.homeOf[v], a.level[v]
	}
	a.homeOf, a.level = homeOf, level
	a.findRemats()
	return live
}

// findRemats sets remat: the only definition of a web, if it is a constant or an
// address. A web that is checked has two definitions, and is not computed
// again without its check.
func (a *allocator) findRemats() {
	a.remat = make([]*mir.Inst, len(a.homeOf))
	defs := make([]int, len(a.homeOf))
	o := newOperands()
	for _, blk := range a.g.blocks {
		for i := range blk.Insts {
			in := &blk.Insts[i]
			for _, op := range o.of(in) {
				if !op.reg.IsVirtual() || op.use&mir.Write == 0 {
					continue
				}
				v := variable(op.reg)
				if defs[v]++; defs[v] == 1 && isRemat(in) {
					inst := *in
					a.remat[v] = &inst
				} else {
					a.remat[v] = nil
				}
			}
		}
	}
}

// copyConstants replaces copies of constants by the constants, which costs
// nothing and may save the register.
func (a *allocator) copyConstants() {
	for _, blk := range a.g.blocks {
		for i := range blk.Insts {
			in := &blk.Insts[i]
			if !isCopy(in) || !in.Src.IsVirtual() {
				continue
			}
			if r := a.remat[variable(in.Src)]; r != nil && r.Op == mir.OpMov && int64(int32(r.Imm)) == r.Imm {
				dst, pos := in.Dst, in.Pos
				*in = *r
				in.Dst, in.Pos = dst, pos
			}
		}
	}
}

func (a *allocator) countRemats() (n int) {
	for _, blk := range a.g.blocks {
		for i := range blk.Insts {
			if isRemat(&blk.Insts[i]) {
				n++
			}
		}
	}
	return n
}

// count fills in what the statistics say of the resulting code.
func (a *allocator) count() {
	for _, blk := range a.g.blocks {
		for i := range blk.Insts {
			switch in := &blk.Insts[i]; {
			case isCopy(in):
				a.stats.Moves++
			case isSpillLoad(in):
				a.stats.Reloads++
			case isSpillStore(in):
				a.stats.Stores++
			}
		}
	}
}

// home returns the spill slot of web v, in the interim numbering by home.
func (a *allocator) home(v int32) *mir.Slot {
	h := a.homeOf[v]
	if a.homes[h] == nil {
		a.homes[h] = &mir.Slot{Name: "spill", Index: int(h), Size: 8, Align: 8, Spill: true}
	}
	return a.homes[h]
}

// assign writes the colours into the code and drops the copies that have become
// void.
func (a *allocator) assign(colors []mir.Reg) {
	o := newOperands()
	for _, blk := range a.g.blocks {
		kept := blk.Insts[:0]
		for i := range blk.Insts {
			in := &blk.Insts[i]
			for _, op := range o.of(in) {
				if op.reg.IsVirtual() {
					op.set(in, colors[variable(op.reg)])
				}
			}
			if isCopy(in) && in.Src == in.Dst {
				a.stats.Removed++
				continue
			}
			kept = append(kept, *in)
		}
		blk.Insts = kept
	}
}
