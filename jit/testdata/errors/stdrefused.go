package p

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/undergo-ebpf/undergo/ebpf"
)

//ebpf:section xdp
func waits(ctx *ebpf.XDP) ebpf.XDPAction {
	var m sync.Mutex // want "sync.Mutex cannot be used.*; kernel-side functions cannot block; use sync/atomic"
	m.Lock()
	time.Sleep(time.Second) // want "time.Sleep cannot be used.*: it is not among the parts of package .time. that can be compiled; kernel-side functions cannot block"
	var v atomic.Value      // want "atomic.Value cannot be used"
	v.Store(1)
	return ebpf.XDPAction(binary.Size(uint32(1))) // want "binary.Size cannot be used in a kernel-side function: it is not among the parts of package .encoding/binary. that can be compiled"
}
