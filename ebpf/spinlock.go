package ebpf

// This file has spin locks, which as fields of map values that belong to the kernel are zero in a copy of
// a value, and which setting a value leaves alone.

// A SpinLock is a field of a map's value that guards the others: struct
// bpf_spin_lock. A value has one at most. Linux 5.1, in hash maps, arrays and
// storages.
//
//	type account struct {
//		lock    ebpf.SpinLock
//		in, out uint64
//	}
//
//	if a := accounts.Lookup(id); a != nil {
//		a.lock.Lock()
//		a.in, a.out = a.in+n, a.out-n
//		a.lock.Unlock()
//	}
//
// A program holds one lock at a time, calls nothing while it does, and gives it back on every
// path, by defer if it likes; a panic gives it back. Tracing programs cannot use it.
//
//ebpf:field bpf_spin_lock
type SpinLock struct{ word uint32 }

// Lock waits until nobody has the lock, and takes it.
func (l *SpinLock) Lock() { SpinLockAcquire(l) }

// Unlock gives the lock back.
func (l *SpinLock) Unlock() { SpinLockRelease(l) }
