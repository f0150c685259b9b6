package jit

import (
	"errors"
	"fmt"
	"go/token"
	"slices"
	"strings"
	"sync"
	"time"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/lower"
)

// A Program is a compiled function, in the kernel unless it was compiled
// [WithTarget]. Its methods may be called concurrently.
type Program struct {
	name    string
	section string
	row     *section
	target  string
	unit    *lower.Unit
	again   func(doubt bool) (*lower.Unit, error) // compiles for the second attempt, nil after loading
	coll    *cebpf.Collection                     // nil if not loaded
	vars    *varUse                               // nil if there are none, or it was not loaded
	stages  []lower.StageTime
	loading time.Duration
	dumps   []dump
	scratch sync.Mutex // held while a syscall program runs that has variables in per-CPU memory

	// recompile compiles the func value again, with further options; nil for other sources.
	recompile func([]Option) (*Program, error)
}

// A dump is the text of the program after one stage.
type dump struct{ stage, text string }

// Name returns the name of the function.
func (p *Program) Name() string { return p.name }

// Section returns the program's section name, which says what it is attached
// to, such as tracepoint/syscalls/sys_enter_write.
func (p *Program) Section() string { return p.section }

// AttachType returns what the program's section says of the kind of hook, or
// AttachNone if its type says it all.
func (p *Program) AttachType() cebpf.AttachType { return p.row.attach }

// BPF returns the program as cilium/ebpf has it, or nil if it was not loaded.
// It is closed by Close.
func (p *Program) BPF() *cebpf.Program {
	if p.coll == nil {
		return nil
	}
	return p.coll.Programs[programKey]
}

// FD returns the file descriptor of the program, which belongs to it, or -1 if it was not loaded.
// With it a Program can be put into an [ebpf.ProgArray].
func (p *Program) FD() int {
	if prog := p.BPF(); prog != nil {
		return prog.FD()
	}
	return -1
}

// Maps returns the kernel maps that belong to the program, by name: its
// sections of data. It is empty if the program was not loaded. The maps are closed by Close.
func (p *Program) Maps() map[string]*cebpf.Map {
	if p.coll == nil {
		return nil
	}
	return p.coll.Maps
}

// Unit returns what the compiler made: instructions, data, lines and panic
// sites. It must not be changed.
func (p *Program) Unit() *lower.Unit { return p.unit }

// Close removes the program from the kernel, unless it is attached, pinned or
// otherwise in use there, and releases its maps.
func (p *Program) Close() error {
	if p.coll != nil {
		p.coll.Close()
	}
	return p.vars.release()
}

// Recompile compiles and loads the func value that p was compiled from once more: with the
// same options, and those given, which come after them. As long as p has not been closed, both use
// the same variables and maps. Link.Recompile of package attach also puts the new program in the place
// of p. Programs of source text and packages are compiled again by [CompileSource] and
// [CompilePackage].
func (p *Program) Recompile(opts ...Option) (*Program, error) {
	if p.recompile == nil {
		return nil, fmt.Errorf("recompile %s: it was not compiled from a func value", p.name)
	}
	return p.recompile(opts)
}

// A Panic is a place in a program at which Go's rules make it panic, and how
// often that has happened.
type Panic struct {
	Pos     token.Position
	Kind    string // index, slice, nil, divide, shift, assert, convert, explicit or loop
	Message string // as Go's runtime words it
	Count   uint64
}

// String returns file:line:col: message, and how often.
func (p Panic) String() string {
	return fmt.Sprintf("%v: panic: %s (%d times)", p.Pos, p.Message, p.Count)
}

// Panics returns the places at which the program has panicked so far, in the
// order of the source. It may be called while the program is attached. A program that was not
// loaded has not panicked.
func (p *Program) Panics() ([]Panic, error) {
	if p.coll == nil || len(p.unit.Panics) == 0 {
		return nil, nil
	}
	m := p.coll.Maps[lower.PanicSection]
	if m == nil {
		return nil, nil
	}
	counts := make([]uint64, m.ValueSize()/8)
	if err := m.Lookup(uint32(0), counts); err != nil {
		return nil, fmt.Errorf("read panics of %s: %w", p.name, err)
	}
	var panics []Panic
	for i, site := range p.unit.Panics {
		if counts[i] != 0 {
			panics = append(panics, Panic{site.Pos, site.Kind, site.Message, counts[i]})
		}
	}
	slices.SortStableFunc(panics, func(a, b Panic) int { return comparePos(a.Pos, b.Pos) })
	return panics, nil
}

