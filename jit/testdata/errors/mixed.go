package p

import (
	"fmt"
	"os"
	"time"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var started = time.Now() // want "time.Now cannot be used.*U410"

//ebpf:section tracepiont/syscalls/sys_enter_write // want "section .tracepiont/.*U603"
func misspelt(ctx ebpf.Context) int {
	go work(1) // want "go statement.*U301"
	return 0
}

func unnamed(ctx ebpf.Context) int { return 0 }

//ebpf:section xdp
func wrongResult(ctx *ebpf.XDP) string { // want "xdp programs return one integer, wrongResult returns string.*U604"
	return ""
}

//ebpf:section tracepoint/sched/sched_switch
func wrongContext(ctx *ebpf.XDP) int { // want "has the context of xdp programs, but its section makes it a tracepoint program.*U604"
	return half(3)
}

//ebpf:section tracepoint/syscalls/sys_enter_write
func statements(ctx ebpf.Context) int {
	fmt.Println("hello") // want "fmt.Println cannot be used.*U410"
	pid := os.Getpid()   // want "os.Getpid cannot be used.*U410"
	use(pid)
	ch := make(chan int) // want "channel.*U301"
	ch <- 1
	m := map[string]int{} // want "map.*U304"
	for range 3 {
		var s string = pid + missing // want "undefined: missing.*U202"
		use(len(s))
		go work(1) // want "go statement.*U301"
	}
	unused := len(m) // want "declared and not used: unused.*U202"
	return "one"     // want "cannot use .one.*U202"
}

//ebpf:section tracepoint/syscalls/sys_enter_read
func calls(ctx ebpf.Context) int {
	ebpf.Printk("%d")    // want "argument.*U405"
	ebpf.Printk("%s", 1) // want "%s.*U405"
	use(even(4))
	return work("one") // want "cannot use .one.*U202"
}

func half(n int) int {
	return int(float64(n) * 0.5) // want "float64.*U303"
}

func even(n int) int {
	if n == 0 {
		return 1
	}
	return odd(n - 1)
}

func odd(n int) int {
	if n == 0 {
		return 0
	}
	return even(n - 1) // want "recursive call: even -> odd -> even.*U402"
}

func work(n int) int { return n }

func use(n int) {}

//ebpf:section tracepoint/syscalls/sys_enter_close
func stack(ctx ebpf.Context) int {
	var buf [33000]byte // want "variables need 33000 bytes of memory.*U501"
	return int(buf[ebpf.GetPrandomU32()%33000])
}

//ebpf:section tracepoint/syscalls/sys_enter_open
func late(ctx ebpf.Context) int {
	if started.IsZero() {
		return twice(1) // want "not enough arguments"
	}
	return 0
}

func twice(n, m int) int { return n * m }
