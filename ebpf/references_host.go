package ebpf

import (
	"encoding/binary"
	"iter"
)

// This file has the host's methods of maps whose values stand for something else.

// A Program is a loaded program, such as a *jit.Program.
type Program interface {
	// FD returns the program's file descriptor.
	FD() int
}

// setReference sets the value of k to 32-bit numbers, of which the last may be
// missing, or to one of 64 bits that begins with them.
func setReference[K any](ref MapRef, k *K, numbers ...int) error {
	m := ref.native()
	b := m.buffer()
	defer m.buffers.Put(b)
	clear(b.value)
	for i, n := range numbers {
		binary.NativeEndian.PutUint32(b.value[4*i:], uint32(n))
	}
	return m.Backend().Update(setKey(m, b, k), b.value, UpdateAny)
}

// keysOf returns an iterator over the keys of a map.
func keysOf[K any](ref MapRef) iter.Seq[K] {
	return func(yield func(K) bool) {
		_ = ref.native().Backend().Iterate(func(key, _ []byte) bool { return yield(getKey[K](key)) })
	}
}

// Set makes p program i. It must be of the type that the programs are which call it.
//
// Host only.
func (m *ProgArray[C]) Set(i uint32, p Program) error { return setReference(m.ref(), &i, p.FD()) }

// Delete makes entry i empty. The error is syscall.ENOENT if it is already.
//
// Host only.
func (m *ProgArray[C]) Delete(i uint32) error { return mapDelete(m.ref(), &i) }

// Keys returns an iterator over the entries that have a program.
//
// Host only.
func (m *ProgArray[C]) Keys() iter.Seq[uint32] { return keysOf[uint32](m.ref()) }

// Set makes entry i the network interface with the given index.
//
// Host only.
func (m *devices) Set(i uint32, ifindex int) error { return setReference(m.ref(), &i, ifindex, -1) }

// SetProgram is Set with an XDP program that the packets go through before
// they leave. Linux 5.8.
//
// Host only.
func (m *devices) SetProgram(i uint32, ifindex int, p Program) error {
	return setReference(m.ref(), &i, ifindex, p.FD())
}

// Set makes packets go to CPU i, by a queue of the given length.
//
// Host only.
func (m *CPUMap) Set(i uint32, queue int) error { return setReference(m.ref(), &i, queue, -1) }

// SetProgram is Set with an XDP program that runs on the packets on that CPU. Linux
// 5.9.
//
// Host only.
func (m *CPUMap) SetProgram(i uint32, queue int, p Program) error {
	return setReference(m.ref(), &i, queue, p.FD())
}

// Set makes entry i the AF_XDP socket with the file descriptor fd.
//
// Host only.
func (m *XSKMap) Set(i uint32, fd int) error { return setReference(m.ref(), &i, fd) }

// Delete makes entry i empty, which it may be already, but for a [DevMapHash]: of that the error is
// syscall.ENOENT then. Of an array it is EINVAL if there is no such index.
//
// Host only.
func (m *redirector) Delete(i uint32) error { return mapDelete(m.ref(), &i) }

// Keys returns an iterator over the entries that are not empty. Of an [XSKMap] the kernel does not tell
// which these are: it passes all indices.
//
// Host only.
func (m *redirector) Keys() iter.Seq[uint32] { return keysOf[uint32](m.ref()) }

// Set makes the entry with key k the socket with the file descriptor fd.
//
// Host only.
func (m *socketsByKey[K]) Set(k K, fd int) error { return setReference(m.ref(), &k, fd) }

// Delete removes the entry with key k. If there is none the error is syscall.ENOENT, of a [SockMap]
// EINVAL.
//
// Host only.
func (m *socketsByKey[K]) Delete(k K) error { return mapDelete(m.ref(), &k) }

// Set makes entry i the cgroup with the file descriptor fd, of its directory.
//
// Host only.
func (m *CgroupArray) Set(i uint32, fd int) error { return setReference(m.ref(), &i, fd) }

// Delete makes entry i empty. The error is syscall.ENOENT if it is already.
//
// Host only.
func (m *CgroupArray) Delete(i uint32) error { return mapDelete(m.ref(), &i) }

// Get returns the return addresses of a stack, innermost first, and whether there is
// such a stack. Natively they are addresses in this process, for [runtime.CallersFrames].
//
// Host only.
func (m *StackTrace) Get(id uint32) ([]uint64, bool) {
	stack, ok := mapGet[uint32, [MaxStackDepth]uint64](m.ref(), &id)
	if !ok {
		return nil, false
	}
	n := 0
	for n < len(stack) && stack[n] != 0 {
		n++
	}
	return stack[:n:n], true
}

// Delete removes a stack. The error is syscall.ENOENT if it is not in the map.
//
// Host only.
func (m *StackTrace) Delete(id uint32) error { return mapDelete(m.ref(), &id) }

// Keys returns an iterator over the numbers of the stacks in the map.
//
// Host only.
func (m *StackTrace) Keys() iter.Seq[uint32] { return keysOf[uint32](m.ref()) }
