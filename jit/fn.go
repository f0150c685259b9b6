package jit

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/lower"
)

// Func compiles fn, a pure function, and returns a function of the same type
// that runs it in the kernel: each call copies the arguments into the kernel,
// runs the program there (BPF_PROG_TEST_RUN) and copies the results back. A
// panic in the kernel panics in the caller with a [*PanicError].
//
// Parameters and results may be integers, bools, and arrays and structs of
// them, any number of each. What fn calls must be as pure: helpers are those
// of syscall programs, or of XDP programs before Linux 5.14.
//
// F is usually inferred. It may be any, for a function whose type is not known
// when the host is compiled: the result holds a function of the type of fn.
//
// The function may be called concurrently. The program leaves the kernel when
// the function is no longer reachable. A call that cannot be made, for want of memory in
// the kernel or of privileges, panics.
func Func[F any](fn F, opts ...Option) (F, error) {
	return makeFunc[F](reflect.TypeOf(fn), opts, func(f *front) ([]*decl, error) { return f.valueRoots(fn) })
}

// FuncSource is [Func] of the function called fn in Go source text, a file of a
// package of its own. F must be the type of that function, but named types may have
// other names and be declared elsewhere. The name is that of the file in positions.
func FuncSource[F any](name, src, fn string, opts ...Option) (F, error) {
	return makeFunc[F](reflect.TypeFor[F](), opts, func(f *front) ([]*decl, error) { return f.funcRoots(name, src, fn), nil })
}

// makeFunc compiles the function of type t that find finds, and returns one that
// runs it.
func makeFunc[F any](t reflect.Type, opts []Option, find func(*front) ([]*decl, error)) (F, error) {
	var none F
	if t == nil || t.Kind() != reflect.Func || t.IsVariadic() {
		return none, fmt.Errorf("jit.Func: %v is not a function with a fixed number of parameters", t)
	}
	r, err := compileFunc(t, opts, find)
	if err != nil {
		return none, err
	}
	return reflect.MakeFunc(t, r.call).Interface().(F), nil
}

// A runner runs a function in the kernel.
type runner struct {
	prog    *Program
	name    string
	size    int // bytes of arguments and results
	params  []packing
	results []packing
	// scratch is held while a program runs that has variables in per-CPU memory:
	// the kernel may interrupt a test run by another on the same CPU.
	scratch sync.Mutex
}

// compileFunc compiles and loads the function of type t that find finds.
func compileFunc(t reflect.Type, opts []Option, find func(*front) ([]*decl, error)) (_ *runner, err error) {
	f := newFront(opts)
	defer f.rescue(&err)
	if f.opts.target != nil {
		return nil, errors.New("jit.Func: a function compiled for another kernel cannot be run")
	}
	target, err := f.target()
	if err != nil {
		return nil, err
	}
	shim, row := shimFor(target, f.opts.packet)
	f.opts.section = row.name
	roots, err := find(f)
	if err != nil {
		return nil, err
	}
	f.pure = true
	sources := f.programs(roots)
	if err := f.diags.Err(); err != nil {
		return nil, err
	}
	if sig := sources[0].fn.Signature; !sameLayouts(sig, t) {
		return nil, fmt.Errorf("jit.Func: %s is of type %s, which is not %s", sources[0].fn.Name(), typeName(sig), t)
	}
	p, err := f.compile(sources[0], lower.Input{Type: row.kind, MaySleep: row.flags&sleepable != 0, Shim: shim}, target)
	if err != nil {
		return nil, err
	}
	if err := f.diags.Err(); err != nil {
		return nil, err
	}
	if shim == lower.ShimCtx && !f.sleepable(p.unit, target.Kernel) {
		return compileFunc(t, append(slices.Clip(opts), func(o *options) { o.packet = true }), find)
	}
	c := &Collection{list: []*Program{p}}
	if err := c.bindAndLoad(f); err != nil {
		return nil, err
	}
	return newRunner(p, sources[0].fn.Signature, t), nil
}

// shimFor returns the kind of program that can exchange data with its caller:
// syscall programs take a context of any content, which they may change, since
// Linux 5.14 (79a7f8bdb159 "bpf: Introduce bpf_sys_bpf() helper and program type").
// Before, and if packet is set, XDP programs do it with the packet.
func shimFor(t lower.Target, packet bool) (lower.Shim, *section) {
	shim, name := lower.ShimCtx, "syscall"
	if packet || !t.Kernel.AtLeast(lower.Version{Major: 5, Minor: 14}) {
		shim, name = lower.ShimPacket, "xdp"
	}
	row, _, _ := findSection(name)
	return shim, row
}

// checkPure makes sure that a function can be run by Func.
func (f *front) checkPure(d *decl, obj *types.Func) {
	sig := obj.Signature()
	if sig.TypeParams() != nil {
		f.diags.Add(lower.UnsuitableSignature, f.fset.Position(d.pos()), "call an instance of it in another function", "%s is generic", obj.Name())
	}
	var vars []*types.Var
	for _, t := range []*types.Tuple{sig.Params(), sig.Results()} {
		for v := range t.Variables() {
			vars = append(vars, v)
		}
	}
	for _, v := range vars {
		if err := plainData(v.Type()); err != nil {
			pos := v.Pos()
			if !pos.IsValid() {
				pos = d.pos()
			}
			f.diags.Add(lower.UnsuitableSignature, f.fset.Position(pos), "", "%s cannot be passed to the kernel and back: it %v", v.Name(), err)
		}
	}
}

