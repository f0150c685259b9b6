package main

import (
	"os"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var table [4]uint64

var seen int

var other int

func init() {
	for i := range table {
		table[i] = uint64(i) // want "assignment to package-level variable table before the program starts: functions named init do not run"
	}
	more()
	other = len(os.Args)
}

func more() { seen++ } // want "assignment to package-level variable seen"

//ebpf:section xdp
func prog(ctx *ebpf.XDP) int {
	return int(table[ebpf.GetSmpProcessorId()&3]) + seen
}
