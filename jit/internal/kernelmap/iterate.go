package kernelmap

import (
	"bytes"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file iterates over entries.
//
// Hash maps are read in batches where the kernel can (Linux 5.6): whole buckets at a
// time, so that an entry is seen at most once, and once if it stays. Otherwise one
// key leads to the next. If a key has been deleted when its successor is asked for, the
// kernel begins again; the keys that have been passed are then remembered, so that
// none is passed twice.

// batchBytes is how much one batch holds, more if a bucket has more.
const batchBytes = 64 << 10

// Iterate implements bind.Backend.
func (k *kernelMap) Iterate(yield func(key, value []byte) bool) error {
	switch k.spec.Kind {
	case bind.Queue, bind.Stack, bind.BloomFilter, bind.RingBuf, bind.UserRingBuf,
		bind.TaskStorage, bind.SockStorage, bind.InodeStorage, bind.CgroupStorage:
		return unix.EOPNOTSUPP
	case bind.Array, bind.PerCPUArray, bind.ProgArray, bind.CgroupArray, bind.ArrayOfMaps, bind.DevMap, bind.CPUMap,
		bind.XSKMap, bind.SockMap, bind.ReuseportSockArray:
		return k.iterateIndices(yield)
	case bind.Hash, bind.LRUHash, bind.PerCPUHash, bind.LRUPerCPUHash, bind.HashOfMaps:
		done, err := k.iterateBatches(yield)
		if done {
			return err
		}
	}
	return k.iterateKeys(yield)
}

// iterateIndices goes through an array. Entries that are empty are left out.
func (k *kernelMap) iterateIndices(yield func(key, value []byte) bool) error {
	key, value := newBytes(4), newBytes(k.spec.ValueBytes())
	for i := range k.spec.MaxEntries {
		*(*uint32)(unsafe.Pointer(&key[0])) = i
		switch err := k.Lookup(key, value); {
		case errors.Is(err, unix.ENOENT):
			continue
		case err == unix.EOPNOTSUPP:
			clear(value) // values that cannot be read
		case err != nil:
			return err
		}
		if !yield(key, value) {
			return nil
		}
	}
	return nil
}

// iterateBatches goes through a hash map in batches. It is not done if the
// kernel cannot, in which case nothing has been passed.
func (k *kernelMap) iterateBatches(yield func(key, value []byte) bool) (done bool, err error) {
	keySize, valueSize := int(k.spec.KeySize), k.spec.ValueBytes()
	n := min(max(batchBytes/(keySize+valueSize), 16), int(k.spec.MaxEntries)+1)
	keys, values := newBytes(n*keySize), newBytes(n*valueSize)
	var position uint64 // of the next bucket; for a hash 4 bytes
	for first := true; ; {
		attr := batchAttr{out: unsafe.Pointer(&position), keys: unsafe.Pointer(&keys[0]), values: unsafe.Pointer(&values[0]), count: uint32(n)}
		if !first {
			attr.in = unsafe.Pointer(&position)
		}
		err := k.batch(&attr)
		last := err == unix.ENOENT
		switch {
		case err == unix.ENOSPC: // a bucket has more entries than fit
			n *= 2
			keys, values = newBytes(n*keySize), newBytes(n*valueSize)
			continue
		case err == errClosed:
			return true, err
		case err != nil && !last:
			return !first, err
		}
		first = false
		for i := range int(attr.count) {
			if !yield(keys[i*keySize:(i+1)*keySize:(i+1)*keySize], values[i*valueSize:(i+1)*valueSize:(i+1)*valueSize]) {
				return true, nil
			}
		}
		if last {
			return true, nil
		}
	}
}

func (k *kernelMap) batch(attr *batchAttr) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.fd < 0 {
		return errClosed
	}
	attr.fd = uint32(k.fd)
	return bpf(cmdLookupBatch, unsafe.Pointer(attr), unsafe.Sizeof(*attr))
}

// iterateKeys goes from key to key.
func (k *kernelMap) iterateKeys(yield func(key, value []byte) bool) error {
	var key []byte
	next, value := newBytes(int(k.spec.KeySize)), newBytes(k.spec.ValueBytes())
	seen := make(map[string]bool)
	for {
		switch err := k.elem(cmdNextKey, key, next, 0); {
		case err == unix.ENOENT:
			return nil
		case err != nil:
			return err
		}
		key = bytes.Clone(next)
		if seen[string(key)] {
			// The kernel has begun again; or it is in a circle, which ends
			// when no key is new.
			if !k.hasUnseen(seen) {
				return nil
			}
			continue
		}
		seen[string(key)] = true
		switch err := k.Lookup(key, value); {
		case err == unix.ENOENT:
			continue // gone meanwhile
		case err == unix.EOPNOTSUPP:
			clear(value)
		case err != nil:
			return err
		}
		if !yield(key, value) {
			return nil
		}
	}
}

// hasUnseen reports whether the map has a key that is not in seen.
func (k *kernelMap) hasUnseen(seen map[string]bool) bool {
	var key []byte
	next := newBytes(int(k.spec.KeySize))
	for range k.spec.MaxEntries {
		if k.elem(cmdNextKey, key, next, 0) != nil {
			return false
		}
		if !seen[string(next)] {
			return true
		}
		key = bytes.Clone(next)
	}
	return false
}

// newBytes returns memory for n bytes that is aligned for every type.
func newBytes(n int) []byte {
	words := make([]uint64, (n+7)/8+1)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
}
