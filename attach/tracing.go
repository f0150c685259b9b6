package attach

import (
	"fmt"
	"slices"
	"strings"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// TracingOptions are the options of [Fentry] and [Fexit].
type TracingOptions struct {
	// Cookie is what ebpf.GetAttachCookie returns in the program. Needs Linux 5.19.
	Cookie uint64
}

// Fentry attaches p to the entry of the kernel function that its section names,
// as in //ebpf:section fentry/vfs_read. The function is fixed when the program is
// compiled, since the kernel checks the program against its type. At most one option
// struct may be given.
//
// Needs Linux 5.5 on amd64 and 6.4 on arm64, and a kernel built with
// CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS.
func Fentry(p *jit.Program, opts ...TracingOptions) (*Link, error) {
	return tracing(p, "fentry", opts)
}

// Fexit attaches p to the exit of the kernel function that its section names,
// see [Fentry].
func Fexit(p *jit.Program, opts ...TracingOptions) (*Link, error) {
	return tracing(p, "fexit", opts)
}

func tracing(p *jit.Program, kind string, opts []TracingOptions) (*Link, error) {
	var o TracingOptions
	if len(opts) > 0 {
		o = opts[0]
	}
	if err := wantSection(p, kind, kind+".s"); err != nil {
		return nil, err
	}
	l, err := link.AttachTracing(link.TracingOptions{Program: p.BPF(), AttachType: attachTypes[kind], Cookie: o.Cookie})
	if err != nil {
		return nil, attachError(p, p.Section(), err)
	}
	return newLink(p, p.Section(), l, func(p *jit.Program) (*Link, error) { return tracing(p, kind, opts) }), nil
}

var attachTypes = map[string]cebpf.AttachType{"fentry": cebpf.AttachTraceFEntry, "fexit": cebpf.AttachTraceFExit}

// wantSection returns an error unless the section of p is one of the kinds.
func wantSection(p *jit.Program, kinds ...string) error {
	kind, target, _ := strings.Cut(p.Section(), "/")
	if slices.Contains(kinds, kind) && target != "" {
		return nil
	}
	return fmt.Errorf("attach %s: its section is %q: compile it with //ebpf:section %s/NAME, or jit.As", p.Name(), p.Section(), kinds[0])
}
