package ebpf

// A ProgArray is an array of programs whose parameter is of type C, that call one
// another in a way that does not come back: BPF_MAP_TYPE_PROG_ARRAY, Linux 4.2.
//
//ebpf:map prog_array key=4 value=4
type ProgArray[C Contexter] struct{ handle }

// NewProgArray returns an array for length programs, empty at first.
//
//ebpf:intrinsic newmap
//go:noinline
func NewProgArray[C Contexter](length int, opts ...MapOption) *ProgArray[C] {
	m := new(ProgArray[C])
	m.p = newReferences[uint32]("prog_array", length, 4, opts)
	return m
}

// TailCall goes on with program i, whose result is that of the program. If there is
// none, or 33 programs have gone on that way already, it does nothing: what follows
// the call is executed.
//
// Natively it does nothing if there is no program i. Programs are of the kernel, so if
// there is one it panics, unless the test has replaced [TailCall].
func (m *ProgArray[C]) TailCall(ctx C, i uint32) { TailCall(ctx.Context(), m.ref(), i) }
