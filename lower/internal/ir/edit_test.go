package ir_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// A function with a loop, used by the tests of edits.
const loopText = `func @f(v0 i64) (i64) {
	slot s0 "x" size 8 align 8
b0:
	v1 = const i64 1
	v2 = slotaddr ptr.stack s0
	store.8 v2 +0, v0
	jump b1(v1, v0)
b1(v3 i64, v4 i64):
	v5 = ult i32 v3, v0
	branch v5, b2(), b3(v4)
b2:
	v6 = add i64 v3, v1
	jump b1(v6, v4)
b3(v7 i64):
	return v7
}
`

// byName returns the value that is printed as name.
func byName(t testing.TB, f *ir.Func, name string) *ir.Value {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(name, "v%d", &n); err != nil {
		t.Fatal(err)
	}
	// In parsed text of the normal form, named values are in printed order.
	i := 0
	for _, b := range f.Blocks {
		for _, v := range append(b.Params[:len(b.Params):len(b.Params)], b.Instrs...) {
			if v.Type == ir.Void {
				continue
			}
			if i == n {
				return v
			}
			i++
		}
	}
	t.Fatalf("no value %s", name)
	return nil
}

// check verifies f's module and compares f with want.
func check(t *testing.T, f *ir.Func, want string) {
	t.Helper()
	if err := ir.Verify(f.Module); err != nil {
		t.Error(err)
	}
	if got := f.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestUses(t *testing.T) {
	f := parse(t, loopText).Funcs[0]
	uses := ir.Uses(f)
	tests := []struct {
		value string
		want  string // block.instruction or -.succ.index
	}{
		{"v0", "b0:store[1] b0:->0[1] b1:ult[1]"},
		{"v1", "b0:->0[0] b2:add[1]"},
		{"v4", "b1:->1[0] b2:->0[1]"},
		{"v5", "b1:-[0]"},
		{"v7", "b3:-[0]"},
	}
	for _, tt := range tests {
		v := byName(t, f, tt.value)
		var got []string
		for _, u := range uses.Of(v) {
			user := "-"
			if u.User != nil {
				user = u.User.Op.String()
			} else if u.Succ >= 0 {
				user = fmt.Sprintf("->%d", u.Succ)
			}
			got = append(got, fmt.Sprintf("b%d:%s[%d]", u.Block.ID, user, u.Index))
			if u.Get() != v {
				t.Errorf("Get of a use of %s is another value", tt.value)
			}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("uses of %s: %s, want %s", tt.value, got, tt.want)
		}
		if uses.Count(v) != len(got) {
			t.Errorf("count of %s is %d, want %d", tt.value, uses.Count(v), len(got))
		}
	}
	for _, u := range uses.Of(byName(t, f, "v4")) {
		u.Set(byName(t, f, "v1"))
	}
	check(t, f, strings.NewReplacer("b3(v4)", "b3(v1)", "v6, v4", "v6, v1").Replace(loopText))
}

func TestReplaceAll(t *testing.T) {
	f := parse(t, loopText).Funcs[0]
	v0, v1, v4, v5 := byName(t, f, "v0"), byName(t, f, "v1"), byName(t, f, "v4"), byName(t, f, "v5")
	repl := map[*ir.Value]*ir.Value{v4: v1, v1: v0}
	ir.ReplaceAll(f, repl)
	if repl[v4] != v0 {
		t.Error("the chain was not shortened")
	}
	if ir.Resolve(repl, v5) != v5 {
		t.Error("a value without a replacement was resolved to another")
	}
	check(t, f, strings.NewReplacer(
		"b1(v1, v0)", "b1(v0, v0)", "v3, v1", "v3, v0", "b3(v4)", "b3(v0)", "v6, v4", "v6, v0",
	).Replace(loopText))
}

func TestRemoveUnreachable(t *testing.T) {
	const dead = "b4:\n\tjump b5()\nb5:\n\tv8 = const i64 2\n\tjump b1(v8, v8)\n}\n"
	f := parse(t, strings.TrimSuffix(loopText, "}\n")+dead).Funcs[0]
	if !ir.RemoveUnreachable(f) || len(f.Blocks) != 4 {
		t.Errorf("%d blocks left", len(f.Blocks))
	}
	check(t, f, loopText)
	if ir.RemoveUnreachable(f) {
		t.Error("removed something twice")
	}
}

func TestSplit(t *testing.T) {
	f := parse(t, loopText).Funcs[0]
	// The edge from b1 to b3, and b0 before its store.
	mid := ir.SplitEdge(ir.Pred{Block: f.Blocks[1], Succ: 1})
	if mid.Term.Succs[0].To != f.Blocks[3] {
		t.Error("the new block does not lead to the target")
	}
	rest := ir.SplitBlock(f.Blocks[0], 2)
	if len(rest.Instrs) != 1 || rest.Instrs[0].Block != rest {
		t.Error("the rest is not the store")
	}
	f.Blocks[0].Jump(0, rest)
	check(t, f, `func @f(v0 i64) (i64) {
	slot s0 "x" size 8 align 8
b0:
	v1 = const i64 1
	v2 = slotaddr ptr.stack s0
	jump b1()
b1:
	store.8 v2 +0, v0
	jump b2(v1, v0)
b2(v3 i64, v4 i64):
	v5 = ult i32 v3, v0
	branch v5, b3(), b4()
b3:
	v6 = add i64 v3, v1
	jump b2(v6, v4)
b4:
	jump b5(v4)
b5(v7 i64):
	return v7
}
`)
}

func TestInsertRemove(t *testing.T) {
	f := parse(t, loopText).Funcs[0]
	entry, header := f.Blocks[0], f.Blocks[1]
	// The second parameter of the header is always v0.
	ir.ReplaceAll(f, map[*ir.Value]*ir.Value{byName(t, f, "v4"): byName(t, f, "v0")})
	header.RemoveParam(1, ir.Preds(f)[header.ID])
	if !entry.RemoveFunc(func(v *ir.Value) bool { return v.Op == ir.OpStore }) {
		t.Error("nothing removed")
	}
	if entry.RemoveFunc(func(v *ir.Value) bool { return v.Op == ir.OpStore }) {
		t.Error("removed something twice")
	}
	zero := f.NewValue(ir.OpMemZero, ir.Void, 0, byName(t, f, "v2"))
	zero.Size = 8
	entry.Insert(2, zero)
	check(t, f, `func @f(v0 i64) (i64) {
	slot s0 "x" size 8 align 8
b0:
	v1 = const i64 1
	v2 = slotaddr ptr.stack s0
	memzero 8 v2 +0
	jump b1(v1)
b1(v3 i64):
	v4 = ult i32 v3, v0
	branch v4, b2(), b3(v0)
b2:
	v5 = add i64 v3, v1
	jump b1(v5)
b3(v6 i64):
	return v6
}
`)
}

func TestCloneInto(t *testing.T) {
	m := parse(t, loopText+`
func @caller(v0 i64) (i64) {
	slot s0 "own" size 4 align 4
b0:
	v1 = call i64 @f(v0)
	return v1
}
`)
	src, dst := m.Funcs[0], m.Funcs[1]
	c := ir.CloneInto(dst, src)

	// Connect the copy as an inliner does.
	entry := dst.Entry()
	call := entry.Instrs[0]
	rest := ir.SplitBlock(entry, 1)
	entry.RemoveFunc(func(v *ir.Value) bool { return v == call })
	entry.Jump(0, c.Block(src.Entry()), call.Args...)
	result := rest.AddParam(ir.I64, 0)
	ir.ReplaceAll(dst, map[*ir.Value]*ir.Value{call: result})
	exit := c.Block(src.Blocks[3])
	exit.Jump(0, rest, c.Value(byName(t, src, "v7")))

	check(t, src, loopText)
	check(t, dst, `func @caller(v0 i64) (i64) {
	slot s0 "own" size 4 align 4
	slot s1 "x" size 8 align 8
b0:
	jump b1(v0)
b1(v1 i64):
	v2 = const i64 1
	v3 = slotaddr ptr.stack s1
	store.8 v3 +0, v1
	jump b2(v2, v1)
b2(v4 i64, v5 i64):
	v6 = ult i32 v4, v1
	branch v6, b3(), b4(v5)
b3:
	v7 = add i64 v4, v2
	jump b2(v7, v5)
b4(v8 i64):
	jump b5(v8)
b5(v9 i64):
	return v9
}
`)
	if s := c.Slot(src.Slots[0]); s != dst.Slots[1] {
		t.Errorf("the copy of the slot is %v", s)
	}
}

func TestCompact(t *testing.T) {
	f := parse(t, loopText).Funcs[0]
	var order []*ir.Value
	for range 3 { // what is made and removed leaves gaps in front of what is made next
		f.NewBlock().Term = ir.Term{Kind: ir.TermUnreachable}
		f.Entry().Insert(0, f.NewValue(ir.OpConst, ir.I64, 0), f.NewValue(ir.OpConst, ir.I64, 0))
		f.Entry().RemoveFunc(func(v *ir.Value) bool { return v == f.Entry().Instrs[0] })
	}
	ir.RemoveUnreachable(f)
	for _, b := range f.Blocks {
		order = append(append(order, b.Params...), b.Instrs...)
	}
	slices.SortFunc(order, func(v, w *ir.Value) int { return int(v.ID - w.ID) })
	text := f.String()
	if f.NumValues() <= len(order) || f.NumBlocks() <= len(f.Blocks) {
		t.Fatalf("no gaps: %d values, %d blocks", f.NumValues(), f.NumBlocks())
	}
	f.Compact()
	for i, v := range order {
		if int(v.ID) != i {
			t.Errorf("value %d of %d has number %d", i, len(order), v.ID)
		}
	}
	if f.NumValues() != len(order) || f.NumBlocks() != len(f.Blocks) {
		t.Errorf("%d values for %d, %d blocks for %d", f.NumValues(), len(order), f.NumBlocks(), len(f.Blocks))
	}
	if got := f.String(); got != text {
		t.Errorf("from\n%s\nto\n%s", text, got)
	}
}
