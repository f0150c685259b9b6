package jit

import (
	"errors"
	"fmt"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file finds what the kernel's type information says of the function that
// a program is attached to.

// notTraced is the number of parameters of a function that is not known.
const notTraced = -1

// maxTraced is the number of parameters that functions have at most: MAX_BPF_FUNC_ARGS in
// include/linux/bpf.h.
const maxTraced = 12

// traced returns the number of parameters of the kernel function that s is
// attached to by its type, or notTraced.
func (f *front) traced(s *source) int {
	name := s.target
	switch s.section.attach {
	case cebpf.AttachTraceFEntry, cebpf.AttachTraceFExit, cebpf.AttachModifyReturn:
	case cebpf.AttachLSMMac:
		name = "bpf_lsm_" + name
	default:
		return notTraced
	}
	if f.checking {
		return maxTraced
	}
	if f.opts.target != nil {
		return notTraced // another kernel's
	}
	types, err := kernelTypes().Kernel()
	if err != nil {
		return notTraced // loading says what is wrong
	}
	var fn *btf.Func
	if err := types.TypeByName(name, &fn); err != nil {
		if errors.Is(err, btf.ErrNotFound) && s.section.attach == cebpf.AttachLSMMac {
			f.diags.Add(lower.UnknownSection, f.fset.Position(s.decl.pos()), "hooks are in include/linux/lsm_hook_defs.h", "this kernel has no hook %s", s.target)
		}
		return notTraced // of a module, or not there: loading finds out
	}
	proto, ok := fn.Type.(*btf.FuncProto)
	if !ok {
		panic(fmt.Sprintf("BUG: function %s of type %T", name, fn.Type))
	}
	return len(proto.Params)
}
