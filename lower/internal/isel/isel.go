package isel

import (
	"fmt"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// Select returns the machine code of m for t, on virtual registers. The result
// is valid ([mir.Verify]); the first function is the entry. Blocks are in the
// order of [ir.RPO]. m is not changed.
func Select(m *ir.Module, t target.Target) *mir.Module {
	data := make(map[string]bool, len(m.Data))
	for _, d := range m.Data {
		if data[d.Name] {
			panic(fmt.Sprintf("BUG: isel: two data objects are named %q", d.Name))
		}
		data[d.Name] = true
	}
	out := &mir.Module{Funcs: make([]*mir.Func, len(m.Funcs))}
	for i, f := range m.Funcs {
		out.Funcs[i] = selectFunc(f, t)
		out.Funcs[i].Entry = i == 0
		out.Funcs[i].Callback, out.Funcs[i].Stop = f.Callback, f.Stop
	}
	return out
}

// A selector selects the instructions of one function.
type selector struct {
	target target.Target
	fn     *ir.Func
	out    *mir.Func
	values []value      // by ir.Value.ID
	slots  []*mir.Slot  // by ir.Slot.Index
	blocks []*mir.Block // by ir.Block.ID: where the block's code begins
	depth  []int        // by ir.Block.ID: loop nesting
	preds  []int        // by ir.Block.ID: number of edges from reachable blocks
	exact  []bool       // by ir.Value.ID: what old verifiers know exactly, see reword

	block *ir.Block // being selected
	pos   mir.Pos   // of the instruction being selected
	// seq is the code selected for the current value, in order of execution.
	seq []mir.Inst
	// code is the code of the current block after the current value, last
	// instruction first.
	code []mir.Inst
	// edges are the blocks that stand on edges out of the current one.
	edges []*mir.Block
}

func selectFunc(f *ir.Func, t target.Target) *mir.Func {
	s := &selector{
		target: t,
		fn:     f,
		out:    &mir.Func{Name: f.Name, Params: len(f.Params()), Pos: mir.Pos(f.Pos)},
		slots:  newSlots(f),
		blocks: make([]*mir.Block, f.NumBlocks()),
		depth:  make([]int, f.NumBlocks()),
		preds:  make([]int, f.NumBlocks()),
	}
	dom := ir.Dominators(f)
	loops := ir.Loops(dom)
	order := dom.Order()
	for _, b := range order {
		s.depth[b.ID] = loops.Depth(b)
		s.blocks[b.ID] = s.newBlock(s.depth[b.ID])
		for _, e := range b.Term.Succs {
			s.preds[e.To.ID]++
		}
	}
	if !t.Has(target.BranchRanges) {
		s.exact = exactValues(f, order)
	}
	s.prepare(order)

	var layout []*mir.Block // last first
	for _, b := range slices.Backward(order) {
		chain := s.selectBlock(b)
		slices.Reverse(chain)
		layout = append(layout, chain...)
	}
	slices.Reverse(layout)
	s.out.Blocks = layout
	s.renumber()
	s.attachSlots()
	return s.out
}

// newBlock makes a block that has no place in the layout yet.
func (s *selector) newBlock(depth int) *mir.Block {
	b := s.out.NewBlock()
	b.Depth = depth
	return b
}

// selectBlock returns the blocks that b becomes, in order of layout.
func (s *selector) selectBlock(b *ir.Block) []*mir.Block {
	s.block, s.code, s.edges = b, s.code[:0], nil
	s.pos = mir.Pos(b.Term.Pos)
	s.terminator(&b.Term)
	s.flush()
	for _, v := range slices.Backward(b.Instrs) {
		if v.Op.Is(ir.WritesMem) || v.Op.Is(ir.MayPanic) || s.values[v.ID].reg != mir.NoReg {
			s.pos = mir.Pos(v.Pos)
			rules[v.Op](s, v)
			s.flush()
		}
	}
	if b == s.fn.Entry() {
		s.pos = mir.Pos(s.fn.Pos)
		s.params()
		s.flush()
	}

	// Put the code in order and cut it at the labels.
	at := s.blocks[b.ID]
	chain := []*mir.Block{at}
	for _, in := range slices.Backward(s.code) {
		if in.Op == label {
			at = in.To
			chain = append(chain, at)
			continue
		}
		at.Insts = append(at.Insts, in)
	}
	return append(chain, s.edges...)
}

// flush moves the code of one value in front of the code that follows it.
func (s *selector) flush() {
	for _, in := range slices.Backward(s.seq) {
		s.code = append(s.code, in)
	}
	s.seq = s.seq[:0]
}

// renumber numbers blocks by their place in the layout and registers by their
// first occurrence in it, instead of in the order selection came upon them.
func (s *selector) renumber() {
	names := make([]mir.Reg, s.out.NumRegs())
	next := mir.FirstVirtual
	for i, b := range s.out.Blocks {
		b.ID = i
		for j := range b.Insts {
			b.Insts[j].VisitRegs(func(r *mir.Reg, _ mir.RegUse) {
				if !r.IsVirtual() {
					return
				}
				if names[*r] == 0 {
					names[*r] = next
					next++
				}
				*r = names[*r]
			})
		}
	}
}

// A rule selects the instructions of a value whose register is in use or that
// has an effect.
type rule func(*selector, *ir.Value)

// rules has a rule for every operation but OpParam, which is no instruction.
var rules = [ir.NumOps]rule{
	ir.OpConst:       noCode,
	ir.OpAdd:         (*selector).binary,
	ir.OpSub:         (*selector).sub,
	ir.OpMul:         (*selector).mul,
	ir.OpUDiv:        (*selector).udiv,
	ir.OpSDiv:        (*selector).sdiv,
	ir.OpURem:        (*selector).urem,
	ir.OpSRem:        (*selector).srem,
	ir.OpAnd:         (*selector).and,
	ir.OpOr:          (*selector).binary,
	ir.OpXor:         (*selector).xor,
	ir.OpShl:         (*selector).shift,
	ir.OpLShr:        (*selector).shift,
	ir.OpAShr:        (*selector).shift,
	ir.OpNeg:         (*selector).neg,
	ir.OpSExtIn:      (*selector).signExtend,
	ir.OpTrunc:       (*selector).trunc,
	ir.OpZExt:        noCode,
	ir.OpSExt:        (*selector).signExtend,
	ir.OpBswap:       (*selector).bswap,
	ir.OpEq:          (*selector).boolean,
	ir.OpNe:          (*selector).boolean,
	ir.OpULt:         (*selector).boolean,
	ir.OpULe:         (*selector).boolean,
	ir.OpUGt:         (*selector).boolean,
	ir.OpUGe:         (*selector).boolean,
	ir.OpSLt:         (*selector).boolean,
	ir.OpSLe:         (*selector).boolean,
	ir.OpSGt:         (*selector).boolean,
	ir.OpSGe:         (*selector).boolean,
	ir.OpSelect:      (*selector).choose,
	ir.OpPi:          noCode,
	ir.OpOpaque:      (*selector).opaque,
	ir.OpSlotAddr:    noCode,
	ir.OpDataAddr:    (*selector).dataAddr,
	ir.OpMapRef:      noCode,
	ir.OpFuncAddr:    noCode,
	ir.OpPtrAdd:      (*selector).ptrAdd,
	ir.OpPtrDiff:     (*selector).ptrDiff,
	ir.OpPtrToInt:    noCode,
	ir.OpIntToPtr:    noCode,
	ir.OpLoad:        (*selector).load,
	ir.OpStore:       (*selector).store,
	ir.OpMemZero:     (*selector).memZero,
	ir.OpMemCopy:     (*selector).memCopy,
	ir.OpAtomic:      (*selector).atomic,
	ir.OpCall:        (*selector).call,
	ir.OpResult:      (*selector).result,
	ir.OpHelper:      (*selector).helper,
	ir.OpCheck:       (*selector).check,
	ir.OpCheckIdx:    (*selector).checkIdx,
	ir.OpCheckULe:    (*selector).checkULe,
	ir.OpCheckNonNil: (*selector).checkNonNil,
	ir.OpLoopLimit:   (*selector).loopLimit,
}

// noCode is the rule of operations that share the register of their operand or
// are made where they are used, so that nothing is left to do.
func noCode(*selector, *ir.Value) {}
