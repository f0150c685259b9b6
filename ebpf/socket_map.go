package ebpf

import "unsafe"

// A SockMap is an array of sockets, between which programs redirect data:
// BPF_MAP_TYPE_SOCKMAP, Linux 4.14.
//
//ebpf:map sockmap key=4 value=8
type SockMap struct{ socketsByKey[uint32] }

// NewSockMap returns an array for length sockets, empty at first.
//
//ebpf:intrinsic newmap
//go:noinline
func NewSockMap(length int, opts ...MapOption) *SockMap {
	m := new(SockMap)
	m.p = newReferences[uint32]("sockmap", length, 8, opts)
	return m
}

// RedirectSKB sends the data of an [SKB] to socket i when the program, of section
// sk_skb/stream_verdict or sk_skb/verdict, returns what RedirectSKB returned: [SKPass], or
// [SKDrop] if there is none. With the flag [FlagIngress] socket i receives the data; with 0
// it sends it to its other end.
func (m *SockMap) RedirectSKB(skb Contexter, i uint32, flags uint64) int {
	return int(SkRedirectMap(skb.Context(), m.ref(), i, flags))
}

// RedirectMsg sends the data of an [SKMsg] to socket i, as RedirectSKB does with that of an SKB.
// Linux 4.17.
func (m *SockMap) RedirectMsg(msg Contexter, i uint32, flags uint64) int {
	return int(MsgRedirectMap(msg.Context(), m.ref(), i, flags))
}

// Update sets entry i to the socket of a program of [SockOps], which must be a connection:
// of the operations [SockOpsActiveEstablishedCB] and [SockOpsPassiveEstablishedCB]. Flags are
// [UpdateAny], [UpdateNoExist] or [UpdateExist]. The error is syscall.EEXIST or ENOENT as these
// say, E2BIG if there is no entry i, EBUSY of a socket that is in such a map already and has programs
// by it, and EOPNOTSUPP of one that cannot be in such a map.
func (m *SockMap) Update(ops Contexter, i uint32, flags uint64) error {
	return errnoError(SockMapUpdate(ops.Context(), m.ref(), unsafe.Pointer(&i), flags))
}

// A SockHash is a hash map of sockets, between which programs redirect data:
// BPF_MAP_TYPE_SOCKHASH, Linux 4.18.
//
//ebpf:map sockhash key=K value=8
type SockHash[K comparable] struct{ socketsByKey[K] }

// NewSockHash returns a hash map with room for maxEntries sockets.
//
//ebpf:intrinsic newmap
//go:noinline
func NewSockHash[K comparable](maxEntries int, opts ...MapOption) *SockHash[K] {
	m := new(SockHash[K])
	m.p = newReferences[K]("sockhash", maxEntries, 8, opts)
	return m
}

// RedirectSKB sends the data of an [SKB] to the socket with key k, as [SockMap.RedirectSKB] does.
func (m *SockHash[K]) RedirectSKB(skb Contexter, k K, flags uint64) int {
	zeroPadding(&k)
	return int(SkRedirectHash(skb.Context(), m.ref(), unsafe.Pointer(&k), flags))
}

// RedirectMsg sends the data of an [SKMsg] to the socket with key k, as [SockMap.RedirectMsg] does.
func (m *SockHash[K]) RedirectMsg(msg Contexter, k K, flags uint64) int {
	zeroPadding(&k)
	return int(MsgRedirectHash(msg.Context(), m.ref(), unsafe.Pointer(&k), flags))
}

// Update sets the entry with key k to the socket of a program of [SockOps], as [SockMap.Update] does.
// The error is E2BIG if the map is full.
func (m *SockHash[K]) Update(ops Contexter, k K, flags uint64) error {
	zeroPadding(&k)
	return errnoError(SockHashUpdate(ops.Context(), m.ref(), unsafe.Pointer(&k), flags))
}

// socketsByKey is the methods of sockmaps.
type socketsByKey[K comparable] struct{ handle }

// A ReuseportSockArray is an array of sockets that share a port, among which a
// program chooses: BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, Linux 4.19.
//
//ebpf:map reuseport_sockarray key=4 value=8
type ReuseportSockArray struct{ socketsByKey[uint32] }

// NewReuseportSockArray returns an array for length sockets, empty at first.
//
//ebpf:intrinsic newmap
//go:noinline
func NewReuseportSockArray(length int, opts ...MapOption) *ReuseportSockArray {
	m := new(ReuseportSockArray)
	m.p = newReferences[uint32]("reuseport_sockarray", length, 8, opts)
	return m
}

// Select gives the packet of an SK_REUSEPORT program to socket i. The error is
// syscall.ENOENT if there is none, and EBADFD if it has no part in the port.
func (m *ReuseportSockArray) Select(ctx Context, i uint32) error {
	return errnoError(SkSelectReuseport(ctx, m.ref(), unsafe.Pointer(&i), 0))
}
