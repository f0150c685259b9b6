package ebpf

import "unsafe"

// This file has the helpers that call a function of the program.

// Loop calls f with 0, 1 and so on to n-1, until it returns false, and returns the number of
// calls. For the verifier that is one pass, so that there may be 8 million (BPF_MAX_LOOPS); the error of more
// is E2BIG. f may capture variables. Linux 5.17.
func Loop(n uint32, f func(i uint32) bool) (int, error) {
	r := loop(n, func(i uint32, _ unsafe.Pointer) int64 {
		if f(i) {
			return 0
		}
		return 1
	}, nil, 0)
	if r < 0 {
		return 0, errnoError(r)
	}
	return int(r), nil
}

// FindVMA calls f once, with the part of a task's address space that has an address, and returns nil. The error is ENOENT if there is none, EBUSY if the address space is being
// changed. f may capture variables. Linux 5.17.
func FindVMA(task *Task, addr uintptr, f func(vma *VMArea)) error {
	return errnoError(findVMA(task, uint64(addr), func(_, vma, _ unsafe.Pointer) int64 {
		f((*VMArea)(vma))
		return 0
	}, nil, 0))
}
