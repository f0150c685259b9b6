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

// integers are the C integer types of bpf.h's prototypes. BPF is a 64-bit
// machine: long has 64 bits.
var integers = map[string]string{
	"u64": "uint64", "s64": "int64", "u32": "uint32", "s32": "int32", "u16": "uint16",
	"int": "int32", "long": "int64", "unsigned long": "uint64", "size_t": "uint64",
	"__be16": "uint16", "__be32": "uint32", "__wsum": "uint32", "char": "byte",
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
