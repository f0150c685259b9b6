package ebpf

import (
	"embed"
	"io/fs"
)

//go:generate go run ./internal/gen

// The sources that the in-process compiler reads: the files that import nothing
// but unsafe, as they are, and stub_gen.go and stub_map.go in place of all others.
//
//go:embed array.go callback.go checksum.go consts_gen.go context.go dynptr.go hash.go
//go:embed headers.go kernel.go lpm.go map.go memory.go nested.go overlay.go packet.go perf.go
//go:embed prog_array.go queue.go raw_tracepoint.go redirect.go regs.go ringbuf.go route.go skb.go
//go:embed sk_msg.go sock.go sock_ops.go socket_map.go spinlock.go stack_trace.go storage.go stub_gen.go stub_map.go syscall.go task.go
//go:embed timer.go tracing.go user_ringbuf.go var.go xdp.go
var source embed.FS

// Source returns the kernel-side source of this package: Go files, all in the
// root, that make a package ebpf which imports nothing but unsafe. They are to
// be parsed with comments, for the directives, and regardless of build
// constraints. Helpers and intrinsics have no body there, except generic ones.
//
// Parsing all of it takes about 2 ms, of which the maps are a third, and checking it
// as long again. Every declaration at package level begins at the start of a line. In stub_gen.go each
// declaration is a directive and a func, set apart by empty lines and independent
// of the others, so a reader that knows which names it needs may drop the rest
// before parsing.
func Source() fs.FS { return source }
