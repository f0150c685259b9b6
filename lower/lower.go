package lower

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"runtime/debug"
	"time"

	"github.com/undergo-ebpf/undergo/lower/internal/build"
	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/emit"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/isel"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
	"github.com/undergo-ebpf/undergo/lower/internal/opt"
	"github.com/undergo-ebpf/undergo/lower/internal/regalloc"
)

// An Input is a program to compile.
type Input = build.Input

// A Snapshot is the value of a variable that stands for memory of the host.
type Snapshot = build.Snapshot

// A GivenMap is a map in a Snapshot, or a pointer to one.
type GivenMap = build.GivenMap

// A Shim is the kind of wrapper around a pure function that makes it a program.
type Shim = build.Shim

// The kinds of shim, see their documentation in package build.
const (
	ShimNone   = build.ShimNone
	ShimCtx    = build.ShimCtx
	ShimPacket = build.ShimPacket
)

// Layout returns the layout of the buffer through which a shim exchanges
// arguments and results: its size, and the offset of each parameter and of each
// result of sig, in bytes.
func Layout(sig *types.Signature) (size int, args, results []int64) {
	return build.Layout(sig)
}

// Sizes lays types out as the Go compiler does for the hosts that run BPF. The
// layout is the same on all 64-bit architectures.
var Sizes = build.Sizes

// Options are the options of [Compile].
type Options struct {
	// Verify runs the verifiers of both representations after every step and
	// checks register allocation. All tests set it; it roughly doubles the time
	// of a compilation.
	Verify bool
	// Registers, if not 0, cuts the registers that the allocator may use to the
	// first so many of R0, R6, R1, R7, R2, R8, R3, R9, R4, R5. Tests set it to 3.
	Registers int
	// Live, if not 0, is the number of values that may live across a call; others are in
	// memory, which is otherwise a last resort. Tests set it to 1.
	Live int
	// LoopWork is the number of instructions for the verifier to follow that a loop may be
	// before the kernel is made to limit it, where it can. 0 stands for what is best
	// for most programs. With less, more complex programs can be verified, and loops run
	// somewhat slower.
	LoopWork uint64
	// Doubt makes the compiler check each variable offset of an access again, as if the
	// verifier knew nothing of it. It is for programs that are refused without.
	Doubt bool
	// OnPanic is the program's result when it panics. A shim ignores it.
	OnPanic int32
	// Source, if not nil, returns the text of a source line, for the kernel's log.
	Source func(file string, line int) string
	// Dump, if not nil, is given the text form of the program after each stage
	// and pass.
	Dump func(stage, text string)
}

// registerOrder is the order in which Options.Registers takes registers: one
// that a call clobbers, one that it preserves, and so on.
var registerOrder = []mir.Reg{mir.R0, mir.R6, mir.R1, mir.R7, mir.R2, mir.R8, mir.R3, mir.R9, mir.R4, mir.R5}

// Compile compiles in for the target t. An error is a [DiagnosticError] if the
// program is to blame; one that begins with "BUG" is a defect of the compiler.
//
// Compile may be called concurrently, but not with the same ssa.Program.
func Compile(in Input, t Target, o Options) (*Unit, error) {
	c := &compilation{in: in, target: t, opt: o}
	return c.compile()
}

// A bugError is a panic of the compiler: a defect in it, whatever the input.
type bugError struct {
	stage    string
	function string // that the stage was at, or "" if it was none in particular
	program  string
	cause    any
	stack    []byte
}

// Error names the stage and the function; Format with %+v adds the stack.
func (e *bugError) Error() string {
	where := e.stage
	if e.function != "" {
		where += " of " + e.function
	}
	return fmt.Sprintf("BUG in undergo's compiler: %s, compiling %s: %v", where, e.program, e.cause)
}

// Format implements fmt.Formatter.
func (e *bugError) Format(s fmt.State, verb rune) {
	fmt.Fprint(s, e.Error())
	if s.Flag('+') {
		fmt.Fprintf(s, "\n%s", e.stack)
	}
}

// A compilation is the state of one Compile.
type compilation struct {
	in     Input
	target Target
	opt    Options
	diags  diag.List
	times  []StageTime
	// stage is what is going on, and function what it is about, for bugError.
	stage, function string
	// overflow is set if the last try failed for want of stack.
	overflow bool
	// observe, if not nil, is shown the module after each stage and pass. It is
	// for tests.
	observe func(stage string, m *ir.Module)
}

