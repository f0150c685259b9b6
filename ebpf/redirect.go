package ebpf

// redirector is the methods of maps that XDP programs redirect packets to.
type redirector struct{ handle }

// Redirect sends the packet to entry i when the program returns what Redirect
// returned: XDPRedirect, or, if there is no entry, the lowest two bits of flags, so
// XDPAborted for 0 and XDPPass for 2. Other flags are FlagBroadcast and
// FlagExcludeIngress, of device maps, Linux 5.14.
func (m *redirector) Redirect(i uint32, flags uint64) XDPAction {
	return XDPAction(RedirectMap(m.ref(), uint64(i), flags))
}

// A DevMap is an array of network interfaces, to redirect packets to:
// BPF_MAP_TYPE_DEVMAP, Linux 4.14.
//
//ebpf:map devmap key=4 value=8
type DevMap struct{ devices }

// NewDevMap returns an array for length interfaces, empty at first.
//
//ebpf:intrinsic newmap
//go:noinline
func NewDevMap(length int, opts ...MapOption) *DevMap {
	m := new(DevMap)
	m.p = newReferences[uint32]("devmap", length, 8, opts)
	return m
}

// A DevMapHash is a hash map of network interfaces, to redirect packets to:
// BPF_MAP_TYPE_DEVMAP_HASH, Linux 5.4.
//
//ebpf:map devmap_hash key=4 value=8
type DevMapHash struct{ devices }

// NewDevMapHash returns a hash map with room for maxEntries interfaces.
//
//ebpf:intrinsic newmap
//go:noinline
func NewDevMapHash(maxEntries int, opts ...MapOption) *DevMapHash {
	m := new(DevMapHash)
	m.p = newReferences[uint32]("devmap_hash", maxEntries, 8, opts)
	return m
}

// devices is the methods of maps of network interfaces.
type devices struct{ redirector }

// A CPUMap is an array of CPUs, to which packets are redirected for the network
// stack to go on there: BPF_MAP_TYPE_CPUMAP, Linux 4.15.
//
//ebpf:map cpumap key=4 value=8
type CPUMap struct{ redirector }

// NewCPUMap returns an array for the CPUs up to length, empty at first.
//
//ebpf:intrinsic newmap
//go:noinline
func NewCPUMap(length int, opts ...MapOption) *CPUMap {
	m := new(CPUMap)
	m.p = newReferences[uint32]("cpumap", length, 8, opts)
	return m
}

// An XSKMap is an array of AF_XDP sockets, to redirect packets to:
// BPF_MAP_TYPE_XSKMAP, Linux 4.18.
//
//ebpf:map xskmap key=4 value=4
type XSKMap struct{ redirector }

// NewXSKMap returns an array for length sockets, empty at first.
//
//ebpf:intrinsic newmap
//go:noinline
func NewXSKMap(length int, opts ...MapOption) *XSKMap {
	m := new(XSKMap)
	m.p = newReferences[uint32]("xskmap", length, 4, opts)
	return m
}
