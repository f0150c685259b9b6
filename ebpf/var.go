package ebpf

// A Var is a variable that programs and the host share, both without calls of
// the kernel: an array of one entry that the host maps into its memory. Linux 5.5.
//
//	var limit = ebpf.NewVar[uint32](100)
//
//ebpf:map array key=4 value=T entries=1 flags=0x400
type Var[T any] struct{ handle }

// NewVar returns a variable with an initial value. It panics if the type cannot be
// that of a map's values.
//
//ebpf:intrinsic newmap
//go:noinline
func NewVar[T any](initial T, opts ...MapOption) *Var[T] {
	v := new(Var[T])
	v.p = newVar(initial, opts)
	return v
}

// Pointer returns where the value is. On the host that is another place once the
// first program is loaded with the variable; after Close it is the last one.
func (v *Var[T]) Pointer() *T { return (*T)(mapValue(v.ref())) }

// Load returns the value. A value of 4 or 8 bytes is read at once, and a larger one
// in parts.
func (v *Var[T]) Load() T { return atomicLoad(v.Pointer()) }

// Store sets the value. A value of 4 or 8 bytes is written at once, and a larger
// one in parts.
func (v *Var[T]) Store(x T) { atomicStore(v.Pointer(), x) }

// Add adds delta to the value, which must be an integer type of 32 or 64 bits,
// and wraps around. No addition is lost, wherever it comes from.
func (v *Var[T]) Add(delta T) { atomicAdd(v.Pointer(), delta) }
