package p

import (
	"bytes"
	"sort"
	"strings"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var b [16]byte

//ebpf:section xdp
func sorts(ctx *ebpf.XDP) ebpf.XDPAction {
	sort.Slice(b[:], func(i, j int) bool { return b[i] < b[j] }) // want "std.go:15:12: call of sort.Slice, which cannot be compiled for the kernel: it needs package .internal/reflectlite.; call slices.SortFunc \[U403\]"
	return ebpf.XDPAction(len(bytes.ToUpper(b[:])))              // want "call of bytes.ToUpper: " "call of bytes.ToUpper: "
}

//ebpf:section xdp
func repeats(ctx *ebpf.XDP) ebpf.XDPAction {
	return ebpf.XDPAction(len(strings.Repeat("a", int(b[0])))) // want "call of strings.Repeat, which cannot be compiled for the kernel: it needs strings.Builder; do it on the host"
}