// compile is run, but for panics: they become errors.
func (c *compilation) compile() (unit *Unit, err error) {
	defer func() {
		if r := recover(); r != nil {
			unit, err = nil, &bugError{c.stage, c.function, c.in.Name, r, debug.Stack()}
		}
	}()
	return c.run()
}

// A frugality is what is done for a program to fit on the stack.
type frugality struct {
	// room is the bytes that variables leave to spilled values.
	room int
	// live, if not 0, is the number of values that may live across a call; others are
	// in memory as variables are.
	live int
}

// frugalities are tried in turn: nothing at first, and more if that turns out to be too
// little. How much is spilled is known only when registers have been allocated, and
// most programs spill nothing.
var frugalities = []frugality{{}, {room: 128}, {room: 256}, {room: 512}, {512, 16}, {512, 4}}

// run compiles until the program fits on the stack.
func (c *compilation) run() (unit *Unit, err error) {
	for _, f := range frugalities {
		if c.opt.Live != 0 {
			f.live = c.opt.Live
		}
		c.diags = diag.List{}
		unit, err = c.try(f)
		if !c.overflow {
			break
		}
	}
	return unit, err
}

// try is the pipeline. It sets c.overflow if the program does not fit on the stack.
func (c *compilation) try(frugal frugality) (unit *Unit, err error) {
	c.overflow = false
	var m *ir.Module
	c.step("build", func() { m = build.Build(c.in, c.target, &c.diags) })
	if err := c.diags.Err(); err != nil {
		return nil, err
	}
	c.checkIR("build", m)
	c.optimize(m, frugal)
	if err := c.diags.Err(); err != nil {
		return nil, err
	}
	var mm *mir.Module
	c.step("isel", func() { mm = isel.Select(m, c.target) })
	c.checkMIR("isel", mm, mir.VerifyFunc)
	c.step("regalloc", func() { c.allocate(mm) })
	c.checkMIR("regalloc", mm, mir.VerifyAllocated)
	var out *emit.Output
	c.step("emit", func() { out = emit.Emit(mm, c.emitInput(m)) })
	if err := c.diags.Err(); err != nil {
		var d *Diagnostic
		c.overflow = errors.As(err, &d) && d.Code == diag.StackOverflow
		return nil, err
	}
	if c.opt.Dump != nil {
		c.opt.Dump("asm", emit.Disassemble(out.Insns))
	}
	c.step("btf", func() { err = out.Annotate(c.sourceLine) })
	if err != nil {
		return nil, err
	}
	return c.unit(m, out), nil
}

// step runs one stage and takes its time.
func (c *compilation) step(stage string, f func()) {
	c.stage, c.function = stage, ""
	start := time.Now()
	f()
	c.times = append(c.times, StageTime{stage, time.Since(start)})
}

// optimize runs the passes.
func (c *compilation) optimize(m *ir.Module, frugal frugality) {
	cfg := &opt.Config{Target: c.target, ProgramType: c.in.Type, MaySleep: c.in.MaySleep, Spill: frugal.room, Live: frugal.live, Doubt: c.opt.Doubt, Diags: &c.diags, Fset: c.in.Fset, LoopWork: c.opt.LoopWork}
	cfg.Visit = func(f *ir.Func) { c.function = f.Name }
	runPasses(m, cfg, passHooks{
		before: func(name string) { c.stage, c.function = name, "" },
		after: func(name string, took time.Duration) {
			c.times = append(c.times, StageTime{name, took})
			c.checkIR(name, m)
		},
	})
}

// checkIR dumps and verifies the module as far as the options say so.
func (c *compilation) checkIR(stage string, m *ir.Module) {
	if c.observe != nil {
		c.observe(stage, m)
	}
	if c.opt.Dump != nil {
		c.opt.Dump(stage, m.String())
	}
	if c.opt.Verify {
		c.must("invalid IR", ir.Verify(m))
	}
}

// checkMIR is checkIR for the machine representation.
func (c *compilation) checkMIR(stage string, m *mir.Module, verify func(*mir.Func) error) {
	if c.opt.Dump != nil {
		c.opt.Dump(stage, m.String())
	}
	if c.opt.Verify {
		for _, f := range m.Funcs {
			c.must("invalid MIR", verify(f))
		}
	}
}

