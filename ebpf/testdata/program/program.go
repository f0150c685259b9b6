// Package program is kernel-side code that uses every kind of map. It is checked
// against the source that the in-process compiler reads, and run natively.
package program

import "github.com/undergo-ebpf/undergo/ebpf"

type key struct {
	pid uint32
	tag uint8
}

type value struct {
	lock  ebpf.SpinLock
	n     uint64
	timer ebpf.Timer
}

type event struct {
	pid uint32
	ns  uint64
}

var (
	hash      = ebpf.NewHash[key, uint64](16)
	lru       = ebpf.NewLRUHash[uint32, value](16, ebpf.MapName("lru"), ebpf.MapFlags(ebpf.FlagNoCommonLru))
	perCPU    = ebpf.NewPerCPUHash[uint32, uint64](16)
	lruPerCPU = ebpf.NewLRUPerCPUHash[uint32, uint64](16)
	array     = ebpf.NewArray[event](4, ebpf.MapNUMANode(0))
	slots     = ebpf.NewPerCPUArray[uint64](4)
	limit     = ebpf.NewVar[uint32](3)
	routes    = ebpf.NewLPMTrie[[4]byte, uint32](8)
	queue     = ebpf.NewQueue[event](4)
	stack     = ebpf.NewStack[event](4)
	seen      = ebpf.NewBloom[uint64](100, ebpf.BloomHashes(3))
	events    = ebpf.NewRingBuf[event](4096)
	perf      = ebpf.NewPerfEvents[event](4096)
	commands  = ebpf.NewUserRingBuf[event](4096)
	programs  = ebpf.NewProgArray[*ebpf.XDP](4)
	tenants   = ebpf.NewHashOfMaps[uint32](4, ebpf.NewHash[uint32, uint64](4))
	rows      = ebpf.NewArrayOfMaps(4, ebpf.NewArray[uint64](4))
	stacks    = ebpf.NewStackTrace(64)
	cgroups   = ebpf.NewCgroupArray(4)
	tasks     = ebpf.NewTaskStorage[event]()
	ports     = ebpf.NewDevMap(4)
	portsByID = ebpf.NewDevMapHash(4)
	cpus      = ebpf.NewCPUMap(4)
	sockets   = ebpf.NewXSKMap(4)
	peers     = ebpf.NewSockMap(4)
	peersByID = ebpf.NewSockHash[key](4)
	listeners = ebpf.NewReuseportSockArray(4)
)

// Hashes uses hash maps and arrays, and returns what it has counted.
func Hashes(ctx ebpf.Context) int {
	k := key{pid: 1, tag: 2}
	hash.Add(k, 1)
	if p := hash.Lookup(k); p != nil {
		*p += 2
	}
	if err := hash.SetIfAbsent(k, 9); err == nil {
		return -1
	}
	if hash.SetIfPresent(key{pid: 7}, 9) == nil {
		return -2
	}
	n, ok := hash.Get(k)
	if !ok {
		return -3
	}
	for k, v := range hash.All() {
		n += uint64(k.pid) * v
	}
	for k := range hash.Keys() {
		n += uint64(k.tag)
	}
	for v := range hash.Values() {
		n += v
	}
	if v := lru.LookupOrInit(5, value{n: 4}); v != nil {
		v.lock.Lock()
		v.n++
		n += v.n
		v.lock.Unlock()
		lru.After(&v.timer, 1<<40, func(k *uint32, v *value) { v.n = uint64(*k) })
		v.timer.Stop()
	}
	perCPU.Set(1, 10)
	perCPU.Add(1, 1)
	if v := perCPU.Lookup(1); v != nil {
		n += *v
	}
	lruPerCPU.Add(1, 3)
	lruPerCPU.Delete(1)
	array.Set(2, event{ns: 100})
	for i, v := range array.All() {
		n += uint64(i) * v.ns
	}
	slots.Add(uint32(n&3), 1)
	limit.Add(1)
	limit.Store(limit.Load() + 1)
	hash.Delete(k)
	return int(n) + int(limit.Load())
}

// Streams uses what carries records.
func Streams(ctx ebpf.Context) int {
	if ev := events.Reserve(); ev != nil {
		ev.pid = 1
		events.Submit(ev)
	}
	if ev := events.Reserve(); ev != nil {
		events.Discard(ev)
	}
	b := [16]byte{1}
	events.OutputBytes(b[:8])
	if events.Output(event{pid: 2}) != nil {
		return -1
	}
	var flags uint64 = ebpf.RingbufNoWakeup
	if events.Unread() > 1024 {
		flags = ebpf.RingbufForceWakeup
	}
	events.OutputFlags(event{pid: 3}, flags)
	perf.Output(ctx, event{pid: 4})
	perf.OutputBytes(ctx, b[:])
	queue.Push(event{pid: 5})
	queue.PushOver(event{pid: 6})
	stack.Push(event{pid: 7})
	sum := 0
	if ev, ok := queue.Pop(); ok {
		sum += int(ev.pid)
	}
	if ev, ok := stack.Peek(); ok {
		sum += int(ev.pid)
	}
	n, err := commands.Drain(func(rec *event) bool {
		sum += int(rec.pid)
		return true
	})
	if err != nil {
		return -2
	}
	return sum + 100*n
}

// Lookups uses the rest that is of use natively.
func Lookups(ctx ebpf.Context) int {
	n := 0
	seen.Add(1)
	if seen.Contains(1) {
		n++
	}
	routes.Set(ebpf.Prefix[[4]byte]{Bits: 8, Addr: [4]byte{10}}, 10)
	if v, ok := routes.Get([4]byte{10, 1}); ok {
		n += int(v)
	}
	if m := tenants.Lookup(1); m != nil {
		m.Add(1, 1)
	}
	if m := rows.Lookup(1); m != nil {
		if v := m.Lookup(2); v != nil {
			n += int(*v)
		}
	}
	if _, err := stacks.ID(ctx, ebpf.FlagUserStack); err == nil {
		n += 100
	}
	return n
}

// Packet uses what XDP programs use.
func Packet(ctx *ebpf.XDP) ebpf.XDPAction {
	programs.TailCall(ctx, 1)
	if a := ports.Redirect(1, uint64(ebpf.XDPPass)); a == ebpf.XDPRedirect {
		return a
	}
	if a := portsByID.Redirect(1, uint64(ebpf.XDPPass)); a == ebpf.XDPRedirect {
		return a
	}
	if a := cpus.Redirect(1, uint64(ebpf.XDPPass)); a == ebpf.XDPRedirect {
		return a
	}
	return sockets.Redirect(1, uint64(ebpf.XDPDrop))
}

// Sockets uses what is of no use natively.
func Sockets(ctx ebpf.Context) int {
	peers.Update(ctx, 1, ebpf.UpdateAny)
	peersByID.Update(ctx, key{pid: 1}, ebpf.UpdateAny)
	if listeners.Select(ctx, 1) != nil || cgroups.ContainsCurrent(1) || cgroups.ContainsSKB(ctx, 1) {
		return peers.RedirectSKB(ctx, 1, ebpf.FlagIngress) + peersByID.RedirectSKB(ctx, key{}, 0)
	}
	if s := tasks.GetOrCreate(ebpf.CurrentTask()); s != nil {
		s.ns++
	}
	return peers.RedirectMsg(ctx, 1, 0) + peersByID.RedirectMsg(ctx, key{}, 0)
}
