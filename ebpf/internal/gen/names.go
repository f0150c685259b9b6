package main

import (
	"fmt"
	"strings"
)

// This file turns C names and types into Go ones.

// goName is the Go name of a helper: get_current_pid_tgid is GetCurrentPidTgid.
// No initialism is written in capitals, so that the name can be told from the
// kernel's without a table.
func goName(c string) string {
	if n, ok := taken[c]; ok {
		return n
	}
	var b strings.Builder
	for w := range strings.SplitSeq(c, "_") {
		b.WriteString(capital(w))
	}
	return b.String()
}

// taken is the helpers whose names are those of types.
var taken = map[string]string{
	"spin_lock":   "SpinLockAcquire",
	"spin_unlock": "SpinLockRelease",
}

func capital(w string) string {
	if w == "" {
		return ""
	}
	return strings.ToUpper(w[:1]) + w[1:]
}

// paramName is the Go name of a parameter: size_of_buf is sizeOfBuf.
func paramName(c string) string {
	switch c {
	case "map":
		return "m"
	case "type":
		return "typ"
	case "len":
		return "length"
	}
	n := goName(c)
	return strings.ToLower(n[:1]) + n[1:]
}

// integers are the C integer types of bpf.h's prototypes. BPF is a 64-bit
// machine: long has 64 bits.
var integers = map[string]string{
	"u64": "uint64", "s64": "int64", "u32": "uint32", "s32": "int32", "u16": "uint16",
	"int": "int32", "long": "int64", "unsigned long": "uint64", "size_t": "uint64",
	"__be16": "uint16", "__be32": "uint32", "__wsum": "uint32", "char": "byte",
}

// goParamType is the Go type of a parameter of the given kind.
func goParamType(p param, r row, kind string) (string, error) {
	if t, ok := r.goTypes[p.name]; ok {
		return t, nil
	}
	switch strings.TrimSuffix(kind, "?") {
	case "ctx":
		return "Context", nil
	case "map":
		return "MapRef", nil
	}
	elem, isPtr := strings.CutSuffix(p.ctype, "*")
	if isPtr {
		// An address that the helper does not dereference itself but probes,
		// in kernel or user memory, is a number and no Go pointer.
		if kind == "scalar" {
			return "uintptr", nil
		}
		if t, ok := integers[elem]; ok {
			return "*" + t, nil
		}
		return "unsafe.Pointer", nil
	}
	if t, ok := integers[p.ctype]; ok {
		return t, nil
	}
	return "", fmt.Errorf("no Go type for %q", p.ctype)
}

// goResultType is the Go type of a helper's result, "" for none. Where the
// header says long of a helper whose result the verifier takes for a pointer, or
// for nothing, the verifier is right.
func goResultType(h *helper) (string, error) {
	switch h.row.ret {
	case "void":
		return "", nil
	case "scalar":
		if h.result == "void" {
			return "", nil
		}
		if t, ok := integers[h.result]; ok {
			return t, nil
		}
		return "", fmt.Errorf("no Go type for %q", h.result)
	}
	return "unsafe.Pointer", nil
}

// resolve computes the Go signature of the helper: parameter list and result.
func (h *helper) resolve() error {
	var b strings.Builder
	b.WriteByte('(')
	for i, p := range h.params {
		if i > 0 {
			b.WriteString(", ")
		}
		t, err := goParamType(p, h.row, h.row.args[i])
		if err != nil {
			return fmt.Errorf("helper %s: parameter %s: %w", h.name, p.name, err)
		}
		b.WriteString(paramName(p.name) + " " + t)
	}
	b.WriteByte(')')
	t, err := goResultType(h)
	if err != nil {
		return fmt.Errorf("helper %s: result: %w", h.name, err)
	}
	if t != "" {
		b.WriteString(" " + t)
	}
	h.signature = b.String()
	return nil
}

// arguments is the argument list that passes the parameters on.
func (h *helper) arguments() string {
	names := make([]string, len(h.params))
	for i, p := range h.params {
		names[i] = paramName(p.name)
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// directive is the line that tells the compiler what the helper is.
func (h *helper) directive() string {
	var b strings.Builder
	fmt.Fprintf(&b, "//ebpf:helper id=%d name=%s kernel=%s gpl=%t types=%s",
		h.id, h.name, h.row.kernel, h.row.gpl, strings.Join(h.row.types, ","))
	if len(h.row.args) > 0 {
		b.WriteString(" args=" + strings.Join(h.row.args, ","))
	}
	b.WriteString(" ret=" + h.row.ret)
	if len(h.row.effects) > 0 {
		b.WriteString(" effects=" + strings.Join(h.row.effects, ","))
	}
	return b.String()
}
