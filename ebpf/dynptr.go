package ebpf

import "unsafe"

// A Dynptr is memory of which only the running program knows how much it is: struct bpf_dynptr,
// Linux 5.19. It is a local variable, which must not be copied or assigned to, and is made by
// [RingBuf.ReserveDynptr] or [DynptrFromMem]. Every access is checked by the kernel.
type Dynptr struct{ _ [2]uint64 }

// Read fills to from off on. The error is E2BIG if that is too much, EINVAL if d is no memory.
func (d *Dynptr) Read(to []byte, off int) error { return DynptrRead(to, d, uint64(off), 0) }

// Write copies from to off. The error is E2BIG if that is too much, EINVAL if d is no memory
// or must not be written.
func (d *Dynptr) Write(off int, from []byte) error { return DynptrWrite(d, uint64(off), from, 0) }

// DynptrAt returns the T at off, or nil if d has no such. It is valid as long as d is.
func DynptrAt[T any](d *Dynptr, off int) *T {
	var v T
	return (*T)(DynptrData(unsafe.Pointer(d), uint64(off), uint64(unsafe.Sizeof(v))))
}

// Submit passes the record of a ring buffer that d is on to the host. Flags are 0,
// [RingbufNoWakeup] or [RingbufForceWakeup].
func (d *Dynptr) Submit(flags uint64) { RingbufSubmitDynptr(d, flags) }

// Discard drops the record of a ring buffer that d is.
func (d *Dynptr) Discard() { RingbufDiscardDynptr(d, 0) }
