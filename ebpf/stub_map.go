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

const (
	enoent = 2
)

func mapLookup[K, V any](m MapRef, k *K) *V {
	zeroPadding(k)
	return (*V)(MapLookupElem(m, unsafe.Pointer(k)))
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
	var v T
	p := (*T)(RingbufReserve(m, uint64(unsafe.Sizeof(v)), 0))
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

func ringOutput(m MapRef, p unsafe.Pointer, size, flags uint64) error {
	return errnoError(RingbufOutput(m, p, size, flags))
}

func ringQuery(m MapRef, what uint64) uint64 { return RingbufQuery(m, what) }

func atomicLoad[T any](p *T) T { return *p }

func atomicStore[T any](p *T, x T) { *p = x }
