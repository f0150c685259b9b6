package ebpf

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/ebpf/internal/host"
)

// This file has the native behaviour of the helpers that take maps and fields of their
// values. As anywhere natively, a test can give them another.

var _ = host.Define("MapLookupElem", nativeLookup) &&
	host.Define("MapLookupPercpuElem", nativeLookupCPU) &&
	host.Define("MapUpdateElem", nativeUpdate) &&
	host.Define("MapDeleteElem", nativeDelete) &&
	host.Define("MapPushElem", nativePush) &&
	host.Define("MapPopElem", nativePop) &&
	host.Define("MapPeekElem", nativePeek) &&
	host.Define("RedirectMap", nativeRedirect) &&
	host.Define("TailCall", nativeTailCall) &&
	host.Define("GetStackid", nativeStackID) &&
	host.Define("GetCurrentTaskBtf", nativeTask) &&
	host.Define("TaskStorageGet", nativeStorageGet) &&
	host.Define("TaskStorageDelete", nativeStorageDelete) &&
	host.Define("InodeStorageGet", nativeStorageGet) &&
	host.Define("InodeStorageDelete", func(m MapRef, owner unsafe.Pointer) int32 { return int32(nativeStorageDelete(m, owner)) }) &&
	host.Define("SkStorageGet", nativeStorageGet) &&
	host.Define("SkStorageDelete", nativeStorageDelete) &&
	host.Define("CgrpStorageGet", nativeStorageGet) &&
	host.Define("CgrpStorageDelete", nativeStorageDelete) &&
	host.Define("RingbufOutput", nativeRingOutput) &&
	host.Define("RingbufQuery", nativeRingQuery) &&
	host.Define("PerfEventOutput", nativePerfOutput) &&
	host.Define("SpinLockAcquire", nativeLock) &&
	host.Define("SpinLockRelease", nativeUnlock) &&
	host.Define("TimerCancel", nativeTimerCancel)

// resultOf returns err as helpers return errors.
func resultOf(err error) int64 {
	var errno syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &errno):
		return -int64(errno)
	}
	return -int64(syscall.EBADF) // closed
}

// errnoError returns the error that the result of a helper stands for.
func errnoError(result int64) error {
	switch {
	case result >= 0:
		return nil
	case result == -int64(syscall.EBADF):
		return os.ErrClosed
	}
	return syscall.Errno(-result)
}

// key returns the key at p, and value the value, of one CPU.
func (m *object) key(p unsafe.Pointer) []byte {
	return unsafe.Slice((*byte)(p), m.Spec().KeySize)
}

func (m *object) val(p unsafe.Pointer) []byte {
	return unsafe.Slice((*byte)(p), m.Spec().ValueSize)
}

func nativeLookup(ref MapRef, key unsafe.Pointer) unsafe.Pointer {
	m := ref.native()
	p, err := m.Backend().Pointer(m.key(key), m.currentCPU())
	if errors.Is(err, syscall.EOPNOTSUPP) {
		panic("ebpf: MapLookupElem on the host of a map that is in the kernel: pointers do not reach there")
	}
	return p
}

func nativeLookupCPU(ref MapRef, key unsafe.Pointer, cpu uint32) unsafe.Pointer {
	m := ref.native()
	if int(cpu) >= bind.PossibleCPUs() {
		return nil
	}
	p, err := m.Backend().Pointer(m.key(key), int(cpu))
	if errors.Is(err, syscall.EOPNOTSUPP) {
		panic("ebpf: MapLookupPercpuElem on the host of a map that is in the kernel: pointers do not reach there")
	}
	return p
}

func nativeUpdate(ref MapRef, key, value unsafe.Pointer, flags uint64) int64 {
	m := ref.native()
	if m.Spec().Kind.PerCPU() {
		return resultOf(m.Backend().UpdateCPU(m.key(key), m.val(value), m.currentCPU(), flags))
	}
	return resultOf(m.Backend().Update(m.key(key), m.val(value), flags))
}

func nativeDelete(ref MapRef, key unsafe.Pointer) int64 {
	m := ref.native()
	return resultOf(m.Backend().Delete(m.key(key)))
}

func nativePush(ref MapRef, value unsafe.Pointer, flags uint64) int64 {
	m := ref.native()
	return resultOf(m.Backend().Update(nil, m.val(value), flags))
}

func nativePop(ref MapRef, value unsafe.Pointer) int64 {
	m := ref.native()
	return resultOf(m.Backend().LookupAndDelete(nil, m.val(value)))
}

func nativePeek(ref MapRef, value unsafe.Pointer) int64 {
	m := ref.native()
	return resultOf(m.Backend().Lookup(nil, m.val(value)))
}

// exists reports whether an array of references has an entry i.
func exists(ref MapRef, i uint32) bool {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	return m.Backend().Lookup(setKey(m, b, &i), b.value) == nil
}

func nativeRedirect(ref MapRef, key, flags uint64) int64 {
	if !exists(ref, uint32(key)) {
		return int64(flags & 3)
	}
	return int64(XDPRedirect)
}

func nativeTailCall(_ Context, ref MapRef, i uint32) {
	if exists(ref, i) {
		panic("ebpf: a tail call natively of a program in the kernel: give it a behaviour with sim.Replace(ebpf.TailCall, ...)")
	}
}

// storageKey is what stands for owner in memory.
func storageKey(owner unsafe.Pointer) []byte {
	key := newBytes(8)
	*(*uintptr)(unsafe.Pointer(&key[0])) = uintptr(owner)
	return key
}

