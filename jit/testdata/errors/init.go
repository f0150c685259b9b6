package main

import (
	"os"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var table [4]uint64

var seen int

var other int

func init() { // want "init is run when compiling: it may assign to variable table.*U304"
	for i := range table {
		table[i] = uint64(i)
	}
	more()
	other = len(os.Args) // want "os.Args cannot be used.*U410"
}

func more() { seen++ }

//ebpf:section xdp
func prog(ctx *ebpf.XDP) int {
	return int(table[ebpf.GetSmpProcessorId()&3]) + seen
}
