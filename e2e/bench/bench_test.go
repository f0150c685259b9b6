package bench

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// A subject is a program as one compiler has made it.
type subject struct {
	prog  *cebpf.Program
	slots int
	spec  *cebpf.CollectionSpec // of this program only
	maps  map[string]*cebpf.Map // that it has in common with others
}

// compiled is all programs of one compiler by name.
type compiled map[string]*subject

// compile compiles and loads the programs with undergo.
func compile(t *testing.T, opts ...jit.Option) *jit.Collection {
	t.Helper()
	text, err := source.ReadFile("programs.go")
	if err != nil {
		t.Fatal(err)
	}
	c, err := jit.CompileSource("programs.go", string(text), opts...)
	if err != nil {
		if os.Getuid() != 0 && os.Getenv("CI") != "true" {
			t.Skipf("needs privileges: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// undergo returns the programs that undergo makes.
func undergo(t *testing.T) compiled {
	t.Helper()
	c := compile(t)
	subjects := make(compiled)
	for name, p := range c.Programs {
		s := &subject{p.BPF(), p.Stats().Insns, p.Spec(), make(map[string]*cebpf.Map)}
		for name, m := range p.Maps() {
			if s.spec.Maps[name] == nil {
				s.maps[name] = m
				s.spec.Maps[name] = &cebpf.MapSpec{Name: name, Type: m.Type(), KeySize: m.KeySize(), ValueSize: m.ValueSize(), MaxEntries: m.MaxEntries(), Flags: m.Flags()}
			}
		}
		subjects[name] = s
	}
	return subjects
}

// clang compiles testdata/programs.c for a version of the instruction set and loads it. It
// returns nil, having said so, where clang is not installed.
func clang(t *testing.T, cpu string) compiled {
	t.Helper()
	if _, err := exec.LookPath("clang-19"); errors.Is(err, exec.ErrNotFound) {
		t.Log("without clang: apt-get install clang-19")
		return nil
	}
	object := filepath.Join(t.TempDir(), "programs.o")
	out, err := exec.Command("clang-19", "-O2", "-g", "-target", "bpf", "-mcpu="+cpu, "-c", "testdata/programs.c", "-o", object).CombinedOutput()
	if err != nil {
		t.Fatalf("clang-19: %v\n%s", err, out)
	}
	spec, err := cebpf.LoadCollectionSpec(object)
	if err != nil {
		t.Fatal(err)
	}
	shared := make(map[string]*cebpf.Map)
	subjects := make(compiled)
	c, err := cebpf.NewCollection(spec.Copy())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for name, m := range c.Maps {
		if !strings.HasPrefix(name, ".") { // not a section of data
			shared[name] = m
		}
	}
	for name, p := range c.Programs {
		alone := spec.Copy()
		alone.Programs = map[string]*cebpf.ProgramSpec{name: alone.Programs[name]}
		subjects[name] = &subject{p, int(spec.Programs[name].Instructions.Size() / 8), alone, shared}
	}
	return subjects
}

// inputs returns packets for which the programs do not end at once.
func inputs() [][]byte {
	r := rand.New(rand.NewPCG(7, 8))
	var list [][]byte
	for n := range 300 {
		p := make([]byte, 128)
		if n%10 == 9 {
			p = p[: 14+r.IntN(64) : 128]
		}
		for i := range p {
			p[i] = byte(r.Uint32())
			if n%3 == 1 {
				p[i] &= 31
			}
		}
		if n%2 == 0 && len(p) > 62 {
			copy(p[12:], "\x08\x00\x45")
			p[23] = 17
			copy(p[42:], "\x03www\x07example\x03com\x00")
		}
		switch n % 7 * min(len(p)/40, 1) {
		case 1:
			copy(p[14:], "deadBEEF")
		case 2:
			copy(p[14:], "GET /index.html")
		case 3:
			copy(p[14:], "DELETE /index.html")
		case 4:
			p[12], p[13] = 0x81, 0
		case 5:
			p[23] = 4
		}
		list = append(list, p)
	}
	return list
}

// maxHeader is how much programs put in front of a packet.
const maxHeader = 20

func run(t *testing.T, s *subject, packet []byte) (uint32, []byte) {
	t.Helper()
	o := cebpf.RunOptions{Data: packet, DataOut: make([]byte, len(packet)+maxHeader+1)}
	r, err := s.prog.Run(&o)
	if err != nil {
		t.Fatal(err)
	}
	return r, o.DataOut
}

// TestEqual compares the results of all programs, native and in the kernel.
func TestEqual(t *testing.T) {
	kinds := []struct {
		name string
		of   compiled
	}{{"undergo", undergo(t)}, {"clang v4", clang(t, "v4")}, {"clang v3", clang(t, "v3")}}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		t.Run(name, func(t *testing.T) {
			for _, packet := range inputs() {
				ctx := ebpf.NewXDP(slices.Clone(packet))
				want := programs[name](ctx)
				for _, kind := range kinds {
					s := kind.of[name]
					if s == nil {
						continue
					}
					if got, out := run(t, s, packet); got != want || !bytes.Equal(out, ctx.Packet()) {
						t.Fatalf("%s: packet %x: %#x, packet %x; natively %#x, packet %x", kind.name, packet, got, out, want, ctx.Packet())
					}
				}
			}
		})
	}
}
