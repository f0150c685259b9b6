package jit

import (
	"strings"
	"testing"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/lower"
)

// TestAlignment compiles a program that counts atomically in values of an LPM trie, and
// asks whether it may run.
func TestAlignment(t *testing.T) {
	const src = `package p
import "github.com/undergo-ebpf/undergo/ebpf"
var m = ebpf.NewLPMTrie[[N]byte, uint64](8)
//ebpf:section xdp
func f(ctx *ebpf.XDP) int {
	if n := m.Lookup([N]byte{}); n != nil {
		ADD
	}
	return 0
}`
	for _, test := range []struct {
		arch, size, add string
		ok              bool
	}{
		{"arm64", "4", "atomic.AddUint64(n, 1)", false},
		{"arm64", "16", "atomic.AddUint64(n, 1)", true},
		{"arm64", "4", "*n++", true},
		{"amd64", "4", "atomic.AddUint64(n, 1)", true},
	} {
		src := strings.NewReplacer("N]", test.size+"]", "ADD", test.add).Replace(src)
		if strings.Contains(src, "atomic") {
			src = strings.Replace(src, "import ", "import \"sync/atomic\"\nimport ", 1)
		}
		c, err := CompileSource("p.go", src, WithTarget(lower.TargetFor(lower.Version{Major: 6, Minor: 18}, "amd64")))
		if err != nil {
			t.Fatal(err)
		}
		p := c.Programs["f"]
		maps := map[string]*cebpf.MapSpec{}
		for _, d := range p.unit.Maps {
			size := uint32(prefixHead + 4)
			if test.size == "16" {
				size = prefixHead + 16
			}
			maps[d.Name] = &cebpf.MapSpec{Type: cebpf.LPMTrie, KeySize: size, ValueSize: 8}
		}
		if len(maps) != 1 {
			t.Fatalf("%d maps", len(maps))
		}
		if err := p.checkAlignment(test.arch, maps); (err == nil) != test.ok {
			t.Errorf("%s, addresses of %s bytes, %s: %v", test.arch, test.size, test.add, err)
		}
	}
}
