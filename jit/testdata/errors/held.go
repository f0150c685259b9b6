package p

import "github.com/undergo-ebpf/undergo/ebpf"

type record struct{ N uint64 }

type account struct {
	lock ebpf.SpinLock
	N    uint64
}

var (
	records  = ebpf.NewRingBuf[record](4096)
	accounts = ebpf.NewHash[uint32, account](16)
)

//ebpf:section xdp
func forgets(ctx *ebpf.XDP) int {
	r := records.Reserve()
	if r == nil {
		return 1
	}
	r.N = 5
	if ctx.RxQueueIndex == 3 { // want "return here, but the record reserved at .*held.go:19:.* is neither submitted nor discarded, by way of .*held.go:19:.*; call Submit or Discard on every path.*U414"
		return 2
	}
	records.Submit(r)
	return 0
}

//ebpf:section tc
func keeps(ebpf.Context) int {
	a := accounts.Lookup(1)
	if a == nil {
		return 0
	}
	a.lock.Lock()
	a.N++
	return 0 // want "return here, but the lock taken at .*held.go:37:.* is not given back.*; call Unlock on every path.*U414"
}
