package p

import (
	"bytes"
	"slices"
	"strings"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var b [16]byte

//ebpf:section xdp
func sorts(ctx *ebpf.XDP) ebpf.XDPAction {
	slices.SortFunc(b[:], func(x, y byte) int { return int(x) - int(y) }) // want "std.go:15:17: call of slices.SortFunc: recursive call: pdqsortCmpFunc.* \(zsortanyfunc.go:[0-9]+\); do it on the host.*U402" "U402"
	return ebpf.XDPAction(len(bytes.ToUpper(b[:])))                       // want "call of bytes.ToUpper: " "call of bytes.ToUpper: "
}

//ebpf:section xdp
func repeats(ctx *ebpf.XDP) ebpf.XDPAction {
	return ebpf.XDPAction(len(strings.Repeat("a", int(b[0])))) // want "call of strings.Repeat, which cannot be compiled for the kernel: it needs strings.Builder; do it on the host"
}
