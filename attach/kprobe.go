package attach

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// KprobeOptions are the options of [Kprobe].
type KprobeOptions struct {
	// Offset is where in the function the probe is, in bytes from its start.
	Offset uint64
	// Cookie is what ebpf.GetAttachCookie returns in the program. Needs Linux 5.15.
	Cookie uint64
}

// Kprobe attaches p to the entry of the kernel function of the given name, or to
// an instruction in it. A name of a system call, such as sys_openat, stands for
// the machine's entry point of it. At most one option struct may be given.
//
// p must be of type kprobe. The kernel must be built with CONFIG_KPROBE_EVENTS.
func Kprobe(p *jit.Program, function string, opts ...KprobeOptions) (*Link, error) {
	var o KprobeOptions
	if len(opts) > 0 {
		o = opts[0]
	}
	hook := "kprobe/" + function
	if o.Offset != 0 {
		hook += "+" + strconv.FormatUint(o.Offset, 10)
	}
	return kprobe(p, hook, function, func(p *jit.Program) (link.Link, error) {
		return link.Kprobe(function, p.BPF(), &link.KprobeOptions{Offset: o.Offset, Cookie: o.Cookie})
	})
}

// KretprobeOptions are the options of [Kretprobe].
type KretprobeOptions struct {
	// MaxActive is the number of calls of the function that can be under way and
	// still be probed; 0 is the kernel's default. It needs tracefs.
	MaxActive int
	// Cookie is what ebpf.GetAttachCookie returns in the program. Needs Linux 5.15.
	Cookie uint64
}

// Kretprobe attaches p to the exit of the kernel function of the given name, see
// [Kprobe]. At most one option struct may be given.
func Kretprobe(p *jit.Program, function string, opts ...KretprobeOptions) (*Link, error) {
	var o KretprobeOptions
	if len(opts) > 0 {
		o = opts[0]
	}
	return kprobe(p, "kretprobe/"+function, function, func(p *jit.Program) (link.Link, error) {
		return link.Kretprobe(function, p.BPF(), &link.KprobeOptions{RetprobeMaxActive: o.MaxActive, Cookie: o.Cookie})
	})
}

func kprobe(p *jit.Program, hook, function string, attach func(*jit.Program) (link.Link, error)) (*Link, error) {
	if err := wantType(p, cebpf.Kprobe); err != nil {
		return nil, attachError(p, hook, err)
	}
	l, err := attach(p)
	switch {
	case err == nil:
	case !haveKprobes():
		err = fmt.Errorf("%w: it is built without CONFIG_KPROBE_EVENTS", link.ErrNotSupported)
	case errors.Is(err, os.ErrNotExist):
		err = unknownFunction(function, err)
	}
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	return newLink(p, hook, l, func(p *jit.Program) (*Link, error) { return kprobe(p, hook, function, attach) }), nil
}

// haveKprobes reports whether the kernel can make perf events of probes; true if
// that cannot be found out.
func haveKprobes() bool {
	const sources = "/sys/bus/event_source/devices/"
	if _, err := os.Stat(sources + "tracepoint"); err != nil {
		return true
	}
	_, err := os.Stat(sources + "kprobe")
	return !errors.Is(err, os.ErrNotExist)
}

// autoKprobe attaches to the target of a section, FUNCTION or FUNCTION+OFFSET.
func autoKprobe(p *jit.Program, kind, target string) (*Link, error) {
	if target == "" {
		return nil, needsTarget(p, kind+"/FUNCTION", "attach.Kprobe(p, function) or attach.Kretprobe(p, function)")
	}
	if kind == "kretprobe" {
		return Kretprobe(p, target)
	}
	function, offset, ok := strings.Cut(target, "+")
	var o KprobeOptions
	if ok {
		var err error
		if o.Offset, err = strconv.ParseUint(offset, 0, 64); err != nil {
			return nil, attachError(p, "kprobe/"+target, fmt.Errorf("offset %q is no number", offset))
		}
	}
	return Kprobe(p, function, o)
}

// unknownFunction adds to err, of a function that cannot be probed, the
// functions with the nearest names.
func unknownFunction(name string, err error) error {
	f, openErr := os.Open("/proc/kallsyms")
	if openErr != nil {
		return err
	}
	defer f.Close()
	var names []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// Address, type, name, and the module in brackets.
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || !strings.ContainsAny(fields[1], "tTwW") {
			continue
		}
		if fields[2] == name {
			return fmt.Errorf("function %s cannot be probed, as those inlined, or part of the probes themselves: %w", name, err)
		}
		names = append(names, fields[2])
	}
	return unknownName("function of the kernel", name, names)
}
