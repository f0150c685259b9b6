package stdlib

import "sync/atomic"

func atomicFuncs32(x, y uint32, z int32) (r [8]uint32) {
	n, i := x, z
	r[0] = atomic.AddUint32(&n, y)
	r[1] = atomic.LoadUint32(&n)
	r[2] = atomic.SwapUint32(&n, y)
	if atomic.CompareAndSwapUint32(&n, x, 7) {
		r[3] = 1
	}
	atomic.StoreUint32(&n, atomic.LoadUint32(&n)+3)
	r[4] = n
	r[5] = uint32(atomic.AddInt32(&i, -1))
	r[6] = uint32(atomic.SwapInt32(&i, z))
	r[7] = uint32(i)
	return r
}

func atomicFuncs64(x, y uint64, z int64) (r [8]uint64) {
	n, i := x, z
	r[0] = atomic.AddUint64(&n, y)
	r[1] = atomic.LoadUint64(&n)
	r[2] = atomic.SwapUint64(&n, y)
	if atomic.CompareAndSwapUint64(&n, x, 7) {
		r[3] = 1
	}
	atomic.StoreUint64(&n, atomic.LoadUint64(&n)+3)
	r[4] = n
	r[5] = uint64(atomic.AddInt64(&i, -1))
	r[6] = uint64(atomic.SwapInt64(&i, z))
	r[7] = uint64(i)
	return r
}

func atomicTypes(x uint64) (r [6]uint64) {
	var u32 atomic.Uint32
	var i32 atomic.Int32
	var u64 atomic.Uint64
	var i64 atomic.Int64
	var p atomic.Uintptr
	u32.Store(uint32(x))
	r[0] = uint64(u32.Add(1))
	r[1] = uint64(i32.Swap(int32(x)) + i32.Load())
	r[2] = u64.Add(x) + u64.Load()
	i64.CompareAndSwap(0, int64(x))
	r[3] = uint64(i64.Load())
	p.Add(uintptr(x))
	r[4] = uint64(p.Load())
	return r
}

func atomicBits(x, y uint64) (a, b, c, d uint64) {
	var u64 atomic.Uint64
	u64.Store(x)
	a, b = u64.And(y), u64.Or(x>>3)
	u32 := uint32(x)
	c = uint64(atomic.AndUint32(&u32, uint32(y)))
	return a, b, c, u64.Load() + uint64(u32)
}

func atomicBool(x bool) (a, b, c bool) {
	var v atomic.Bool
	v.Store(x)
	return v.Swap(true), v.CompareAndSwap(true, x), v.Load()
}
