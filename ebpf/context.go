package ebpf

import "unsafe"

// Context is the context of a program of any type: what the kernel passes to
// it. It stands where a program does not look inside, as most tracepoint
// programs do not, and is what helpers take that work on the context.
//
// The context types of single program types, such as [XDP] and [RawTracepoint],
// have a method Context for such calls.
//
//ebpf:context any
type Context struct{ ptr unsafe.Pointer }

// A Contexter is the type of a program's parameter, which helpers take as it is.
type Contexter interface{ Context() Context }

// Pointer returns the context as a pointer, for [SockStorage], which takes a context
// or a socket.
func (c Context) Pointer() unsafe.Pointer { return c.ptr }

// Context returns c. It makes Context a [Contexter], as all contexts are.
func (c Context) Context() Context { return c }

// MapRef refers to a kernel map as a whole, as the helpers want it.
type MapRef struct{ p unsafe.Pointer }
