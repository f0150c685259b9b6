package stdlib

import (
	"runtime"
	"unsafe"
)

func unsafeSlices(b [16]byte, x uint64) (uint64, int, byte, uint32) {
	s := unsafe.Slice(&b[2], 9)
	p := unsafe.Pointer(&b)
	*(*uint64)(unsafe.Add(p, 8)) = x
	str := unsafe.String(unsafe.SliceData(s), 3)
	return *(*uint64)(p), len(s), *unsafe.StringData(str[1:]), *(*uint32)(unsafe.Add(p, 4))
}

func keepAlive(x uint64) uint64 {
	y := x + 1
	runtime.KeepAlive(x)
	runtime.KeepAlive(&y)
	return y
}

type measured struct {
	a uint8
	b [3]uint16
	c uint8
}

func sizesOf[T, U any](p *T, u U) (uintptr, uintptr, uintptr) {
	var zero T
	return unsafe.Sizeof(*p) + unsafe.Sizeof(zero)*100, unsafe.Alignof(*p), unsafe.Sizeof(u) + 16*unsafe.Alignof(u)
}

// measures asks for sizes of values that there are not, which does not panic.
func measures(x uint64) (uintptr, uintptr, uintptr, uint64) {
	a, b, c := sizesOf[measured](nil, x)
	d, e, f := sizesOf(&x, measured{a: uint8(x), b: [3]uint16{uint16(x)}, c: 2})
	return a*1000 + d, b*1000 + e, c*1000 + f, x
}
