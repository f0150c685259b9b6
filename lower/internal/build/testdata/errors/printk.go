package main

import "github.com/undergo-ebpf/undergo/ebpf"

var n = 5

type level uint8

func (l level) String() string { return "level" }

func format(n uint64) string {
	if n > 5 {
		return "a"
	}
	return "b"
}

func progFormats(ctx ebpf.Context) int {
	t := ebpf.KtimeGetNs()
	i := int32(t)
	var args []any
	ebpf.Printk(format(t))                 // want U404 "format of Printk is not a constant"
	ebpf.Printk("%d")                      // want U405 "%d reads argument 1, and there are 0"
	ebpf.Printk("%d", t, i)                // want U405 "argument 2 is not used"
	ebpf.Printk("%s", t)                   // want U405 "the kernel has no %s"
	ebpf.Printk("%t", i)                   // want U405 "the kernel has no %t"
	ebpf.Printk("%x", i)                   // want U405 "two's complement"
	ebpf.Printk("%o %b", t, t)             // want U405 "no %o" U405 "no %b"
	ebpf.Printk("%s", format(t))           // want U405 "string that is not constant"
	ebpf.Printk("%.2d", t)                 // want U405 "no %.2d"
	ebpf.Printk("100%")                    // want U405 "is not a verb"
	ebpf.Printk("%5d", t)                  // want U504 "needs Linux 5.13"
	ebpf.Printk("%d%%", t)                 // want U504 "a percent sign needs Linux 5.13"
	ebpf.Printk("%X", t)                   // want U504 "needs Linux 5.13"
	ebpf.Printk("%c", byte(t))             // want U504 "needs Linux 5.15"
	ebpf.Printk("%t %t", t > 5, t < 9)     // want U504 "more than one string"
	ebpf.Printk("%tx", t > 5)              // want U405 "no letter or digit"
	ebpf.Printk("größe %d", t)             // want U405 "does not print"
	ebpf.Printk("%v", level(t))            // want U405 "would call method String"
	ebpf.Printk("%d", 1 == 2)              // want U405 "does not fit"
	ebpf.Printk("%v", [2]int{})            // want U405 "does not fit"
	ebpf.Printk("%d", args[:1]...)         // want U405 "passed as a slice"
	ebpf.Printk("%d %d %d %d", t, t, t, t) // want U503 "4 arguments needs Linux 5.16"
	return 0
}
