package kernelmap

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A producer is the backend of a user ring buffer, which this process puts records
// into. The layout is that of kernel/bpf/ringbuf.c: a page with the position of the
// consumer, one with that of the producer, and the data, mapped twice in a row.
type producer struct {
	*kernelMap
	consumer, producer *atomic.Uint64
	pages, data        []byte
	mask               uint64
	ring               sync.Mutex
}

// Flags in the header of a record, linux/bpf.h.
const (
	busyBit      = 1 << 31
	discardBit   = 1 << 30
	recordHeader = 8
)

func newProducer(k *kernelMap) (*producer, error) {
	page := os.Getpagesize()
	size := int(k.spec.MaxEntries)
	consumer, err := unix.Mmap(k.fd, 0, page, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map user ring buffer: %w", err)
	}
	pages, err := unix.Mmap(k.fd, int64(page), page+2*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		_ = unix.Munmap(consumer)
		return nil, fmt.Errorf("map user ring buffer: %w", err)
	}
	return &producer{
		kernelMap: k, pages: pages, data: pages[page:], mask: uint64(size - 1),
		consumer: (*atomic.Uint64)(unsafe.Pointer(&consumer[0])),
		producer: (*atomic.Uint64)(unsafe.Pointer(&pages[0])),
	}, nil
}

// Reserve implements bind.Producer.
func (p *producer) Reserve(size int) (unsafe.Pointer, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.fd < 0 {
		return nil, errClosed
	}
	p.ring.Lock()
	defer p.ring.Unlock()
	total := uint64(recordHeader+size+7) &^ 7
	at := p.producer.Load()
	if total > p.mask+1-(at-p.consumer.Load()) {
		return nil, unix.ENOSPC
	}
	rec := p.data[at&p.mask:][:total]
	clear(rec[recordHeader:])
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&rec[0])), uint32(size)|busyBit)
	p.producer.Store(at + total)
	return unsafe.Pointer(&rec[recordHeader]), nil
}

// Commit implements bind.Producer.
func (p *producer) Commit(rec unsafe.Pointer, discard bool, _ uint64) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.fd < 0 {
		return errClosed
	}
	header := (*uint32)(unsafe.Add(rec, -recordHeader))
	n := atomic.LoadUint32(header)
	if n&busyBit == 0 {
		return unix.EINVAL
	}
	n &^= busyBit
	if discard {
		n |= discardBit
	}
	atomic.StoreUint32(header, n)
	return nil
}

// Close implements bind.Backend.
func (p *producer) Close() error {
	p.mu.Lock()
	if p.fd >= 0 {
		page := unsafe.Slice((*byte)(unsafe.Pointer(p.consumer)), os.Getpagesize())
		_ = unix.Munmap(page)
		_ = unix.Munmap(p.pages)
	}
	p.mu.Unlock()
	return p.kernelMap.Close()
}
