package mem

import (
	"slices"
	"sync"
	"syscall"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// A queue is a queue or a stack: kernel/bpf/queue_stack_maps.c.
type queue struct {
	common
	lifo bool
	mu   sync.Mutex
	// values in the order in which they were pushed
	values [][]byte
}

func newQueue(spec *bind.Spec) *queue {
	return &queue{common: common{spec}, lifo: spec.Kind == bind.Stack}
}

// Update pushes. With BPF_EXIST it makes room by dropping the oldest value.
func (q *queue) Update(_, value []byte, flags uint64) error {
	if flags != flagAny && flags != flagExist {
		return syscall.EINVAL
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.values) >= int(q.spec.MaxEntries) {
		if flags != flagExist {
			return syscall.E2BIG
		}
		q.values = slices.Delete(q.values, 0, 1)
	}
	q.values = append(q.values, slices.Clone(value))
	return nil
}

// next returns the index of the value that comes out next, or -1.
func (q *queue) next() int {
	if q.lifo || len(q.values) == 0 {
		return len(q.values) - 1
	}
	return 0
}

// Lookup peeks. If there is nothing it zeroes value, as the kernel does.
func (q *queue) Lookup(_, value []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.peek(value)
}

func (q *queue) peek(value []byte) error {
	i := q.next()
	if i < 0 {
		clear(value)
		return syscall.ENOENT
	}
	copy(value, q.values[i])
	return nil
}

// LookupAndDelete pops.
func (q *queue) LookupAndDelete(_, value []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.peek(value); err != nil {
		return err
	}
	i := q.next()
	q.values = slices.Delete(q.values, i, i+1)
	return nil
}

// Iterate passes the values in the order in which they were pushed. The kernel has
// no such operation; it is for moving the values there.
func (q *queue) Iterate(yield func(key, value []byte) bool) error {
	q.mu.Lock()
	values := slices.Clone(q.values)
	q.mu.Unlock()
	for _, v := range values {
		if !yield(nil, v) {
			break
		}
	}
	return nil
}
