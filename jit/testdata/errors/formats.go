package p

import "github.com/undergo-ebpf/undergo/ebpf"

var counts = ebpf.NewHash[uint32, uint64](16)

type point struct{ x, y int }

func text(n uint64) string {
	if n > 5 {
		return "a"
	}
	return "bc"
}

//ebpf:section raw_tracepoint/sys_enter
func formats(ctx ebpf.Context) int {
	t := ebpf.KtimeGetNs()
	p := &point{1, 2}
	boxes := [2]any{1, "x"}
	ebpf.Printk("%v", p)                                                                         // want "%v prints what argument 1 points to, which the kernel cannot; use %p for the address .U405"
	ebpf.Printk("%5p", p)                                                                        // want "%5p does not fit argument 1 of type .*; use %p for the address .U405"
	ebpf.Printk("%q", text(t))                                                                   // want "the kernel has no %q of a string; use %s .U405"
	ebpf.Printk("%#d", t)                                                                        // want "%#d does not fit argument 1 of type uint64.* .U405"
	ebpf.Printk("%+d", t)                                                                        // want "the kernel prints no sign for %.d of unsigned type uint64; leave out the flag .U405"
	ebpf.Printk("%+x", t)                                                                        // want "the kernel has no %.x; leave out the flag .U405"
	ebpf.Printk("%+t", t > 5)                                                                    // want "does not fit argument 1 of type bool.* .U405"
	ebpf.Printk("%c", t)                                                                         // want "the kernel has no %c of type uint64; convert it to a byte if it is ASCII .U405"
	ebpf.Printk("%v", boxes[t%2])                                                                // want "type of argument 1 is not known when compiling; convert it to a concrete type .U405"
	ebpf.Printk("%d %d %d %d %d %d %d %d %d %d %d %d %d", t, t, t, t, t, t, t, t, t, t, t, t, t) // want "Printk with 13 arguments; the kernel takes 12; print in two calls .U503"
	ebpf.Printk("%d", nil)                                                                       // want "%d does not fit argument 1, which is nil; use %v .U405"
	ebpf.Printk("%v", formats)                                                                   // want "%v does not fit argument 1 of type func.*; print the integers in it one by one .U405"
	ebpf.Printk("%p %d", counts, counts.Set(1, 2))                                               // want "argument 1 is a map, which has no address in the kernel; write its name into the format .U405"
	ebpf.Printk("%v", counts.Set(1, 2))                                                          // want "%v prints the text of argument 1, an error, which the kernel does not have; print its number with %d .U405"
	ebpf.Printk("%v", counts.Lookup(1))                                                          // want "%v prints <nil> if argument 1 is nil, which the kernel does not; use %p for the address .U405"
	var buf [8]byte
	n, _ := ebpf.Snprintf(buf[:], text(t), nil) // want "argument 2 of bpf_snprintf is not known when compiling; use a constant.* .U407"
	return n
}

//ebpf:section raw_tracepoint/sys_enter
func recovered(ctx ebpf.Context) int {
	defer func() {
		ebpf.Printk("%v", recover()) // want "argument 1 is what recover returns, whose text the kernel does not have; print a text instead.* .U405"
	}()
	if ebpf.KtimeGetNs() > 5 {
		panic("late")
	}
	return 0
}