// nativeTasks is the tasks that nativeTask has returned, by the number of the thread.
var nativeTasks sync.Map

// nativeTask returns a task that stands for the thread.
func nativeTask() *Task {
	task, _ := nativeTasks.LoadOrStore(host.ThreadID(), new(Task))
	return task.(*Task)
}

func nativeStorageGet(ref MapRef, owner, initial unsafe.Pointer, flags uint64) unsafe.Pointer {
	if owner == nil {
		return nil
	}
	m := ref.native()
	key := storageKey(owner)
	p, err := m.Backend().Pointer(key, 0)
	if errors.Is(err, syscall.ENOENT) && flags&LocalStorageGetCreate != 0 {
		value := newBytes(int(m.Spec().ValueSize))
		if initial != nil {
			copy(value, m.val(initial))
		}
		// It may exist by now, which is as good.
		_ = m.Backend().Update(key, value, UpdateNoExist)
		p, err = m.Backend().Pointer(key, 0)
	}
	if errors.Is(err, syscall.EOPNOTSUPP) {
		panic("ebpf: storage that is in the kernel is used on the host by GetFD, SetFD and DeleteFD")
	}
	return p
}

func nativeStorageDelete(ref MapRef, owner unsafe.Pointer) int64 {
	return resultOf(ref.native().Backend().Delete(storageKey(owner)))
}

// nativeStackID puts the goroutine's stack into the map, at the place that a hash of
// it says.
func nativeStackID(_ Context, ref MapRef, flags uint64) int64 {
	m := ref.native()
	var pcs [MaxStackDepth]uintptr
	n := runtime.Callers(4+int(flags&FlagSkipFieldMask), pcs[:]) // not this function and its callers in this package
	if n == 0 {
		return -int64(syscall.EFAULT)
	}
	var stack [MaxStackDepth]uint64
	hash := uint64(14695981039346656037) // FNV-1a
	for i, pc := range pcs[:n] {
		stack[i] = uint64(pc)
		hash = (hash ^ uint64(pc)) * 1099511628211
	}
	id := uint32(hash>>32^hash) % m.Spec().MaxEntries
	if old, ok := mapGet[uint32, [MaxStackDepth]uint64](ref, &id); ok && old != stack && flags&FlagReuseStackid == 0 {
		return -int64(syscall.EEXIST)
	}
	if err := mapUpdate(ref, &id, &stack, UpdateAny); err != nil {
		return resultOf(err)
	}
	return int64(id)
}

// output puts a record into a buffer of records.
func output(ref MapRef, data unsafe.Pointer, size, flags uint64) error {
	b, err := producer(ref)
	if err != nil {
		return err
	}
	p, err := b.Reserve(int(size))
	if err != nil {
		return err
	}
	copy(unsafe.Slice((*byte)(p), size), unsafe.Slice((*byte)(data), size))
	return b.Commit(p, false, flags)
}

func nativeRingOutput(ref MapRef, data unsafe.Pointer, size, flags uint64) int64 {
	err := output(ref, data, size, flags)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.E2BIG) {
		err = syscall.EAGAIN
	}
	return resultOf(err)
}

func nativePerfOutput(_ Context, ref MapRef, _ uint64, data unsafe.Pointer, size uint64) int64 {
	return resultOf(output(ref, data, size, 0))
}

func nativeRingQuery(ref MapRef, what uint64) uint64 {
	m := ref.native()
	switch what {
	case RingbufAvailData:
		if s, ok := m.Backend().(bind.Streamer); ok {
			n, _ := s.Unread()
			return n
		}
	case RingbufRingSize:
		return uint64(m.Spec().MaxEntries)
	}
	return 0
}

func nativeLock(lock *SpinLock) {
	for !atomic.CompareAndSwapUint32(&lock.word, 0, 1) {
		runtime.Gosched()
	}
}

func nativeUnlock(lock *SpinLock) {
	if atomic.SwapUint32(&lock.word, 0) == 0 {
		panic("ebpf: Unlock of a SpinLock that nobody holds")
	}
}

// timers is the timers that run natively.
var timers sync.Map // *Timer to *time.Timer

// An owner is a backend in memory that knows which entry an address is in.
type owner interface {
	Owner(p unsafe.Pointer) (key []byte, value unsafe.Pointer, ok bool)
}

func timerAfter[K, V any](ref MapRef, t *Timer, ns uint64, f func(k *K, v *V)) error {
	m := ref.native()
	b, ok := m.Backend().(owner)
	if !ok {
		return syscall.EOPNOTSUPP
	}
	key, value, ok := b.Owner(unsafe.Pointer(t))
	if !ok || !slices.ContainsFunc(m.fields, func(f bind.Field) bool {
		return f.Name == "bpf_timer" && unsafe.Add(value, f.Offset) == unsafe.Pointer(t)
	}) {
		return syscall.EINVAL
	}
	t.Stop()
	var timer *time.Timer
	started := make(chan struct{})
	timer = time.AfterFunc(time.Duration(ns), func() {
		<-started
		timers.CompareAndDelete(t, timer)
		// An entry that has been removed has no timer any more.
		if p, err := m.Backend().Pointer(key, 0); err == nil && p == value {
			k := getKey[K](key)
			f(&k, (*V)(value))
		}
	})
	timers.Store(t, timer)
	close(started)
	return nil
}

func nativeTimerCancel(t unsafe.Pointer) int64 {
	timer, ok := timers.LoadAndDelete((*Timer)(t))
	if ok && timer.(*time.Timer).Stop() {
		return 1
	}
	return 0
}
