package attach

import (
	"errors"
	"os"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/undergo-ebpf/undergo/jit"
)

// RawTracepoint attaches p to the kernel's tracepoint name, such as
// "sched_switch": the point itself, without the formatting of a trace event.
//
// p must be of type raw_tracepoint. An unknown name is an error that gives the
// nearest trace events, whose names are mostly those of the tracepoints.
func RawTracepoint(p *jit.Program, name string) (*Link, error) {
	hook := "raw_tracepoint/" + name
	if err := wantType(p, cebpf.RawTracepoint, cebpf.RawTracepointWritable); err != nil {
		return nil, attachError(p, hook, err)
	}
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: p.BPF()})
	if errors.Is(err, os.ErrNotExist) {
		err = unknownRawTracepoint(name, err)
	}
	if err != nil {
		return nil, attachError(p, hook, err)
	}
	return newLink(p, hook, l, func(p *jit.Program) (*Link, error) { return RawTracepoint(p, name) }), nil
}

// unknownRawTracepoint says which names the kernel has, as far as tracefs can be read.
func unknownRawTracepoint(name string, err error) error {
	tfs, openErr := openTracefs()
	if openErr != nil {
		return err
	}
	groups, listErr := tfs.list("events")
	if listErr != nil {
		return err
	}
	var names []string
	for _, g := range groups {
		events, _ := tfs.list("events/" + g) // plain files among the groups have no events
		names = append(names, events...)
	}
	return unknownName("tracepoint", name, names)
}
