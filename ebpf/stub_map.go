//go:build ignore

package ebpf

import "unsafe"

// This file is embedded and read by the in-process compiler. It has the kernel's
// side of what map_host.go has the host's side of.

//ebpf:intrinsic zeropad
func zeroPadding[T any](p *T) { panic("intrinsic") }

//ebpf:intrinsic zero
func zero[T any](p *T) { panic("intrinsic") }

//ebpf:intrinsic atomicadd
func atomicAdd[T any](p *T, delta T) { panic("intrinsic") }

//ebpf:intrinsic errno
func errnoError(result int64) error

//ebpf:intrinsic mapvalue
func mapValue(m MapRef) unsafe.Pointer

//ebpf:intrinsic newmap
func newMap[K comparable, V any](kind string, maxEntries int, opts []MapOption) unsafe.Pointer {
	panic("intrinsic")
}

//ebpf:intrinsic newmap
func newRing[T any](kind string, size int, opts []MapOption, lost *Var[uint64]) unsafe.Pointer {
	panic("intrinsic")
}

//ebpf:intrinsic newmap
func newVar[T any](initial T, opts []MapOption) unsafe.Pointer { panic("intrinsic") }

//ebpf:intrinsic newmap
func newLost() *Var[uint64]

//ebpf:intrinsic newmap
func newTrie[A comparable, V any](kind string, maxEntries int, opts []MapOption) unsafe.Pointer {
	panic("intrinsic")
}

//ebpf:intrinsic newmap
func newKeyless[V any](kind string, maxEntries int, opts []MapOption) unsafe.Pointer {
	panic("intrinsic")
}

//ebpf:intrinsic newmap
func newPerf[T any](kind string, size int, opts []MapOption) unsafe.Pointer { panic("intrinsic") }

//ebpf:intrinsic newmap
func newNested[K comparable](kind string, maxEntries int, inner MapRef, opts []MapOption) unsafe.Pointer {
	panic("intrinsic")
}

//ebpf:intrinsic newmap
func newReferences[K comparable](kind string, maxEntries int, valueSize uint32, opts []MapOption) unsafe.Pointer {
	panic("intrinsic")
}

//ebpf:intrinsic newmap
func newStorage[V any](kind string, opts []MapOption) unsafe.Pointer { panic("intrinsic") }

//ebpf:intrinsic innermap
func innerMap[M Map](p unsafe.Pointer) M { panic("intrinsic") }

// From the kernel's errno-base.h and time.h.
const (
	enoent         = 2
	ebusy          = 16
	clockMonotonic = 1
)

func mapLookup[K, V any](m MapRef, k *K) *V {
	zeroPadding(k)
	return (*V)(MapLookupElem(m, unsafe.Pointer(k)))
}

func mapLookupCPU[K, V any](m MapRef, k *K, cpu uint32) *V {
	zeroPadding(k)
	return (*V)(MapLookupPercpuElem(m, unsafe.Pointer(k), cpu))
}

func mapGet[K, V any](m MapRef, k *K) (v V, ok bool) {
	if p := mapLookup[K, V](m, k); p != nil {
		return *p, true
	}
	return v, false
}

func mapUpdate[K, V any](m MapRef, k *K, v *V, flags uint64) error {
	zeroPadding(k)
	zeroPadding(v)
	return errnoError(MapUpdateElem(m, unsafe.Pointer(k), unsafe.Pointer(v), flags))
}

func mapDelete[K any](m MapRef, k *K) error {
	zeroPadding(k)
	return errnoError(MapDeleteElem(m, unsafe.Pointer(k)))
}

func mapAdd[K, V any](m MapRef, k *K, delta V) error {
	p := mapLookup[K, V](m, k)
	if p == nil {
		var v V
		r := MapUpdateElem(m, unsafe.Pointer(k), unsafe.Pointer(&v), UpdateNoExist)
		p = (*V)(MapLookupElem(m, unsafe.Pointer(k)))
		if p == nil {
			if r == 0 {
				r = -enoent
			}
			return errnoError(r)
		}
	}
	atomicAdd(p, delta)
	return nil
}

func mapLookupOrInit[K, V any](m MapRef, k *K, v *V) *V {
	p := mapLookup[K, V](m, k)
	if p == nil {
		zeroPadding(v)
		MapUpdateElem(m, unsafe.Pointer(k), unsafe.Pointer(v), UpdateNoExist)
		p = (*V)(MapLookupElem(m, unsafe.Pointer(k)))
	}
	return p
}

func mapEach[K, V any](m MapRef, yield func(k *K, v *V) bool) {
	ForEachMapElem(m, func(_ MapRef, key, value, _ unsafe.Pointer) int64 {
		if yield((*K)(key), (*V)(value)) {
			return 0
		}
		return 1
	}, nil, 0)
}

func ringReserve[T any](m MapRef) *T {
	p := (*T)(RingbufReserve(m, uint64(sizeOf[T]()), 0))
	if p != nil {
		zero(p)
	}
	return p
}

func ringCommit[T any](_ MapRef, rec *T, discard bool, flags uint64) {
	if discard {
		RingbufDiscard(unsafe.Pointer(rec), flags)
	} else {
		RingbufSubmit(unsafe.Pointer(rec), flags)
	}
}

func ringDrain[T any](m MapRef, f func(rec *T) bool) (n int, err error) {
	r := UserRingbufDrain(m, func(dynptr, _ unsafe.Pointer) int64 {
		rec := (*T)(DynptrData(dynptr, 0, uint64(sizeOf[T]())))
		if rec == nil || f(rec) {
			return 0
		}
		return 1
	}, nil, 0)
	if r < 0 {
		return 0, errnoError(r)
	}
	return int(r), nil
}

func nestedLookup[K comparable, M Map](m MapRef, k *K) M {
	zeroPadding(k)
	return innerMap[M](MapLookupElem(m, unsafe.Pointer(k)))
}

func timerAfter[K, V any](m MapRef, t *Timer, ns uint64, f func(k *K, v *V)) error {
	if r := TimerInit(unsafe.Pointer(t), m, clockMonotonic); r != 0 && r != -ebusy {
		return errnoError(r)
	}
	r := TimerSetCallback(unsafe.Pointer(t), func(_ MapRef, key, value unsafe.Pointer) int32 {
		f((*K)(key), (*V)(value))
		return 0
	})
	if r != 0 {
		return errnoError(r)
	}
	return errnoError(TimerStart(unsafe.Pointer(t), ns, 0))
}

func atomicLoad[T any](p *T) T { return *p }

func atomicStore[T any](p *T, x T) { *p = x }