func comparePos(a, b token.Position) int {
	if c := strings.Compare(a.Filename, b.Filename); c != 0 {
		return c
	}
	if c := a.Line - b.Line; c != 0 {
		return c
	}
	return a.Column - b.Column
}

// Stats is what a program cost to make and what it costs the kernel.
type Stats struct {
	Insns    int // instructions, in 8-byte slots
	Stack    int // bytes of the deepest call chain
	Verified int // instructions the verifier looked at; 0 before Linux 5.16 or if not loaded
	// Missed is how many events the kernel has kept from the program, because on the CPU of the
	// event a tracing program was running already, or a thread was in the midst of bpf(2)'s work
	// on a map, preempted perhaps. 0 before Linux 5.12; kprobes and tracepoints that are not raw
	// are counted from 6.7.
	Missed uint64
	// Stages is the time of each stage and pass: the front end's (parse, check,
	// ssa), which a collection's programs share, lower's, and load, the kernel's.
	Stages []lower.StageTime
}

// Total returns the time of all stages.
func (s Stats) Total() time.Duration {
	var d time.Duration
	for _, stage := range s.Stages {
		d += stage.Time
	}
	return d
}

// Stats returns what the program cost.
func (p *Program) Stats() Stats {
	s := Stats{Insns: p.unit.Stats.Insns, Stack: p.unit.Stats.Stack, Stages: slices.Clone(p.stages)}
	if prog := p.BPF(); prog != nil {
		s.Stages = append(s.Stages, lower.StageTime{Stage: "load", Time: p.loading})
		if info, err := prog.Info(); err == nil {
			if n, ok := info.VerifiedInstructions(); ok {
				s.Verified = int(n)
			}
		}
		if stats, err := prog.Stats(); err == nil {
			s.Missed = stats.RecursionMisses
		}
	}
	return s
}

// record keeps the text after a stage. The compiler may need several attempts, of which the last
// one counts: each begins with the stage build.
func (p *Program) record(stage, text string) {
	if stage == "build" {
		p.dumps = slices.DeleteFunc(p.dumps, func(d dump) bool { return d.stage != "ssa" })
	}
	p.dumps = append(p.dumps, dump{stage, text})
}

// Stages returns the names that Dump knows, in the order of compilation: "asm",
// and if the program was compiled [WithDumps], "ssa" and every stage and pass of
// the compiler.
func (p *Program) Stages() []string {
	var names []string
	for _, d := range p.dumps {
		if !slices.Contains(names, d.stage) {
			names = append(names, d.stage)
		}
	}
	if !slices.Contains(names, asmStage) {
		names = append(names, asmStage)
	}
	return names
}

const asmStage = "asm"

// Dump returns the text of the program after a stage; a pass that ran more than
// once has its texts one after the other. All stages but "asm" need [WithDumps].
func (p *Program) Dump(stage string) (string, error) {
	var texts []string
	for _, d := range p.dumps {
		if d.stage == stage {
			texts = append(texts, d.text)
		}
	}
	switch {
	case len(texts) > 0:
		return strings.Join(texts, "\n"), nil
	case stage == asmStage:
		return fmt.Sprint(p.unit.Insns), nil
	case len(p.dumps) == 0:
		return "", fmt.Errorf("dump %s of %s: compile it with jit.WithDumps", stage, p.name)
	}
	return "", fmt.Errorf("dump of %s: no stage %q; there are %s", p.name, stage, strings.Join(p.Stages(), ", "))
}

// A Collection is the programs of one source.
type Collection struct {
	// Programs is the programs by the name of their function.
	Programs map[string]*Program

	// Maps is the maps of the programs, by the names of their variables: those
	// of a variable's package but for the path, such as main.counts. They are
	// closed by Close, unless they belong to variables of this process.
	Maps map[string]*cebpf.Map

	list []*Program // in source order
	maps *mapSet
	vars *varScope
}

func (c *Collection) add(p *Program) {
	if p != nil {
		c.list = append(c.list, p)
		c.Programs[p.name] = p
	}
}

// All returns the programs in the order of the source.
func (c *Collection) All() []*Program { return slices.Clone(c.list) }

// Panics returns the panics of all programs, see [Program.Panics].
func (c *Collection) Panics() ([]Panic, error) {
	var all []Panic
	for _, p := range c.list {
		panics, err := p.Panics()
		if err != nil {
			return nil, err
		}
		all = append(all, panics...)
	}
	return all, nil
}

// Close closes all programs, see [Program.Close].
func (c *Collection) Close() error {
	var errs []error
	for _, p := range c.list {
		errs = append(errs, p.Close())
	}
	return errors.Join(append(errs, c.maps.close())...)
}
