package opt

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// TestCombineRandom compares functions that read and write memory byte by byte, in
// orders and places that mostly, but not always, make a run.
func TestCombineRandom(t *testing.T) {
	combined := 0
	for seed := range uint64(400) {
		g := &byteGen{r: rand.New(rand.NewPCG(seed, 7))}
		s := &subject{text: g.module()}
		m := parse(t, s.text)
		for range 4 {
			s.args = append(s.args, []uint64{g.r.Uint64(), g.r.Uint64() & 0xff})
			o, err := observe(m, s.args[len(s.args)-1])
			if err != nil {
				t.Fatalf("%v\n%s", err, s.text)
			}
			s.want = append(s.want, o)
		}
		s.check(t, seed, passNamed(t, "combine"), passNamed(t, "fold"), passNamed(t, "combine"))
		Combine(m.Funcs[0], testConfig())
		for _, v := range m.Funcs[0].Blocks[0].Instrs {
			if v.Op == ir.OpBswap || (v.Op == ir.OpLoad || v.Op == ir.OpStore) && v.Width > 2 {
				combined++
				break
			}
		}
	}
	if combined < 100 {
		t.Errorf("only %d functions have a combined access", combined)
	}
}

// A byteGen generates such a function.
type byteGen struct {
	r     *rand.Rand
	b     strings.Builder
	value int
	nums  []string // values of type i64
}

func (g *byteGen) emit(format string, args ...any) string {
	g.value++
	name := fmt.Sprintf("v%d", g.value)
	fmt.Fprintf(&g.b, "\t%s = %s\n", name, fmt.Sprintf(format, args...))
	return name
}

func (g *byteGen) module() string {
	g.b.WriteString("data @d size 32 align 8 rw \"\"\n\nfunc @f0(v0 i64, v1 i64) (i64, i64) {\n\tslot s0 \"s\" size 32 align 8\nb0:\n")
	g.value = 1
	g.nums = []string{"v0", "v1"}
	bases := []string{g.emit("slotaddr ptr.stack s0"), g.emit("dataaddr ptr.data @d +0")}
	fmt.Fprintf(&g.b, "\tmemzero 32 %s +0\n", bases[0])
	for range 2 + g.r.IntN(4) {
		base := bases[g.r.IntN(2)]
		if g.r.IntN(2) == 0 {
			g.join(base)
		} else {
			g.split(base)
		}
	}
	fmt.Fprintf(&g.b, "\treturn %s, %s\n}\n", g.nums[len(g.nums)-1], g.nums[g.r.IntN(len(g.nums))])
	return g.b.String()
}

// order returns the order of the bytes of a number of the given size in memory.
func (g *byteGen) order(size int) []int {
	order := make([]int, size)
	reversed := g.r.IntN(2) == 0
	for i := range order {
		order[i] = i
		if reversed {
			order[i] = size - 1 - i
		}
	}
	if g.r.IntN(5) == 0 {
		i, j := g.r.IntN(size), g.r.IntN(size)
		order[i], order[j] = order[j], order[i]
	}
	return order
}

func (g *byteGen) offset(size int) int {
	off := g.r.IntN(32 - size + 1)
	if g.r.IntN(3) > 0 {
		off -= off % size
	}
	return off
}

// join reads a number byte by byte.
func (g *byteGen) join(base string) {
	size := 2 << g.r.IntN(3)
	off := g.offset(size)
	sum := ""
	for i, at := range g.order(size) {
		if g.r.IntN(12) == 0 { // write in between
			fmt.Fprintf(&g.b, "\tstore.1 %s +%d, v0\n", base, g.r.IntN(32))
		}
		x := g.emit("load.1 i64 %s +%d", base, off+i)
		x = g.emit("shl i64 %s, %s", x, g.emit("const i64 %d", 8*at))
		if sum == "" {
			sum = x
		} else {
			sum = g.emit("%s i64 %s, %s", [...]string{"or", "add", "xor"}[g.r.IntN(3)], sum, x)
		}
	}
	g.nums = append(g.nums, sum)
}

// split writes a number byte by byte.
func (g *byteGen) split(base string) {
	size := 2 << g.r.IntN(3)
	off := g.offset(size)
	x := g.nums[g.r.IntN(len(g.nums))]
	order := g.order(size)
	for _, i := range g.r.Perm(size) {
		if g.r.IntN(12) == 0 { // read in between
			g.nums = append(g.nums, g.emit("load.2 i64 %s +%d", base, 2*g.r.IntN(16)))
		}
		y := g.emit("lshr i64 %s, %s", x, g.emit("const i64 %d", 8*order[i]))
		fmt.Fprintf(&g.b, "\tstore.1 %s +%d, %s\n", base, off+i, y)
	}
}

// TestCombineChains combines what is at the beginning of chains of joins.
func TestCombineChains(t *testing.T) {
	for last := 7; last < 60; last++ {
		var text strings.Builder
		text.WriteString(`func @f(v0 ptr.mapvalue, v1 i32) (i32) {
b0:
	v2 = load.1 i32 v0 +0
	v3 = load.1 i32 v0 +1
	v4 = const i32 8
	v5 = shl i32 v3, v4
	v6 = or i32 v2, v5
`)
		for n := 7; n <= last; n++ {
			fmt.Fprintf(&text, "\tv%d = xor i32 v%d, v1\n", n, n-1)
		}
		fmt.Fprintf(&text, "\treturn v%d\n}\n", last)
		m := parse(t, text.String())
		Combine(m.Funcs[0], testConfig())
		for _, v := range m.Funcs[0].Blocks[0].Instrs {
			if v.Op == ir.OpLoad && v.Width == 1 {
				t.Fatalf("the bytes are loaded one by one:\n%s", m)
			}
		}
	}
}
