// Package a has kernel-side functions with mistakes.
package a // want `hostside.go:[0-9]+:[0-9]+: os.Getpid cannot be used.*\[U410\]`

import (
	"fmt"
	"os"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/jit/vet/testdata/hostside"
)

var counts = ebpf.NewHash[uint32, uint64](16)

//ebpf:section xdp
func directive(ctx *ebpf.XDP) int {
	fmt.Println("packet") // want `fmt.Println cannot be used in a kernel-side function: package "fmt" is not among those that can be compiled; use ebpf.Printk, or hand the values to the host \[U410\]`
	go work(1)            // want `go statement; a BPF program has no goroutines; pass data to the host through a map \[U301\]`
	return counts.Len()   // want `method Len of ebpf.Hash is for the host only.*\[U411\]`
}

func Sched_SchedSwitch(ctx ebpf.Context) int {
	return int(1.5 * float64(work(2))) // want `floating point type float64; .*\[U303\]`
}

//ebpf:section tracepiont/sched/sched_switch // want `section "tracepiont/sched/sched_switch": no such section; .*\[U603\]`
func misspelt(ctx ebpf.Context) int { return 0 }

func option(ctx ebpf.Context) int {
	ch := make(chan int) // want `channel; .*\[U301\]`
	return len(ch)
}

func nothingSaysWhat(ctx ebpf.Context) int { return 0 } // want `nothing says what type of program nothingSaysWhat is; .*\[U602\]`

func optionsElsewhere(ctx ebpf.Context) int {
	go work(1)
	return 0
}

//ebpf:section xdp
func elsewhere(ctx *ebpf.XDP) int { return hostside.PID() }

func work(n int) int { return n }

// Host is no program.
func Host(opts ...jit.Option) error {
	fmt.Println(os.Getpid())
	if _, err := jit.Compile(option, jit.As("xdp"), jit.OnPanic(2)); err != nil {
		return err
	}
	if _, err := jit.Compile(nothingSaysWhat); err != nil {
		return err
	}
	if _, err := jit.Compile(func(ctx *ebpf.XDP) int {
		go work(2) // want `go statement; a BPF program has no goroutines; .*\[U301\]`
		return 0
	}, jit.As("xdp")); err != nil {
		return err
	}
	type local struct{ n int }
	if _, err := jit.Compile(func(ctx *ebpf.XDP) int {
		return int(float64(local{1}.n)) // want `floating point type float64; .*\[U303\]`
	}); err != nil {
		return err
	}
	n := os.Getpid()
	if _, err := jit.Compile(func(ctx *ebpf.XDP) int {
		go work(n) // not known before the host runs
		return 0
	}); err != nil {
		return err
	}
	_, err := jit.Compile(optionsElsewhere, opts...)
	return err
}
