package main

import "github.com/undergo-ebpf/undergo/ebpf"

func nothing() {}

func progGo(ctx ebpf.Context) int {
	go nothing() // want U301 "go statement"
	return 0
}

func progSelect(ctx ebpf.Context) int {
	select {} // want U301 "select"
}

func progChan(ctx ebpf.Context) int {
	ch := make(chan int, 1) // want U301 "channel"
	ch <- 1
	return <-ch
}

func receive(ch chan int) int {
	return <-ch
}

func progNilChan(ctx ebpf.Context) int {
	return receive(nil) // want U302 "channel type chan int"
}

func progMap(ctx ebpf.Context) int {
	m := map[int]int{1: 2} // want U304 "map of the language"
	return m[1]
}

func progFloat(ctx ebpf.Context) int {
	x := float64(ebpf.KtimeGetNs()) // want U303 "floating point type float64"
	return int(x * 1.5)
}

func progComplex(ctx ebpf.Context) int {
	x := complex(1, 2) // want U303 "complex type complex128"
	y := &x
	return int(real(*y))
}

func progDefer(ctx ebpf.Context) int {
	for x := range twice {
		n := x
		defer func() { n++ }() // want U305 "address of variable n is passed to a deferred call"
	}
	return 0
}

func twice(yield func(int) bool) { _ = yield(1) && yield(2) }

func progDeferStored(ctx ebpf.Context) int {
	for range stored {
		defer nothing()
	}
	return 0
}

func stored(yield func(int) bool) {
	fs := [2]func(int) bool{yield} // want U301 "the body of a loop that defers, is stored in memory"
	fs[ebpf.KtimeGetNs()%2](1)
}

func progRecover(ctx ebpf.Context) int {
	defer func() {
		v := recover()
		if err, ok := v.(error); ok {
			ebpf.Printk("%s", err.Error()) // want U401 "call of method Error of what may be an error of Go's runtime"
		}
		w := any(1)
		if ebpf.KtimeGetNs() == 1 {
			w = v
		}
		if v == w { // want U401 "comparison of interfaces of which both may hold an error of Go's runtime"
			panic(progRecover) // want U401 "panic with a value of type func"
		}
	}()
	if n := ebpf.KtimeGetNs(); 100/n == 0 {
		panic("zero")
	}
	return 0
}

func progPrint(ctx ebpf.Context) int {
	println("x") // want U304 "built-in function println"
	return 0
}

func progString(ctx ebpf.Context) int {
	b := [2]byte{byte(ebpf.KtimeGetNs()), 2}
	parts := [2][]byte{b[:1], b[:]}
	s := string(parts[b[0]%2]) // want U304 "conversion from .*byte to string, which must copy and of which it is not known how long it can be"
	b[1] = 3
	return int(s[1])
}

func progConcat(ctx ebpf.Context) int {
	s := [2]string{"a", "b"}[ebpf.KtimeGetNs()%2]
	s += "c" // want U304 "concatenation of strings"
	return len(s)
}

func progMake(ctx ebpf.Context) int {
	s := make([]int, ebpf.KtimeGetNs()) // want U304 "it is not known how large it can be"
	return len(s)
}

var list []byte

func progDataPointer(ctx ebpf.Context) int {
	list = list[:ebpf.GetSmpProcessorId()&3] // want U304 "package-level variable list refers to memory"
	return len(list)
}

var pointee = new([4]int)

func progNameless(ctx ebpf.Context) int {
	pointee[1]++ // want U304 "to what a package-level variable points to"
	return pointee[0]
}

func progEscapeClause(ctx ebpf.Context) int {
	var last *int
	for i := 0; i < int(ebpf.KtimeGetNs()); i++ { // want U305 "variable i may outlive the iteration"
		if last != nil {
			i += *last
		}
		last = &i
	}
	return *last
}

func progEscape(ctx ebpf.Context) int {
	var last *int
	for i := range int(ebpf.KtimeGetNs()) {
		n := i // want U305 "variable n may outlive the iteration"
		if last != nil {
			n += *last
		}
		last = &n
	}
	return *last
}
