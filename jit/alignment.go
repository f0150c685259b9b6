package jit

import (
	"fmt"
	"slices"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// This file refuses what the verifier lets pass and the machine faults on.

// prefixHead is the size of the length that is before the address of a key of an LPM trie.
const prefixHead = 4

// checkAlignment refuses atomic operations on 64 bits in a program that uses an LPM trie
// in which they would not be aligned. The kernel keeps a value right behind the address
// of its key, see struct lpm_trie_node in kernel/bpf/lpm_trie.c; the verifier does not
// look at that, and arm64 faults. Which of the program's operations are on the trie's
// values is not known here, so that all count.
func (p *Program) checkAlignment(arch string, maps map[string]*cebpf.MapSpec) error {
	wide := func(ins asm.Instruction) bool {
		return ins.OpCode.Class() == asm.StXClass && ins.OpCode.Mode() == asm.AtomicMode && ins.OpCode.Size() == asm.DWord
	}
	if arch != "arm64" || !slices.ContainsFunc(p.unit.Insns, wide) {
		return nil
	}
	for _, d := range p.unit.Maps {
		m := maps[d.Name]
		if size := m.KeySize - prefixHead; m.Type == cebpf.LPMTrie && size%8 != 0 && m.ValueSize >= 8 {
			return fmt.Errorf("load %s: atomic operations on 64 bits fault on arm64 in values of %s, whose addresses have %d bytes: "+
				"make the address a multiple of 8 bytes, or count in another map", p.name, d.Name, size)
		}
	}
	return nil
}
