// Package atomic declares what the tests use of sync/atomic, as its source does.
package atomic

func SwapUint64(addr *uint64, new uint64) (old uint64)
func CompareAndSwapInt32(addr *int32, old, new int32) (swapped bool)
func AddInt32(addr *int32, delta int32) (new int32)
func AddUint64(addr *uint64, delta uint64) (new uint64)
func AndInt32(addr *int32, mask int32) (old int32)
func OrUint64(addr *uint64, mask uint64) (old uint64)
func LoadUint64(addr *uint64) (val uint64)
func LoadInt32(addr *int32) (val int32)
func StoreInt32(addr *int32, val int32)

type Uint64 struct{ v uint64 }

func (x *Uint64) Load() uint64                 { return LoadUint64(&x.v) }
func (x *Uint64) Add(delta uint64) uint64      { return AddUint64(&x.v, delta) }
func (x *Uint64) Swap(new uint64) (old uint64) { return SwapUint64(&x.v, new) }
func (x *Uint64) Or(mask uint64) (old uint64)  { return OrUint64(&x.v, mask) }
