package interp

import (
	"encoding/binary"
	"fmt"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// Memory is a list of objects in a 64-bit address space. Object number n, from
// 1, has the 4 GiB from n<<32 to itself and begins in their middle, so that an
// address is object and offset in one number, pointer arithmetic is addition,
// an offset may be negative for a while, and no small mistake leads from one
// object into another. Numbers are not used again: a pointer to an object that
// is gone is found out. Address 0 is nil.
const (
	offsetBits = 32
	offsetBase = 1 << (offsetBits - 1)
)

// An Object is a piece of memory.
type Object struct {
	Name  string // for errors
	Bytes []byte // the content, which stores change in place
	Align int64  // of the first byte
	// ReadOnly forbids stores.
	ReadOnly bool
	// AnyAlign allows accesses that are not aligned to their width, as the
	// kernel does in packets.
	AnyAlign bool
	// Pointers holds, by offset, what loads of pointer type read there
	// whatever their width: the kernel makes pointers of 32-bit fields of some
	// contexts.
	Pointers map[int64]uint64
	// Map or Func is set for an object that is only a reference and has no
	// content.
	Map  *ir.Map
	Func *ir.Func

	written []bool // for each byte of a slot; nil if all bytes may be read
}

// NewObject adds o to memory and returns its address.
func (m *Machine) NewObject(o Object) uint64 {
	n := uint64(len(m.objects))
	m.objects = append(m.objects, &o)
	return n<<offsetBits + offsetBase
}

// newSlot makes the incarnation of s for one activation of f.
func (m *Machine) newSlot(f *ir.Func, s *ir.Slot) uint64 {
	return m.NewObject(Object{
		Name:    fmt.Sprintf("slot s%d (%s) of func @%s", s.Index, s.Name, f.Name),
		Bytes:   make([]byte, s.Size),
		Align:   s.Align,
		written: make([]bool, s.Size),
	})
}

// Free removes the object that addr points into. Later accesses are errors.
func (m *Machine) Free(addr uint64) {
	if n := addr >> offsetBits; n < uint64(len(m.objects)) {
		m.objects[n] = nil
	}
}

// Object returns the object that addr points into, and the offset, which may
// be out of its bounds.
func (m *Machine) Object(addr uint64) (*Object, int64, error) {
	n := addr >> offsetBits
	switch {
	case addr == 0:
		return nil, 0, fmt.Errorf("nil dereference")
	case n == 0 || n >= uint64(len(m.objects)):
		return nil, 0, fmt.Errorf("%#x points to no object", addr)
	case m.objects[n] == nil:
		return nil, 0, fmt.Errorf("%#x points to an object that is gone", addr)
	}
	return m.objects[n], int64(addr&(1<<offsetBits-1)) - offsetBase, nil
}

// span returns n bytes of the object that addr points into, and their offset.
func (m *Machine) span(addr uint64, n int64) (*Object, int64, error) {
	o, off, err := m.Object(addr)
	if err != nil {
		return nil, 0, err
	}
	if n < 0 || off < 0 || off > int64(len(o.Bytes))-n {
		return nil, 0, fmt.Errorf("%d bytes at offset %d are not in the %d bytes of %s", n, off, len(o.Bytes), o.Name)
	}
	return o, off, nil
}

// Read returns a copy of n bytes at addr, all of which must have been written.
func (m *Machine) Read(addr uint64, n int64) ([]byte, error) {
	o, off, err := m.span(addr, n)
	if err != nil {
		return nil, err
	}
	if err := o.checkWritten(off, n); err != nil {
		return nil, err
	}
	return append([]byte(nil), o.Bytes[off:off+n]...), nil
}

// Write writes b at addr.
func (m *Machine) Write(addr uint64, b []byte) error {
	o, off, err := m.span(addr, int64(len(b)))
	if err != nil {
		return err
	}
	if o.ReadOnly {
		return fmt.Errorf("write to %s, which is read-only", o.Name)
	}
	copy(o.Bytes[off:], b)
	if o.written != nil {
		for i := range b {
			o.written[off+int64(i)] = true
		}
	}
	return nil
}

func (o *Object) checkWritten(off, n int64) error {
	if o.written == nil {
		return nil
	}
	for i := off; i < off+n; i++ {
		if !o.written[i] {
			return fmt.Errorf("byte %d of %s is read before it is written", i, o.Name)
		}
	}
	return nil
}

// access returns the object and offset of an aligned access of width bytes.
func (m *Machine) access(addr uint64, width int64) (*Object, int64, error) {
	o, off, err := m.span(addr, width)
	if err != nil {
		return nil, 0, err
	}
	if !o.AnyAlign && (off%width != 0 || o.Align < width) {
		return nil, 0, fmt.Errorf("access of %d bytes at offset %d of %s, which is aligned to %d", width, off, o.Name, o.Align)
	}
	return o, off, nil
}

// load returns the width bytes at addr, zero-extended.
func (m *Machine) load(addr uint64, width int64) (uint64, error) {
	o, off, err := m.access(addr, width)
	if err != nil {
		return 0, err
	}
	if err := o.checkWritten(off, width); err != nil {
		return 0, err
	}
	var buf [8]byte
	copy(buf[:width], o.Bytes[off:])
	return binary.LittleEndian.Uint64(buf[:]), nil
}

// store writes the low width bytes of x at addr.
func (m *Machine) store(addr uint64, width int64, x uint64) error {
	if _, _, err := m.access(addr, width); err != nil {
		return err
	}
	var buf [8]byte
	binary.LittleEndian.PutUint64(buf[:], x)
	return m.Write(addr, buf[:width])
}
