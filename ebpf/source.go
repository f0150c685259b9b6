package ebpf

import (
	"embed"
	"io/fs"
)

//go:generate go run ./internal/gen

// The sources that the in-process compiler reads: the files that import nothing
// but unsafe, as they are, and stub_gen.go in place of all others.
//
//go:embed consts_gen.go context.go raw_tracepoint.go stub_gen.go xdp.go
var source embed.FS

// Source returns the kernel-side source of this package: Go files, all in the
// root, that make a package ebpf which imports nothing but unsafe. They are to
// be parsed with comments, for the directives, and regardless of build
// constraints. Functions with a directive have no body there, except generic
// ones.
func Source() fs.FS { return source }
