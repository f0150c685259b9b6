package jit

import (
	"io"
	"io/fs"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/lower"
)

// An Option changes how a program is compiled or loaded.
type Option func(*options)

// options is what the options of one compilation add up to.
type options struct {
	section string
	source  fs.FS
	target  *lower.Target
	consts  map[string]any
	maps    map[string]*cebpf.Map
	given   map[string]*bind.Map // by UseMap
	pins    string
	onPanic int32
	log     io.Writer
	dumps   bool

	// verify, registers, live and doubt are for tests, see lower.Options; packet makes Func
	// use a packet, as before Linux 5.14.
	verify    bool
	registers int
	live      int
	doubt     bool
	packet    bool
}

func newOptions(opts []Option) *options {
	o := new(options)
	for _, opt := range opts {
		opt(o)
	}
	return o
}

// As sets the program type and attach point as a section name in libbpf's
// notation, such as "xdp" or "tracepoint/syscalls/sys_enter_write". It is
// stronger than what the source says.
func As(section string) Option {
	return func(o *options) { o.section = section }
}

// WithSource gives the source files that the binary was built from, for
// machines that have the binary only or builds with -trimpath:
//
//	//go:embed *.go
//	var source embed.FS
//
// File names are matched from their end, so that fsys may have its root at the
// package, at the module or above.
func WithSource(fsys fs.FS) Option {
	return func(o *options) { o.source = fsys }
}

// WithTarget compiles for a given kernel instead of the running one. The
// program is not loaded: its instructions are in [Program.Unit] and
// [Program.Spec]. No privilege is needed.
func WithTarget(t lower.Target) Option {
	return func(o *options) { o.target = &t }
}

// WithConst gives the package-level variable, or the captured variable of a
// closure, that is called name the value v, which becomes a constant of the
// compiled program. Its type must be the variable's, or be convertible to it
// without loss. Integers, bools, and arrays and structs of them can be given.
func WithConst(name string, v any) Option {
	return func(o *options) {
		if o.consts == nil {
			o.consts = make(map[string]any)
		}
		o.consts[name] = v
	}
}

// WithMap makes programs use a map of the kernel that exists in place of a new one, for the map
// variable that is called name, or package.name if another package has one of the same name: a map
// that another process has made, or that was opened where it is pinned. It must have the same type, sizes
// and flags, and room for as many entries at least. Its entries count, not those that
// the variable has in memory. M is cloned. [ReplaceMap] does this for a variable by itself.
func WithMap(name string, m *cebpf.Map) Option {
	return func(o *options) {
		if o.maps == nil {
			o.maps = make(map[string]*cebpf.Map)
		}
		o.maps[name] = m
	}
}

// UseMap makes m, a typed map of package ebpf that this process has made, the map that the
// package-level variable called name is in the program, whatever its initial value is. With it
// source text, and functions whose map variables are set while the process runs, share maps
// with the host:
//
//	var counts *ebpf.Hash[uint32, uint64] // used by onWrite
//
//	local := ebpf.NewHash[uint32, uint64](size)
//	jit.Compile(onWrite, jit.UseMap("counts", local))
//
// M must be of the variable's type.
func UseMap(name string, m bind.Holder) Option {
	return func(o *options) {
		if o.given == nil {
			o.given = make(map[string]*bind.Map)
		}
		o.given[name] = m.Binding()
	}
}

// PinMaps keeps the maps of programs in dir, a directory of a BPF file system, each in a file
// that is called like the variable: a map that is there already, from an earlier process, is used,
// with its entries, as [WithMap] does, and a new one is put there. It does not apply to
// maps that the option [ebpf.MapPin] puts elsewhere.
func PinMaps(dir string) Option {
	return func(o *options) { o.pins = dir }
}

// OnPanic sets what the program returns to the kernel after a panic. Without
// it that is 0: the packet is dropped and reported (XDP), passed on (tc), the
// system call refused (cgroup) or not interfered with (tracing, LSM). [Func] ignores it.
func OnPanic(ret int32) Option {
	return func(o *options) { o.onPanic = ret }
}

// WithLog writes the kernel verifier's log to w: its own account of the program
// when it was accepted, the whole reason when it was not.
func WithLog(w io.Writer) Option {
	return func(o *options) { o.log = w }
}

// WithDumps keeps the text of the program after every stage and pass of the
// compiler for [Program.Dump].
func WithDumps() Option {
	return func(o *options) { o.dumps = true }
}
