package emit

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// removable reports whether in does nothing, given that prev was executed right
// before it. prev is nil at the start of a block. These are the leftovers of
// register allocation; better code is the business of the stages before.
func removable(prev, in *mir.Inst) bool {
	if in.Op == mir.OpMov && !in.W32 && in.Src == in.Dst {
		return true
	}
	if prev == nil {
		return false
	}
	switch {
	case in.Op == mir.OpMov && prev.Op == mir.OpMov:
		// a = b; b = a
		return !in.W32 && !prev.W32 && in.Src != mir.NoReg && in.Src == prev.Dst && in.Dst == prev.Src
	case in.Op == mir.OpLoad && prev.Op == mir.OpStore:
		// spill = a; a = spill
		return isSpill(in) && isSpill(prev) && in.Slot == prev.Slot && in.Dst == prev.Src
	}
	return false
}

func isSpill(in *mir.Inst) bool { return in.Slot != nil && in.Slot.Spill }
