package ir_test

import (
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// TestVerifyText has a body of a function for every rule that can be broken in
// the text form. Each must be reported with the given words, and nothing else.
func TestVerifyText(t *testing.T) {
	const head = `data @d size 8 align 8 rw
map @m
helper lookup 1 (map, mem) sizes (-1) ptr.mapvalue reads
helper mix 2 (scalar, ctx, kernel, func, scalar) i64
helper sized 4 (mem) sizes (1) i64
helper bad 3 (scalar, scalar, scalar, scalar, scalar, scalar) i32
site !0 nil "nil pointer dereference"
func @two() (i32, i64) {
b0:
	v0 = const i32 0
	v1 = const i64 0
	return v0, v1
}
func @one() (i64) {
b0:
	v0 = const i64 0
	return v0
}
func @f(v0 i32, v1 i64, v2 ptr.ctx, v3 ptr.stack, v4 ptr.packet, v5 ptr.packetend, v6 ptr) {
	slot s0 "x" size 16 align 4
b0:
`
	tests := []struct {
		name, body string
		want       []string
	}{
		{"valid", "return", nil},
		{"no terminator", "check v0 !0", []string{"b0: no terminator"}},
		{"const i32", "v7 = const i32 4294967295\nreturn", []string{"not sign-extended"}},
		{"const pointer", "v7 = const ptr 1\nreturn", []string{"pointer and not nil"}},
		{"const mapref", "v7 = const mapref 0\nreturn", []string{"constant of type mapref"}},
		{"mixed integers", "v7 = add i64 v1, v0\nreturn", []string{"b0: v7 = add i64 v1, v0: operand 1 has type i32, want i64"}},
		{"wrong result", "v7 = add i32 v1, v1\nreturn", []string{"has type i32, want i64"}},
		{"arithmetic on pointers", "v7 = add ptr.stack v3, v3\nreturn", []string{"operand 0 has type ptr.stack, want an integer"}},
		{"sextin 32 of i32", "v7 = sextin i32 32 v0\nreturn", []string{"cannot extend from 32 bits"}},
		{"bswap 64 of i32", "v7 = bswap i32 64 v0\nreturn", []string{"cannot swap 64 bits"}},
		{"trunc i32", "v7 = trunc i32 v0\nreturn", []string{"operand 0 has type i32, want i64"}},
		{"compare to i64", "v7 = eq i64 v1, v1\nreturn", []string{"has type i64, want i32"}},
		{"compare int with pointer", "v7 = eq i32 v1, v3\nreturn", []string{"operand 1 has type ptr.stack, want i64"}},
		{"order of pointers", "v7 = ult i32 v3, v3\nreturn", []string{"operand 0 has type ptr.stack, want an integer"}},
		{"order of packet pointers", "v7 = ule i32 v4, v5\nreturn", nil},
		{"signed order of packet pointers", "v7 = sle i32 v4, v5\nreturn", []string{"want an integer"}},
		{"select on i64", "v7 = select i64 v1, v1, v1\nreturn", []string{"operand 0 has type i64, want i32"}},
		{"select mixes pointers", "v7 = select ptr v0, v3, v4\nreturn", nil},
		{"select narrows a pointer", "v7 = select ptr.stack v0, v3, v6\nreturn", []string{"operand 2 is v6 of type ptr, want ptr.stack"}},
		{"pi changes type", "v7 = pi ptr.stack v6\nreturn", []string{"has type ptr.stack, want ptr"}},
		{"slotaddr type", "v7 = slotaddr ptr s0\nreturn", []string{"has type ptr, want ptr.stack"}},
		{"dataaddr range", "v7 = dataaddr ptr.data @d +9\nreturn", []string{"offset 9 of 8 bytes"}},
		{"ptradd of ctx", "v7 = ptradd ptr.ctx v2, v1\nreturn", []string{"operand 0 has type ptr.ctx, which ptradd does not take"}},
		{"ptradd of packet end", "v7 = ptradd ptr.packetend v5, v1\nreturn", []string{"which ptradd does not take"}},
		{"ptradd of i32", "v7 = ptradd ptr.stack v3, v0\nreturn", []string{"operand 1 has type i32, want i64"}},
		{"ptradd type", "v7 = ptradd ptr v3, v1\nreturn", []string{"has type ptr, want ptr.stack"}},
		{"ptrdiff", "v7 = ptrdiff i64 v3, v1\nreturn", []string{"operand 1 has type i64, which ptrdiff does not take"}},
		{"inttoptr", "v7 = inttoptr ptr.stack v1\nreturn", []string{"has type ptr.stack, want ptr"}},
		{"load from int", "v7 = load.4 i32 v1 +0\nreturn", []string{"operand 0 has type i64, which load does not take"}},
		{"load from packet end", "v7 = load.4 i32 v5 +0\nreturn", []string{"which load does not take"}},
		{"load too wide", "v7 = load.8 i32 v3 +0\nreturn", []string{"width 8 of type i32"}},
		{"load odd width", "v7 = load.3 i32 v3 +0\nreturn", []string{"width 3 of type i32"}},
		{"load needless sign", "v7 = load.4s i32 v3 +0\nreturn", []string{"sign extension of all 4 bytes"}},
		{"load unaligned pointer", "v7 = load.8 ptr v3 +4\nreturn", []string{"pointer at displacement 4"}},
		{"load half a pointer", "v7 = load.4 ptr v3 +0\nreturn", []string{"width 4 of a pointer"}},
		{"load packet pointer of context", "v7 = load.4 ptr.packet v2 +4\nreturn", nil},
		{"load packet pointer of stack", "v7 = load.4 ptr.packet v3 +0\nreturn", []string{"width 4 of a pointer"}},
		{"load a map", "v7 = load.8 mapref v3 +0\nreturn", []string{"type mapref cannot be in memory"}},
		{"load unaligned slot", "v7 = slotaddr ptr.stack s0\nv8 = load.4 i32 v7 +2\nreturn", []string{"unaligned access to s0"}},
		{"load too wide for slot", "v7 = slotaddr ptr.stack s0\nv8 = load.8 i64 v7 +8\nreturn", []string{"unaligned access to s0, which is aligned to 4"}},
		{"store has a value", "v7 = store.4 i32 v3 +0, v0\nreturn", []string{"has type i32, want void"}},
		{"store too wide", "store.8 v3 +0, v0\nreturn", []string{"width 8 of type i32"}},
		{"store narrow", "store.1 v3 +0, v1\nreturn", nil},
		{"store unaligned pointer", "store.8 v3 +4, v2\nreturn", []string{"pointer at displacement 4"}},
		{"memzero nothing", "memzero 0 v3 +0\nreturn", []string{"size 0"}},
		{"memzero ctx", "memzero 8 v2 +0\nreturn", []string{"which memzero does not take"}},
		{"memcopy from ctx", "memcopy 8 v3, v2\nreturn", []string{"operand 1 has type ptr.ctx, which memcopy does not take"}},
		{"atomic width", "atomic.8 add v3 +0, v0\nreturn", []string{"width 8 of type i32"}},
		{"atomic ctx", "atomic.4 add v2 +0, v0\nreturn", []string{"which atomic does not take"}},
		{"atomic value", "v7 = atomic.4 i32 add v3 +0, v0\nreturn", []string{"has type i32, want void"}},
		{"atomic no value", "atomic.4 xchg v3 +0, v0\nreturn", []string{"has type void, want i32"}},
		{"atomic operands", "v7 = atomic.4 i32 cmpxchg v3 +0, v0\nreturn", []string{"2 operands, want 3"}},
		{"atomic displacement", "atomic.4 add v3 +2, v0\nreturn", []string{"atomic access at displacement 2"}},
		{"call arguments", "v7 = call void @two(v0)\nv8 = result i32 0 v7\nreturn", []string{"1 arguments for 0 parameters"}},
		{"call type", "v7 = call i32 @two()\nreturn", []string{"has type i32, want void"}},
		{"result number", "v7 = call void @two()\nv8 = result i64 2 v7\nreturn", []string{"result 2 of 2"}},
		{"result type", "v7 = call void @two()\nv8 = result i64 0 v7\nreturn", []string{"has type i64, want i32"}},
		{"result of no call", "v8 = result i64 0 v1\nreturn", []string{"operand 0 is not a call", "does not follow its call"}},
		{"result apart", "v7 = call void @two()\nv8 = add i64 v1, v1\nv9 = result i64 1 v7\nreturn", []string{"does not follow its call"}},
		{"void operand", "v7 = call void @two()\nv8 = add i64 v7, v1\nreturn", []string{"operand 0 has no value"}},
		{"void on an edge", "v7 = call void @two()\njump b1(v7)\nb1(v8 i64):\nreturn", []string{"operand 0 has no value"}},
		{"helper declaration", "v7 = helper i32 bad(v1, v1, v1, v1, v1, v1)\nreturn", []string{"helper with 6 parameters", "result of type i32"}},
		{"helper sizes", "v7 = helper i64 sized(v3)\nreturn", []string{"helper size 0 is parameter 1 of 1"}},
		{"helper too many", "v7 = helper i64 sized(v3, v1)\nreturn", []string{"helper size 0", "2 arguments for 1 parameters"}},
		{"call without results", "v7 = call i64 @one()\nv8 = result i64 0 v7\nreturn", []string{"operand 0 is a call with 1 results"}},
		{"select of nothing", "v7 = select void v0, v1, v1\nv8 = neg i64 v7\nreturn", []string{"has no value", "operand 0 has no value"}},
		{"helper arguments", "v7 = helper ptr.mapvalue lookup(v3, v1)\nreturn", []string{"argument 0 has type ptr.stack, want map", "argument 1 has type i64, want mem"}},
		{"helper kinds", "v7 = helper i64 mix(v3, v3, v1, v3)\nreturn", []string{
			"argument 0 has type ptr.stack, want scalar", "argument 1 has type ptr.stack, want ctx",
			"argument 2 has type i64, want kernel", "argument 3 has type ptr.stack, want func"}},
		{"helper without last scalar", "v7 = funcaddr funcref @two\nv8 = helper i64 mix(v1, v2, v6, v7)\nreturn", nil},
		{"helper too few", "v7 = mapref mapref @m\nv8 = helper ptr.mapvalue lookup(v7)\nreturn", []string{"argument 1 (mem) is missing"}},
		{"helper result", "v7 = helper i64 lookup()\nreturn", []string{"has type i64, want ptr.mapvalue", "argument 0 (map) is missing", "argument 1 (mem) is missing"}},
		{"check on i64", "check v1 !0\nreturn", []string{"operand 0 has type i64, want i32"}},
		{"checkidx types", "v7 = checkidx i64 v1, v0 !0\nreturn", []string{"operand 1 has type i32, want i64"}},
		{"checkule of packet", "v7 = checkule ptr.packet v4, v5 !0\nreturn", nil},
		{"checknonnil of int", "v7 = checknonnil i64 v1 !0\nreturn", []string{"which checknonnil does not take"}},
		{"checknonnil type", "v7 = checknonnil ptr.stack v6 !0\nreturn", []string{"has type ptr.stack, want ptr"}},
		{"use before definition", "v7 = add i64 v8, v1\nv8 = add i64 v1, v1\nreturn", []string{"operand 0, v8, is used before it is defined"}},
		{"use of itself", "v7 = add i64 v7, v1\nreturn", []string{"operand 0, v7, is used before"}},
		{"use on another path", "branch v0, b1, b2\nb1:\nv7 = add i64 v1, v1\njump b2\nb2:\nv8 = add i64 v7, v1\nreturn", []string{"b2: v8 = add i64 v7, v1: operand 0, v7, is used before"}},
		{"use of a later parameter", "jump b1(v7)\nb1(v7 i64):\nreturn", []string{"b0: operand 0, v7, is used before"}},
		{"unreachable use", "return\nb1:\nv7 = add i64 v8, v1\nv8 = add i64 v1, v1\nreturn", nil},
		{"branch on i64", "branch v1, b1, b1\nb1:\nreturn", []string{"branch on a value of type i64"}},
		{"edge count", "jump b1\nb1(v7 i64):\nreturn", []string{"b0: successor 0 has 0 arguments for 1 parameters"}},
		{"edge type", "jump b1(v0)\nb1(v7 i64):\nreturn", []string{"argument 0 is v0 of type i32, want i64"}},
		{"nil on an edge", "v7 = const ptr 0\njump b1(v7, v3)\nb1(v8 ptr.ctx, v9 ptr):\nreturn", nil},
		{"edge to entry", "jump b0(v0, v1, v2, v3, v4, v5, v6)", []string{"successor 0 is the entry block"}},
		{"return count", "return v0", []string{"return has 1 operands, want 0"}},
		{"void parameter", "return\nb1(v7 void):\nreturn", []string{"parameter of type void"}},
		{"all of them", "v7 = add i64 v0, v0\nv8 = neg i32 v1\njump b1(v0)\nb1(v9 i64):\nreturn v1", []string{
			"b0: v7 = add", "b0: v8 = neg", "b0: argument 0", "b1: return has"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ir.Parse(head + tt.body + "\n}")
			if err != nil {
				t.Fatal(err)
			}
			checkErrors(t, ir.Verify(m), tt.want)
		})
	}
}

// checkErrors checks that err consists of one error for each of want, and
// contains it.
func checkErrors(t *testing.T, err error, want []string) {
	t.Helper()
	var got []string
	if err != nil {
		got = strings.Split(err.Error(), "\n")
	}
	if len(got) != len(want) {
		t.Fatalf("%d errors, want %d:\n%v", len(got), len(want), err)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("error %q, want %q", got[i], want[i])
		}
	}
}