// must panics if a verifier found something: the compiler is to blame.
func (c *compilation) must(what string, err error) {
	if err != nil {
		panic(fmt.Errorf("%s: %w", what, err))
	}
}

// allocate assigns registers, and checks the assignment if the options say so.
func (c *compilation) allocate(m *mir.Module) {
	var cfg regalloc.Config
	if n := c.opt.Registers; n > 0 {
		cfg.Regs = registerOrder[:n]
	}
	for _, f := range m.Funcs {
		c.function = f.Name
		var before *mir.Func
		if c.opt.Verify {
			before = f.Clone()
		}
		regalloc.Allocate(f, cfg)
		if c.opt.Verify {
			c.must("invalid allocation", regalloc.Check(before, f))
		}
	}
}

func (c *compilation) emitInput(m *ir.Module) emit.Input {
	in := emit.Input{
		Target:       c.target,
		Fset:         c.in.Fset,
		Sites:        len(m.Sites),
		PanicSection: PanicSection,
		OnPanic:      c.opt.OnPanic,
		ReturnSite:   c.in.Shim != ShimNone,
		Diags:        &c.diags,
	}
	for _, d := range m.Data {
		section, room := RodataSection, d.Room
		if _, isMap := d.Origin.(*MapDecl); isMap {
			section = d.Name
		} else if d.Mutable {
			section = DataSectionName
		} else if c.opt.Doubt {
			// A function that is given the address knows nothing of the object. The
			// verifier may take an offset for the object's size, and what is added
			// to it as well.
			room = max(room, int64(len(d.Bytes))+8)
		}
		in.Data = append(in.Data, emit.Data{Name: d.Name, Bytes: d.Bytes, Align: d.Align, Section: section, Room: room})
	}
	return in
}

// unit puts the result together.
func (c *compilation) unit(m *ir.Module, out *emit.Output) *Unit {
	u := &Unit{
		Name:  c.in.Name,
		Insns: out.Insns,
		Stats: Stats{Insns: out.Slots, Stack: out.Stack, Stages: c.times},
	}
	c.declare(u, m, out)
	for _, s := range out.Sections {
		if _, isMap := u.Map(s.Name); isMap {
			continue
		}
		u.Data = append(u.Data, DataSection{Name: s.Name, Bytes: s.Bytes, ReadOnly: s.Name == RodataSection})
	}
	for _, s := range m.Sites {
		u.Panics = append(u.Panics, PanicSite{Pos: c.position(token.Pos(s.Pos)), Kind: s.Kind.String(), Message: s.Message})
	}
	for _, l := range out.Lines {
		u.Lines = append(u.Lines, Line{Offset: l.Offset, Pos: c.position(token.Pos(l.Pos))})
	}
	for _, f := range out.Funcs {
		u.Funcs = append(u.Funcs, FuncInfo{Name: f.Name, Symbol: f.Symbol, Offset: f.Offset, Stack: f.Stack})
	}
	return u
}

// declare adds the maps and variables that the program refers to.
func (c *compilation) declare(u *Unit, m *ir.Module, out *emit.Output) {
	used := make(map[string]bool)
	for _, name := range out.Maps {
		used[name] = true
	}
	for _, o := range out.Objects {
		used[o.Section] = true
		if d, ok := m.Data[o.Index].Origin.(*build.VarDecl); ok {
			u.Vars = append(u.Vars, Var{*d, o.Section, o.Offset})
		}
	}
	for _, o := range m.Maps {
		switch {
		case !used[o.Name]:
		case o.Name == ScratchMap:
			u.Scratch = int(m.Scratch)
		default:
			u.Maps = append(u.Maps, o.Origin.(*MapDecl))
		}
	}
}

// sourceLine describes a position to the kernel.
func (c *compilation) sourceLine(pos mir.Pos) emit.SourceLine {
	p := c.position(token.Pos(pos))
	line := emit.SourceLine{File: p.Filename, Line: p.Line, Col: p.Column}
	if c.opt.Source != nil && p.IsValid() {
		line.Text = c.opt.Source(p.Filename, p.Line)
	}
	return line
}

func (c *compilation) position(pos token.Pos) token.Position {
	if c.in.Fset == nil || pos == token.NoPos {
		return token.Position{}
	}
	return c.in.Fset.Position(pos)
}

// IsBug reports whether err is a defect of the compiler rather than of the program.
func IsBug(err error) bool {
	var bug *bugError
	return errors.As(err, &bug)
}
