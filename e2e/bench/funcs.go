package bench

import (
	"embed"

	"github.com/undergo-ebpf/undergo/ebpf"
)

//go:embed programs.go
var source embed.FS

// programs is the programs by name.
var programs = map[string]func(*ebpf.XDP) uint32{
	"empty": empty, "parse": parse, "router": router, "balance": balance, "limit": limit, "sketch": sketch, "jhash": jhash, "siphash": siphash,
	"crc32": crc32, "fnv": fnv, "dns": dns, "varint": varint, "hex": hex, "vlan": vlan, "tunnel": tunnel, "tcpstate": tcpstate, "sort": sort,
	"matrix": matrix, "divide": divide, "globals": globals, "calls": calls, "prefix": prefix,
}