// TestVerifyGraph breaks what the text form cannot express.
func TestVerifyGraph(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(m *ir.Module, f *ir.Func)
		want  []string
	}{
		{"listed twice", func(m *ir.Module, f *ir.Func) { m.Funcs = append(m.Funcs, f) }, []string{"listed twice"}},
		{"same name", func(m *ir.Module, f *ir.Func) {
			g := m.NewFunc("f", 0)
			g.NewBlock().Panic(0, m.NewSite(ir.PanicExplicit, "", 0))
		}, []string{"two functions are named"}},
		{"same map", func(m *ir.Module, f *ir.Func) { m.Maps = []*ir.Map{{Name: "m"}, {Name: "m"}} }, []string{"two maps are named"}},
		{"data alignment", func(m *ir.Module, f *ir.Func) { m.Data = []*ir.Data{{Name: "d", Align: 3}} }, []string{"aligned to 3"}},
		{"data room", func(m *ir.Module, f *ir.Func) { m.Data = []*ir.Data{{Name: "d", Align: 1, Room: -1}} }, []string{"has room -1"}},
		{"site index", func(m *ir.Module, f *ir.Func) { m.NewSite(ir.PanicNil, "", 0).Index = 7 }, []string{"site 0 has index 7"}},
		{"no blocks", func(m *ir.Module, f *ir.Func) { m.NewFunc("g", 0) }, []string{"no entry block"}},
		{"no module", func(m *ir.Module, f *ir.Func) { f.Module = nil }, []string{"another module"}},
		{"result type", func(m *ir.Module, f *ir.Func) {
			f.Blocks[3].Term.Args = nil
			f.Results[0] = ir.Void
		}, []string{"result 0 has type void", "return has 0 operands"}},
		{"slot index", func(m *ir.Module, f *ir.Func) { f.Slots[0].Index = 2 }, []string{"slot s0 has index 2", "missing or belongs elsewhere"}},
		{"slot alignment", func(m *ir.Module, f *ir.Func) { f.Slots[0].Align = 16 }, []string{"alignment 16"}},
		{"slot of another function", func(m *ir.Module, f *ir.Func) {
			f.Entry().Instrs[1].Aux = m.NewFunc("g", 0).NewSlot("y", 8, 8, 0)
			m.Funcs = m.Funcs[:1]
		}, []string{"belongs elsewhere"}},
		{"block of another function", func(m *ir.Module, f *ir.Func) { f.Blocks[1].Func = nil }, []string{"block 1 belongs to another"}},
		{"block ID", func(m *ir.Module, f *ir.Func) { f.Blocks[1].ID = 2 }, []string{"block 2 has the ID of another, 2"}},
		{"block ID out of range", func(m *ir.Module, f *ir.Func) { f.Blocks[1].ID = 9 }, []string{"block 1 has ID 9 of 4"}},
		{"edge to nowhere", func(m *ir.Module, f *ir.Func) { f.Blocks[2].Term.Succs[0].To = nil }, []string{"successor 0 is not a block"}},
		{"value ID", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[0].ID = -1 }, []string{
			"ID -1 of 9", "operand 0 is not a value", "operand 1 is not a value"}},
		{"same value ID", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[2].ID = 1 }, []string{"has the ID of another value, 1"}},
		{"value twice", func(m *ir.Module, f *ir.Func) {
			f.Entry().Instrs = append(f.Entry().Instrs, f.Entry().Instrs[2])
		}, []string{"stands in two places"}},
		{"value's block", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[2].Block = nil }, []string{"Block is not the block"}},
		{"parameter in the middle", func(m *ir.Module, f *ir.Func) {
			f.Entry().Append(f.NewValue(ir.OpParam, ir.I64, 0))
		}, []string{"operation out of place"}},
		{"invalid operation", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[2].Op = ir.OpInvalid }, []string{"invalid operation 0"}},
		{"missing operand", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[2].Args[1] = nil }, []string{"operand 1 is missing"}},
		{"operand count", func(m *ir.Module, f *ir.Func) {
			f.Entry().Instrs[2].Args = f.Entry().Instrs[2].Args[:1]
		}, []string{"1 operands, want 2"}},
		{"shared operands", func(m *ir.Module, f *ir.Func) {
			v := f.Entry().Instrs[2]
			w := f.Entry().Append(f.NewValue(v.Op, v.Type, v.Pos, v.Args...))
			w.Width = v.Width
		}, []string{"operands in the memory of another"}},
		{"unplaced operand", func(m *ir.Module, f *ir.Func) {
			f.Entry().Instrs[2].Args[1] = f.NewValue(ir.OpConst, ir.I64, 0)
		}, []string{"operand 1 is not a value of the function"}},
		{"unused width", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[0].Width = 4 }, []string{"unused Width is 4"}},
		{"unused signed", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[2].Signed = true }, []string{"unused Signed"}},
		{"unused size", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[2].Size = 8 }, []string{"unused Size is 8"}},
		{"unused imm", func(m *ir.Module, f *ir.Func) { f.Blocks[2].Instrs[0].Imm = 1 }, []string{"unused Imm is 1"}},
		{"unused aux", func(m *ir.Module, f *ir.Func) { f.Blocks[2].Instrs[0].Aux = ir.AtomicAdd }, []string{"unused Aux"}},
		{"wrong aux", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[1].Aux = ir.AtomicAdd }, []string{"missing or belongs elsewhere"}},
		{"nil aux", func(m *ir.Module, f *ir.Func) { f.Entry().Instrs[1].Aux = (*ir.Slot)(nil) }, []string{"missing or belongs elsewhere"}},
		{"site of a panic", func(m *ir.Module, f *ir.Func) { f.Blocks[3].Panic(0, new(ir.Site)) }, []string{"site is missing"}},
		{"site of a return", func(m *ir.Module, f *ir.Func) {
			f.Blocks[3].Term.Site = m.NewSite(ir.PanicNil, "", 0)
		}, []string{"return has a site"}},
		{"successors of a return", func(m *ir.Module, f *ir.Func) {
			f.Blocks[3].Term.Succs = []ir.Edge{{To: f.Blocks[3], Args: f.Blocks[3].Params}}
		}, []string{"return has 1 successors"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, loopText)
			tt.spoil(m, m.Funcs[0])
			checkErrors(t, ir.Verify(m), tt.want)
		})
	}
}

// TestVerifyFunc checks that a function is verified without its siblings.
func TestVerifyFunc(t *testing.T) {
	m := parse(t, loopText)
	m.NewFunc("unfinished", 0)
	if err := ir.VerifyFunc(m.Funcs[0]); err != nil {
		t.Error(err)
	}
	checkErrors(t, ir.VerifyFunc(m.Funcs[1]), []string{"func @unfinished: no entry block"})
}
