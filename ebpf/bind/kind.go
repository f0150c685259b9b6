package bind

import "strconv"

// A Kind is the type of a map. The values are those of enum bpf_map_type in
// linux/bpf.h.
type Kind uint32

const (
	Hash               Kind = 1
	Array              Kind = 2
	ProgArray          Kind = 3
	PerfEventArray     Kind = 4
	PerCPUHash         Kind = 5
	PerCPUArray        Kind = 6
	StackTrace         Kind = 7
	CgroupArray        Kind = 8
	LRUHash            Kind = 9
	LRUPerCPUHash      Kind = 10
	LPMTrie            Kind = 11
	ArrayOfMaps        Kind = 12
	HashOfMaps         Kind = 13
	DevMap             Kind = 14
	SockMap            Kind = 15
	CPUMap             Kind = 16
	XSKMap             Kind = 17
	SockHash           Kind = 18
	ReuseportSockArray Kind = 20
	Queue              Kind = 22
	Stack              Kind = 23
	SockStorage        Kind = 24
	DevMapHash         Kind = 25
	RingBuf            Kind = 27
	InodeStorage       Kind = 28
	TaskStorage        Kind = 29
	BloomFilter        Kind = 30
	UserRingBuf        Kind = 31
	CgroupStorage      Kind = 32
)

var kindNames = map[Kind]string{
	Hash: "hash", Array: "array", ProgArray: "prog_array", PerfEventArray: "perf_event_array",
	PerCPUHash: "percpu_hash", PerCPUArray: "percpu_array", StackTrace: "stack_trace",
	CgroupArray: "cgroup_array", LRUHash: "lru_hash", LRUPerCPUHash: "lru_percpu_hash",
	LPMTrie: "lpm_trie", ArrayOfMaps: "array_of_maps", HashOfMaps: "hash_of_maps",
	DevMap: "devmap", SockMap: "sockmap", CPUMap: "cpumap", XSKMap: "xskmap", SockHash: "sockhash",
	ReuseportSockArray: "reuseport_sockarray", Queue: "queue", Stack: "stack",
	SockStorage: "sk_storage", DevMapHash: "devmap_hash", RingBuf: "ringbuf",
	InodeStorage: "inode_storage", TaskStorage: "task_storage", BloomFilter: "bloom_filter",
	UserRingBuf: "user_ringbuf", CgroupStorage: "cgrp_storage",
}

// String returns the name that bpftool has for k, such as "percpu_hash".
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return "map type " + strconv.FormatUint(uint64(k), 10)
}

// ParseKind returns the kind that is called name, as [Kind.String] does.
func ParseKind(name string) (k Kind, ok bool) {
	for k, s := range kindNames {
		if s == name {
			return k, true
		}
	}
	return 0, false
}

// PerCPU reports whether each entry has a value for every CPU.
func (k Kind) PerCPU() bool {
	switch k {
	case PerCPUHash, PerCPUArray, LRUPerCPUHash:
		return true
	}
	return false
}

// Stored reports whether what is put into a map of the kind in memory has a
// meaning in the kernel.
func (k Kind) Stored() bool {
	switch k {
	case RingBuf, UserRingBuf, PerfEventArray, StackTrace, TaskStorage, InodeStorage, SockStorage, CgroupStorage:
		return false
	}
	return true
}