func newRunner(p *Program, sig *types.Signature, t reflect.Type) *runner {
	size, params, results := lower.Layout(sig)
	r := &runner{prog: p, name: p.unit.Name, size: size}
	for i, offset := range params {
		r.params = append(r.params, newPacking(t.In(i), offset))
	}
	for i, offset := range results {
		r.results = append(r.results, newPacking(t.Out(i), offset))
	}
	return r
}

// call is the body of the function that Func returns.
func (r *runner) call(args []reflect.Value) []reflect.Value {
	buf := make([]byte, r.size)
	for i := range r.params {
		r.params[i].put(buf, args[i])
	}
	ret, err := r.run(buf)
	if err != nil {
		panic(fmt.Errorf("jit.Func: run %s: %w", r.name, err))
	}
	if ret < 0 {
		panic(r.panicAt(-(1 + ret)))
	}
	results := make([]reflect.Value, len(r.results))
	for i := range results {
		results[i] = r.results[i].get(buf)
	}
	return results
}

// run runs the program on buf, in place.
func (r *runner) run(buf []byte) (int32, error) {
	if r.prog.unit.Scratch > 0 {
		r.scratch.Lock()
		defer r.scratch.Unlock()
	}
	prog := r.prog.BPF()
	if r.prog.row.typ == cebpf.Syscall {
		o := &cebpf.RunOptions{}
		if len(buf) > 0 {
			o.Context, o.ContextOut = buf, buf
		}
		ret, err := prog.Run(o)
		return int32(ret), err
	}
	// The kernel wants a packet to have an Ethernet header. A run that a signal
	// interrupts counts as a success for cilium, but has no output: it is
	// recognised by the size of the output, which the kernel has not set.
	in := make([]byte, max(len(buf), ethernetHeader))
	copy(in, buf)
	for {
		o := &cebpf.RunOptions{Data: in, DataOut: make([]byte, len(in)+1)}
		ret, err := prog.Run(o)
		if err != nil {
			return 0, err
		}
		if len(o.DataOut) == len(in) {
			copy(buf, o.DataOut)
			return int32(ret), nil
		}
	}
}

const ethernetHeader = 14 // ETH_HLEN in include/uapi/linux/if_ether.h

// A PanicError is a panic of a function in the kernel. It is a runtime.Error as
// that of the same panic on the host is, except for the values in its text.
type PanicError struct {
	Pos     token.Position
	Kind    string // index, slice, nil, divide, shift, assert, convert, explicit or loop
	Message string // as Go's runtime words it
}

// Error returns file:line:col: message.
func (e *PanicError) Error() string { return fmt.Sprintf("%v: %s", e.Pos, e.Message) }

// RuntimeError makes e a runtime.Error.
func (e *PanicError) RuntimeError() {}

func (r *runner) panicAt(site int32) error {
	if int(site) >= len(r.prog.unit.Panics) {
		return fmt.Errorf("BUG: %s panicked at unknown site %d", r.name, site)
	}
	s := r.prog.unit.Panics[site]
	return &PanicError{Pos: s.Pos, Kind: s.Kind, Message: s.Message}
}

// A packing says how values of a Go type lie in a buffer: as in memory, since
// the layout is the same, but with zeros for padding.
type packing struct {
	typ    reflect.Type
	offset int64
	leaves []leaf
}

// A leaf is a run of bytes without padding.
type leaf struct{ offset, size uintptr }

func newPacking(t reflect.Type, offset int64) packing {
	return packing{typ: t, offset: offset, leaves: appendLeaves(nil, t, 0)}
}

// appendLeaves appends the leaves of a type that is offset bytes into a value.
// Adjacent leaves are joined.
func appendLeaves(list []leaf, t reflect.Type, offset uintptr) []leaf {
	switch t.Kind() {
	case reflect.Array:
		for i := range t.Len() {
			list = appendLeaves(list, t.Elem(), offset+uintptr(i)*t.Elem().Size())
		}
		return list
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Name != "_" {
				list = appendLeaves(list, f.Type, offset+f.Offset)
			}
		}
		return list
	}
	if n := len(list); n > 0 && list[n-1].offset+list[n-1].size == offset {
		list[n-1].size += t.Size()
		return list
	}
	return append(list, leaf{offset, t.Size()})
}

// put copies v into the buffer.
func (p *packing) put(buf []byte, v reflect.Value) {
	copyOf := reflect.New(p.typ)
	copyOf.Elem().Set(v)
	mem := unsafe.Slice((*byte)(copyOf.UnsafePointer()), p.typ.Size())
	for _, l := range p.leaves {
		copy(buf[p.offset:][l.offset:l.offset+l.size], mem[l.offset:])
	}
}

// get returns the value in the buffer.
func (p *packing) get(buf []byte) reflect.Value {
	v := reflect.New(p.typ)
	mem := unsafe.Slice((*byte)(v.UnsafePointer()), p.typ.Size())
	for _, l := range p.leaves {
		copy(mem[l.offset:l.offset+l.size], buf[p.offset:][l.offset:])
	}
	return v.Elem()
}
