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
