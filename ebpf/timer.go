package ebpf

import "unsafe"

// This file has timers. As all fields of map values that belong to the kernel they are zero in a copy of
// a value, and setting a value leaves them alone.

// A Timer is a field of a map's value: struct bpf_timer. Linux 5.15, in [Hash],
// [LRUHash] and [Array]. It is set off by the map's method After. A value has one at
// most. The kernel stops it when its entry is removed, and when the map goes.
//
//ebpf:field bpf_timer
type Timer struct{ opaque [2]uint64 }

// Stop stops the timer and reports whether it was running. It waits for a
// callback that runs, so in a callback of the timer itself the kernel refuses, and it
// returns false.
func (t *Timer) Stop() bool { return TimerCancel(unsafe.Pointer(t)) == 1 }

// After makes the kernel call f with the key and the value of t's entry after ns
// nanoseconds, by CLOCK_MONOTONIC. T must be a field of a value of this map. If it is
// running already it starts anew.
//
// F is a function literal that captures nothing, or a function. It may call After again.
func (m *table[K, V]) After(t *Timer, ns uint64, f func(k *K, v *V)) error {
	return timerAfter(m.ref(), t, ns, f)
}

// After makes the kernel call f with the index and the value of t's entry after ns
// nanoseconds. See [Hash.After].
func (m *Array[V]) After(t *Timer, ns uint64, f func(i *uint32, v *V)) error {
	return timerAfter(m.ref(), t, ns, f)
}
