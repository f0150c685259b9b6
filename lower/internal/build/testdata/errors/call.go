package main

import (
	"unsafe"

	"github.com/undergo-ebpf/undergo/ebpf"
)

func fact(n int) int {
	if n == 0 {
		return 1
	}
	return n * fact(n-1) // want U402 "recursive call: fact -> fact$"
}

func progSelf(ctx ebpf.Context) int { return fact(5) }

func even(n int) bool { return n == 0 || odd(n-1) }
func odd(n int) bool  { return n != 0 && even(n-1) } // want U402 "recursive call: even -> odd -> even"

func progCycle(ctx ebpf.Context) int {
	if even(4) {
		return 1
	}
	return 0
}

func progLiteral(ctx ebpf.Context) int {
	var f func(int) int
	f = func(n int) int { // want U402 "function literal f refers to itself"
		if n == 0 {
			return 0
		}
		return f(n - 1)
	}
	return f(3)
}

func one() int { return 1 }
func two() int { return 2 }

// A function of the type of those that it calls may be any of them.
func again() int {
	fns := [2]func() int{one, again}
	return fns[ebpf.KtimeGetNs()%2]() // want U402 "recursive call: again -> again"
}

func progTable(ctx ebpf.Context) int { return again() }

func progDeferAny(ctx ebpf.Context) int {
	f := one
	if ebpf.KtimeGetNs() > 5 {
		f = two
	}
	defer f() // want U401 "function value that is not known"
	return 0
}

func progClosures(ctx ebpf.Context) int {
	var fns [3]func() int
	for i := range int(ebpf.KtimeGetNs()) {
		n := i                                // want U305 "address of variable n may outlive the iteration .* not known how many"
		fns[i] = func() int { n++; return i } // want U305 "address of variable closure may outlive the iteration"
	}
	return fns[ebpf.KtimeGetNs()%3]()
}

func progRecovered(ctx ebpf.Context) (r int) {
	for i := range 10 {
		func() {
			defer func() {
				if p, ok := recover().(*int); ok {
					r += *p
				}
			}()
			panicWith(i)
		}()
	}
	for i := range 10 {
		r += recoverPointer(i)
	}
	return r
}

func recoverPointer(i int) (r int) {
	defer func() {
		if p, ok := recover().(*int); ok {
			r += *p
		}
	}()
	for range i {
		panicWith(i)
	}
	return 0
}

func panicWith(i int) {
	n := i // want U305 "the address of a variable is in the value of a panic"
	panic(&n)
}

var handler = one // want U401 "handler holds functions or interfaces"

func progGlobal(ctx ebpf.Context) int {
	if ebpf.KtimeGetNs() > 5 {
		handler = two
	}
	return handler()
}

func asm(n int) int

func progNoBody(ctx ebpf.Context) int {
	return asm(1) // want U403 "call of main.asm"
}

var none, runs int

func compute() int { return 5 / none } // want U304 "initialiser of package main panics: integer divide by zero"

var computed = compute() // want U304 "initialiser of package-level variable computed panics: integer divide by zero"

func endlessly() (n int) {
	for n >= 0 {
		n = (n + 1) % 1000
	}
	return n
}

var never = endlessly() // want U304 "initialiser of package-level variable never, which takes too long"

func impure() int { runs++; return runs }

var counted = impure()

func progInit(ctx ebpf.Context) int {
	return computed + never + counted
}

func progMapArg(ctx ebpf.Context) int {
	var m ebpf.MapRef
	var key uint32
	ebpf.MapDeleteElem(m, unsafe.Pointer(&key)) // want U407 "argument 1 of bpf_map_delete_elem"
	return 0
}

func progParams(a, b int) int { // want U604 "parameters of program main.progParams"
	return a
}

func progString(ctx ebpf.Context) string { // want U604 "results of program"
	return ""
}

func progCtxAddr(ctx *ebpf.RawTracepoint) int {
	return int(ctx.Args[ebpf.KtimeGetNs()%12]) // want U304 "address of a field of the program's context"
}

var limit int

func init() { setLimit(5) }

func setLimit(n int) { limit = n }

func progInitFunc(ctx ebpf.Context) int {
	return limit
}

type huge [1 << 30]byte

func progHuge(ctx ebpf.Context) int {
	var h huge // want U501 "type main.huge of 1073741824 bytes"
	return int(h[3])
}

func missing(n int)

func progDeferNoBody(ctx ebpf.Context) int {
	defer missing(1)
	return 0 // want U403 "call of main.missing"
}

type endless [1 << 60]struct{}

func progEndless(ctx ebpf.Context) int {
	var a, b endless
	if a == b && len(a) > int(ebpf.KtimeGetNs()) {
		go missing(1) // want U301 "go statement"
	}
	return 0
}

type labelled interface{ label() int }

type plain int

func (p plain) label() int { return int(p) }

// A boxed may hold another, for all that is known of the values of labelled.
type boxed struct{ labelled }

func progPromoted(ctx ebpf.Context) int {
	list := [2]labelled{plain(1), &boxed{plain(2)}}
	return list[ebpf.KtimeGetNs()%2].label() // want U402 "recursive call: .[*]boxed..label -> .[*]boxed..label"
}

type cause string

func (c cause) Error() string { return string(c) }

type wrapping struct{ error }

func progWrapping(ctx ebpf.Context) int {
	list := [2]error{cause("a"), &wrapping{cause("bc")}}
	return len(list[ebpf.KtimeGetNs()%2].Error()) // want U402 "recursive call: .[*]wrapping..Error -> .[*]wrapping..Error"
}
