package emit

import "github.com/undergo-ebpf/undergo/lower/internal/mir"

// This file makes one of short blocks that do the same. Many a function ends in several places
// in the same way: the constant result is set, and that is it. After register
// allocation such blocks are equal but for their positions in the source, and jumps to one may as
// well go to the other. That may make others equal, so that it is repeated.

// maxMerged is the number of instructions of blocks that are merged: what they compute is then not
// worth a line of its own in the kernel's log.
const maxMerged = 3

// A shortCode is the instructions of a short block, without their positions.
type shortCode [maxMerged]mir.Inst

// mergeBlocks returns f without blocks that are equal to others. It does not change f.
func mergeBlocks(f *mir.Func) *mir.Func {
	merged := f
	for {
		same := equalBlocks(merged)
		if len(same) == 0 {
			return merged
		}
		if merged == f {
			merged = f.Clone()
			same = equalBlocks(merged)
		}
		for _, b := range merged.Blocks {
			t := b.Term()
			if to := same[t.To]; to != nil {
				t.To = to
			}
			if to := same[t.Else]; to != nil {
				t.Else = to
			}
		}
	}
}

// equalBlocks returns an equal block for each that something jumps to and that is not the
// first of its kind.
func equalBlocks(f *mir.Func) map[*mir.Block]*mir.Block {
	used := make(map[*mir.Block]bool)
	var succs []*mir.Block
	for _, b := range f.Blocks {
		for _, to := range b.Succs(succs[:0]) {
			used[to] = true
		}
	}
	same := make(map[*mir.Block]*mir.Block)
	first := make(map[shortCode]*mir.Block)
	for _, b := range f.Blocks {
		if !used[b] || len(b.Insts) > maxMerged || b.Term().Op == mir.OpBr {
			continue
		}
		var code shortCode
		copy(code[:], b.Insts)
		for i := range code {
			code[i].Pos = 0
		}
		if to := first[code]; to != nil {
			same[b] = to
		} else {
			first[code] = b
		}
	}
	return same
}
