// Package mem holds the entries of maps in memory of the process, with the
// semantics that the kernel's maps have: limits, flags, errors, and what pointers
// into values see of later updates.
//
// It is what maps work on until they are bound to the kernel, so that code which
// uses them runs under go test on any system. Two things differ. Eviction from LRU
// maps is exact, and the order of iteration is that in which entries were made.
//
// # Concurrency
//
// All backends may be used concurrently. A value that the kernel changes in place
// is changed in place here, one word at a time with atomic operations, so
// that the race detector finds fault only with programs that access a value
// through a pointer, without atomic operations, while others do too.
//
// # What the package may know
//
// Package bind, whose Backend it implements, and the standard library.
package mem

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// Flags of updates, from linux/bpf.h.
const (
	flagAny     = 0 // BPF_ANY
	flagNoExist = 1 // BPF_NOEXIST
	flagExist   = 2 // BPF_EXIST
	flagLock    = 4 // BPF_F_LOCK
)

// New returns an empty map.
func New(spec *bind.Spec) bind.Backend {
	switch spec.Kind {
	case bind.Hash, bind.PerCPUHash, bind.HashOfMaps, bind.SockHash, bind.DevMapHash,
		bind.SockStorage, bind.InodeStorage, bind.TaskStorage, bind.CgroupStorage, bind.StackTrace:
		return newHash(spec, false)
	case bind.LRUHash, bind.LRUPerCPUHash:
		return newHash(spec, true)
	case bind.Array, bind.PerCPUArray:
		return newArray(spec)
	case bind.ProgArray, bind.CgroupArray, bind.ArrayOfMaps, bind.DevMap,
		bind.CPUMap, bind.XSKMap, bind.SockMap, bind.ReuseportSockArray:
		return newSparse(spec)
	case bind.LPMTrie:
		return newTrie(spec)
	case bind.Queue, bind.Stack:
		return newQueue(spec)
	case bind.BloomFilter:
		return newBloom(spec)
	case bind.RingBuf, bind.UserRingBuf, bind.PerfEventArray:
		return newRing(spec)
	}
	panic(fmt.Sprintf("BUG: no map in memory of kind %s", spec.Kind))
}

// common is what all backends have: the operations that a kind may lack, as
// the kernel refuses them, and the state of being closed.
type common struct {
	spec *bind.Spec
}

func (common) Lookup(_, _ []byte) error                     { return syscall.EOPNOTSUPP }
func (common) Update(_, _ []byte, _ uint64) error           { return syscall.EOPNOTSUPP }
func (common) UpdateCPU(_, _ []byte, _ int, _ uint64) error { return syscall.EOPNOTSUPP }
func (common) Delete([]byte) error                          { return syscall.EOPNOTSUPP }
func (common) LookupAndDelete(_, _ []byte) error            { return syscall.EOPNOTSUPP }
func (common) Add([]byte, int, uint64) error                { return syscall.EOPNOTSUPP }
func (common) Pointer([]byte, int) (unsafe.Pointer, error)  { return nil, syscall.EOPNOTSUPP }
func (common) Pin(string) error                             { return syscall.EOPNOTSUPP }
func (common) Iterate(func(_, _ []byte) bool) error         { return syscall.EOPNOTSUPP }

func (c common) Info() (bind.Info, error) { return bind.Info{Spec: *c.spec, FD: -1}, nil }

// Close does nothing: the memory is collected when nothing refers to it.
func (common) Close() error { return nil }

// checkExist applies the flags of an update to whether the entry exists.
func checkExist(flags uint64, exists bool) error {
	switch {
	case flags&^flagLock > flagExist:
		return syscall.EINVAL
	case flags&flagNoExist != 0 && exists:
		return syscall.EEXIST
	case flags&flagExist != 0 && !exists:
		return syscall.ENOENT
	}
	return nil
}

var errClosed = os.ErrClosed
