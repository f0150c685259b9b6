package build

import (
	"go/types"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// This file lowers calls of kernel helpers.

// A helper is a kernel helper with what decides whether it can be called.
type helper struct {
	directive helperDirective
	kinds     []argKind
	ir        *ir.Helper
}

// An argKind is one argument of a directive.
type argKind struct {
	name     string // scalar, in, out, ctx, ...; without ? and !
	nullable bool
}

// argKinds maps the kinds of the directive to those the compiler tells apart.
// Kinds that are missing are kernel objects.
var argKinds = map[string]ir.ArgKind{
	"scalar": ir.ArgScalar, "const": ir.ArgScalar, "size": ir.ArgScalar, "size0": ir.ArgScalar,
	"in": ir.ArgMem, "str": ir.ArgMem, "key": ir.ArgMem, "value": ir.ArgMem,
	"out": ir.ArgOut, "inout": ir.ArgOut, "outvalue": ir.ArgOut, "outdynptr": ir.ArgOut,
	"dynptr": ir.ArgOut, "fnctx": ir.ArgOut, "spinlock": ir.ArgOut, "timer": ir.ArgOut, "kptr": ir.ArgOut,
	"ctx": ir.ArgCtx, "map": ir.ArgMap, "fn": ir.ArgFunc,
}

// resultTypes maps the results of the directive to types of pointers. A result
// that is missing is a kernel object.
var resultTypes = map[string]ir.Type{
	"void": ir.Void, "": ir.Void, "scalar": ir.I64,
	"mapvalue": ir.PtrMapValue, "ringmem": ir.PtrMem, "dynmem": ir.PtrMem,
}

// newHelper translates the directive d.
func newHelper(d helperDirective) *helper {
	h := &helper{directive: d, ir: &ir.Helper{ID: d.id, Name: d.name}}
	for _, a := range d.args {
		a, released := strings.CutSuffix(a, "!")
		a, nullable := strings.CutSuffix(a, "?")
		if !released {
			a, _ = strings.CutSuffix(a, "!")
		}
		name, size := a, -1
		if i := strings.IndexAny(a, ":="); i >= 0 {
			name = a[:i]
			if n, err := strconv.Atoi(a[i+1:]); err == nil && a[i] == ':' {
				size = n - 1
			}
		}
		k, ok := argKinds[name]
		if !ok {
			k = ir.ArgKernel
		}
		switch name {
		case "in", "key", "value", "str":
			h.ir.Flags |= ir.ReadsMem
		case "out", "outvalue", "outdynptr":
			h.ir.Flags |= ir.WritesMem
			if strings.Contains(a, "=") {
				h.ir.Flags |= ir.ReadsMem // it must be initialised
			}
		default:
			if k == ir.ArgOut || k == ir.ArgFunc {
				h.ir.Flags |= ir.ReadsMem | ir.WritesMem
			}
		}
		h.kinds = append(h.kinds, argKind{name, nullable})
		h.ir.Args = append(h.ir.Args, k)
		h.ir.Sizes = append(h.ir.Sizes, size)
	}
	ret := strings.TrimSuffix(d.ret, "?")
	t, ok := resultTypes[ret]
	if !ok {
		t = ir.PtrKernel
	}
	h.ir.Result = t
	h.ir.InvalidatesPacket = slices.Contains(d.effects, "pkt")
	h.ir.TakesPacket = slices.Contains(d.effects, "pktmem")
	return h
}

// laterIn is, for program types that got a helper later than the first type
// that has it, the release they got it in.
var laterIn = map[struct{ progType, helper string }]target.Version{
	// 8e4597c627fb "bpf: Allow using bpf_sk_storage in FENTRY/FEXIT/RAW_TP".
	{"tracing", "sk_storage_get"}:    {Major: 5, Minor: 11},
	{"tracing", "sk_storage_delete"}: {Major: 5, Minor: 11},
}

// instead is what to write in kernels that lack a helper.
var instead = map[string]string{
	"cgrp_storage_get":       "use a hash map by ebpf.GetCurrentCgroupId",
	"for_each_map_elem":      "look up the keys that there can be",
	"get_current_task_btf":   "use ebpf.GetCurrentTask and ebpf.ReadKernel",
	"get_func_arg":           "use the methods of ebpf.Tracing",
	"get_func_ret":           "use the methods of ebpf.Tracing",
	"ktime_get_coarse_ns":    "use ebpf.KtimeGetNs",
	"ktime_get_tai_ns":       "use ebpf.KtimeGetNs",
	"loop":                   "write a loop with a constant bound",
	"map_lookup_percpu_elem": "use a map with the CPU in its key",
	"redirect_peer":          "use ebpf.Redirect",
	"ringbuf_reserve_dynptr": "use the OutputBytes method",
	"snprintf":               "use ebpf.Printk, or format on the host",
	"strncmp":                "compare the bytes",
	"task_storage_get":       "use a hash map by ebpf.CurrentTID",
	"trace_vprintk":          "use ebpf.Printk with up to three arguments",
	"user_ringbuf_drain":     "use a queue",
	"xdp_get_buff_len":       "use the length of what the Data method returns",
	"xdp_load_bytes":         "use what the Data method returns",
	"xdp_store_bytes":        "use what the Data method returns",
}

// uncallable is the helpers that no program can call, since it has nothing to call them with: why, and what to
// write instead.
var uncallable = map[string]struct{ why, instead string }{
	"get_local_storage":     {"takes a map of a type that Linux has replaced", "use an ebpf.CgroupStorage"},
	"kptr_xchg":             {"takes a field of a map that holds an object of the kernel, and maps have none", "keep what is needed of the object, or look it up again"},
	"per_cpu_ptr":           {"takes a per-CPU variable of the kernel, and programs cannot refer to one", "use the LookupCPU method of an ebpf.PerCPUArray for a variable of the program's"},
	"perf_event_read":       {"takes a map of counting perf events, and there is none", "use ebpf.PerfProgReadValue in a program of section perf_event"},
	"perf_event_read_value": {"takes a map of counting perf events, and there is none", "use ebpf.PerfProgReadValue in a program of section perf_event"},
	"tcp_send_ack":          {"is for struct_ops programs, which cannot be compiled", "leave out the call"},
	"this_cpu_ptr":          {"takes a per-CPU variable of the kernel, and programs cannot refer to one", "use the Lookup method of an ebpf.PerCPUArray for a variable of the program's"},
}

// available reports an error if the target or the program's type lacks h, or there is nothing to call it with.
func (fn *function) available(h *helper) bool {
	d := h.directive
	if u, ok := uncallable[d.name]; ok {
		fn.fail(diag.HelperUnavailable, u.instead, "helper bpf_%s %s", d.name, u.why)
		return false
	}
	if !fn.b.target.Kernel.AtLeast(d.kernel) {
		fix := "leave out the call for this kernel, or require a newer one"
		if other := instead[d.name]; other != "" {
			fix = other + ", or require a newer kernel"
		}
		fn.fail(diag.FeatureMissing, fix,
			"helper bpf_%s needs Linux %s, and the program is compiled for %s", d.name, d.kernel, fn.b.target.Kernel)
		return false
	}
	t := fn.b.in.Type
	if min := laterIn[struct{ progType, helper string }{t, d.name}]; !fn.b.target.Kernel.AtLeast(min) {
		fn.fail(diag.FeatureMissing, "call it in a program of another type, or require a newer kernel",
			"helper bpf_%s needs Linux %s in a program of type %s, and the program is compiled for %s", d.name, min, t, fn.b.target.Kernel)
		return false
	}
	all := slices.Contains(d.types, "all") && t != "lirc_mode2"
	if t != "" && len(d.types) > 0 && !all && !slices.Contains(d.types, t) {
		fn.fail(diag.HelperUnavailable, "call it in a program of type "+strings.Join(d.types, ", "),
			"helper bpf_%s cannot be called by a program of type %s", d.name, t)
		return false
	}
	if t != "" && slices.Contains(d.effects, "sleep") && !fn.b.in.MaySleep {
		fn.fail(diag.HelperUnavailable, "call it in a program that may sleep: of section syscall, or fentry.s, fexit.s, fmod_ret.s, iter.s, lsm.s or uprobe.s",
			"helper bpf_%s may sleep, and the program must not", d.name)
		return false
	}
	return true
}

// narrowResults is the helpers in whose place the verifier calls operations of the map
// (do_misc_fixups in kernel/bpf/verifier.c), which until wideResults returned an int: the upper half of
// the register is anything then. d7ba4cc900bf "bpf: return long from bpf_map_ops funcs".
var (
	narrowResults = map[string]bool{
		"map_update_elem": true, "map_delete_elem": true, "map_push_elem": true, "map_pop_elem": true, "map_peek_elem": true,
		"for_each_map_elem": true,
	}
	wideResults = target.Version{Major: 6, Minor: 4}
)

// lowerHelper lowers the call of h, declared as callee.
func (fn *function) lowerHelper(h *helper, callee *ssa.Function, args []operand) operand {
	if !fn.available(h) {
		return badOperand
	}
	sig := callee.Signature
	cb, ok := fn.callbackOf(h, args, sig)
	if !ok {
		return badOperand
	}
	r, ok := fn.helperArgs(h, sig, args, cb)
	if !ok {
		return badOperand
	}
	call := fn.callHelper(h, r)
	cb.after(fn)
	if narrowResults[h.directive.name] && !fn.b.target.Kernel.AtLeast(wideResults) {
		call = fn.emit(ir.OpSExt, ir.I64, fn.emit(ir.OpTrunc, ir.I32, call))
	}
	return fn.helperResults(h, sig, call, r.outs, !strings.HasSuffix(h.directive.ret, "?"))
}

// helperArg returns argument i of h, or nil if a, a value of type t and parameter n, counted from 1, cannot be
// it.
func (fn *function) helperArg(h *helper, i, n int, a operand, t types.Type) *ir.Value {
	bad := func(what string) *ir.Value {
		fn.fail(diag.HelperArgument, "see the documentation of the helper", "argument %d of bpf_%s %s", n, h.directive.name, what)
		return nil
	}
	a = fn.settled(a)
	if a.isBad() {
		return nil
	}
	kind := h.ir.Args[i]
	if h.kinds[i].name == "str" {
		if s, ok := fn.knownString(a); ok {
			return fn.stringAddr(s)
		}
		return bad("is not known when compiling; use a constant")
	}
	if kind == ir.ArgMap {
		if v := fn.mapArg(a); v != nil {
			return v
		}
		return bad("is not known when compiling; use a map that is a package-level variable")
	}
	if len(a.vals) != 1 || a.isStatic() {
		return bad("is not known when compiling")
	}
	v := a.vals[0]
	switch kind {
	case ir.ArgScalar:
		if from, ok := intTypeOf(t); ok {
			return fn.convertInt(v, from, intType{64, from.signed})
		}
		return bad("is not an integer")
	case ir.ArgCtx:
		if v.Type != ir.PtrCtx {
			return bad("is not known to be the program's context")
		}
		return v
	}
	if !v.Type.IsPtr() {
		return bad("is not a pointer")
	}
	if kind != ir.ArgKernel && (v.Type == ir.PtrCtx || v.Type == ir.PtrPacketEnd) {
		return bad("is not memory")
	}
	if !a.nonnil && !h.kinds[i].nullable && v.Type != ir.PtrCtx {
		return fn.checkNonNil(v)
	}
	return v
}
