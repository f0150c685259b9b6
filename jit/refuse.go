package jit

import (
	"fmt"
	"go/token"
	"strings"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file refuses packages and functions that kernel-side code cannot use, and
// says what to write instead.

// imported returns what the user's code means by name in the package with the
// given import path, or nil, in which case it has reported why it cannot be used
// if the type checker will not. The name is at pos.
func (r *reach) imported(path, name string, pos token.Pos, u use) *decl {
	if what := refused(path, name); what != "" {
		r.unsupported(pos, u, path, name, what)
		return nil
	}
	p := r.lib.find(path)
	if p == nil {
		r.unsupported(pos, u, path, name, r.lib.absent(path))
		return nil
	}
	d := p.decls[name]
	if !p.library || path == ebpfPath {
		return d
	}
	what := fmt.Sprintf("it is not among the parts of package %q that can be compiled", path)
	if d != nil {
		what = r.lacks(d, false)
	}
	if what != "" {
		r.unsupported(pos, u, path, name, what)
		return nil
	}
	return d
}

// unsupported reports the use of something that kernel-side code cannot import.
func (r *reach) unsupported(pos token.Pos, u use, path, name, what string) {
	r.refused[pos] = true
	if r.diags != nil {
		r.diags.Add(lower.UnsupportedImport, r.pos(u.pos), alternative(path, name),
			"%s cannot be used in a kernel-side function: %s", u.name, what)
	}
}

// absent says why there is no source of a package.
func (m *importer) absent(importPath string) string {
	if err := m.errs[importPath]; err != nil {
		return fmt.Sprintf("package %q is not among those that are built in, and %v", importPath, err)
	}
	return fmt.Sprintf("the source of package %q is not here", importPath)
}

// refused says why the user's code cannot use a name of a package, or returns "".
func refused(path, name string) string {
	switch _, ok := alternatives[path+"."+name]; {
	case userAllowed[path+"."+name]:
	case isHostOnly(path), userRefused[path]:
		return fmt.Sprintf("package %q is not among those that can be compiled", path)
	case ok:
		return fmt.Sprintf("it is not among the parts of package %q that can be compiled", path)
	}
	return ""
}

// hostOnly is the packages of the standard library, with those below them, that
// are about the host's process: nothing in them can be compiled, so that they are
// not even read.
var hostOnly = map[string]bool{
	"C": true, "archive": true, "compress": true, "context": true, "crypto": true, "database": true, "debug": true,
	"embed": true, "encoding/asn1": true, "encoding/csv": true, "encoding/gob": true,
	"encoding/json": true, "encoding/pem": true, "encoding/xml": true, "expvar": true, "flag": true,
	"fmt": true, "go": true, "html": true, "image": true, "index": true,
	"internal/abi": true, "internal/cpu": true, "internal/godebug": true, "internal/poll": true,
	"internal/reflectlite": true, "internal/runtime": true, "internal/syscall": true,
	"internal/testlog": true, "log": true, "math/big": true, "math/rand": true, "mime": true,
	"net": true, "os": true, "plugin": true, "reflect": true, "regexp": true, "runtime": true,
	"syscall": true, "testing": true, "text": true, "vendor": true,
}

// inKernel is the exceptions to hostOnly.
var inKernel = map[string]bool{"net/netip": true, "runtime": true, "syscall": true}

func isHostOnly(path string) bool {
	for dir := path; !inKernel[path]; {
		if hostOnly[dir] {
			return true
		}
		i := strings.LastIndexByte(dir, '/')
		if i < 0 {
			return false
		}
		dir = dir[:i]
	}
	return false
}

// userRefused is the packages that the standard library may use here, because what
// it does with them may turn out not to matter, but the user's code may not.
var userRefused = map[string]bool{"errors": true, "io": true, "sync": true}

// userAllowed is the exceptions to userRefused.
var userAllowed = map[string]bool{"errors.New": true}

// alternatives says what to write instead of functions that people try first.
var alternatives = map[string]string{
	"C":               "cgo code cannot run in the kernel; write it in Go",
	"bytes.Buffer":    "append to a slice of an array",
	"errors":          "compare errors that errors.New has made, or return an integer",
	"fmt":             "use ebpf.Printk, or hand the values to the host",
	"log":             "use ebpf.Printk, or hand the values to the host",
	"log/slog":        "use ebpf.Printk, or hand the values to the host",
	"math/rand":       "use ebpf.GetPrandomU32",
	"math/rand/v2":    "use ebpf.GetPrandomU32",
	"os.Getpid":       "use ebpf.GetCurrentPidTgid() >> 32",
	"os.Getuid":       "use uint32(ebpf.GetCurrentUidGid())",
	"runtime.NumCPU":  "pass the number as a constant",
	"time.Now":        "use ebpf.KtimeGetNs",
	"time.Since":      "subtract two results of ebpf.KtimeGetNs",
	"time.Until":      "subtract two results of ebpf.KtimeGetNs",
	"strings.Builder": "append to a slice of an array of bytes",
	"syscall.Getpid":  "use ebpf.GetCurrentPidTgid() >> 32",
	"math/rand.Intn":  "use ebpf.GetPrandomU32() % n",
	"math/rand/v2.N":  "use ebpf.GetPrandomU32() % n",
	"runtime.GOARCH":  "pass it as a constant",
	"sync":            "kernel-side functions cannot block; use sync/atomic, or a spin lock in a map's value",
	"time.Sleep":      "kernel-side functions cannot block",
	"time.After":      "kernel-side functions cannot block",
	"runtime.Gosched": "kernel-side functions cannot block",
}

func alternative(path, name string) string {
	if s, ok := alternatives[path+"."+name]; ok {
		return s
	}
	if s, ok := alternatives[path]; ok {
		return s
	}
	return "do this on the host, or copy the declaration into this package"
}
