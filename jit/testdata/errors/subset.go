package p

import "github.com/undergo-ebpf/undergo/ebpf"

//ebpf:section tracepoint/syscalls/sys_enter_write
func statements(ctx ebpf.Context) int {
	go work(1)               // want "go statement"
	ch := make(chan int)     // want "chan"
	m := map[string]int{}    // want "map"
	x := 1.5                 // constant
	_ = x * float64(work(2)) // want "float64"
	ch <- len(m)
	return 0
}

func work(n int) int { return n }

//ebpf:section tracepoint/syscalls/sys_enter_read
func recursive(ctx ebpf.Context) int { return even(4) }

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
	return even(n - 1) // want "recursive call: even -> odd -> even"
}

//ebpf:section tracepoint/syscalls/sys_enter_open
func formats(ctx ebpf.Context) int {
	f := "%d"
	if ebpf.GetPrandomU32() == 1 {
		f = "%x"
	}
	ebpf.Printk(f, 1)         // want "constant"
	ebpf.Printk("%d")         // want "argument"
	ebpf.Printk("%d", "text") // want "%d"
	ebpf.Printk("%d", 1, 2)   // want "argument"
	return 0
}

//ebpf:section tracepoint/syscalls/sys_enter_close
func stack(ctx ebpf.Context) int {
	var buf [33000]byte // want "variables need 33000 bytes of memory that the stack does not have, a CPU has 32768"
	return int(buf[ebpf.GetPrandomU32()%33000])
}
