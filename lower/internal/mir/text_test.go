package mir

import (
	"reflect"
	"strings"
	"testing"
)

// everyOp holds one valid instruction of each form. The header declares what
// they refer to.
const everyOpHeader = `func main entry params=1 @7
	slot s0 16 8 "buf" @9
	slot s1 8 8 "x y"
b0: depth=2
	mov v16, r1
	mov v17, 1
	mov r0, 0
`

var everyOp = []string{
	"mov v16, v17", "mov32 v16, v17", "mov v16, -9223372036854775808", "mov32 v16, 4294967295 @12",
	"movsx.1 v16, v17", "movsx32.2 v16, v17", "movsx.4 v16, v17",
	"frameaddr v16, s0+8", "opaque v16", "looplimit panic 2",
	"loadsym v16, data .rodata+4", `loadsym v16, map "my map"+0`, "loadsym v16, func main.cb+0",
	"add v16, v17", "add32 v16, -1", "sub v16, 2147483647", "mul32 v16, v17", "div v16, v17", "sdiv32 v16, 3",
	"rem v16, 3", "srem v16, v17", "and v16, -2147483648", "or v16, v17", "xor32 v16, v17",
	"lsh v16, 63", "rsh32 v16, 31", "arsh v16, v17",
	"neg v16", "neg32 v16", "be.2 v16", "le.4 v16", "bswap.8 v16",
	"load.8 v16, [v17+32767]", "load.1s v16, [v17-32768]", "load.4 v16, [s0+4]", "load.8 r0, [r10-8]",
	"store.1 [v16+0], v17", "store.8 [s1+0], -5", "store.4 [s0+12], v16",
	"atomic.8 add [v16+0], v17", "atomic.4 fetchor [s0+4], v17", "atomic.8 and [v16+0], v17",
	"atomic.8 or [v16+0], v17", "atomic.8 xor [v16+0], v17", "atomic.8 fetchadd [v16+0], v17",
	"atomic.8 fetchand [v16+0], v17", "atomic.8 fetchxor [v16+0], v17", "atomic.8 xchg [v16+0], v17",
	"atomic.8 cmpxchg [v16+0], v17",
	"callhelper ktime_get_ns#5(0)", "callfn main.cb(0)",
	"cset v16, v17 eq 0", "cset32 v16, v17 slt v17",
	"cmov v16, v17 ne 0 else v16", "cmov32 v16, v17 ugt -1 else -3",
	"check v16 uge 4, panic 0", "check32 v16 sgt v17, panic 3",
	"check v16 set 1, panic 1", "check v16 ult v17, panic 1", "check v16 ule v17, panic 1",
	"check v16 sle v17, panic 1", "check v16 sge v17, panic 1",
	"jmp b1", "br v16 eq 0, b1, b1", "br32 v16 ne v17, b1, b1", "exit", "panic 2", "unreachable",
}

const everyOpTail = `b1:
	unreachable

func main.cb params=0
b0:
	mov r0, 0
	exit
`

// moduleWith returns a module whose first block ends in inst.
func moduleWith(inst string) string {
	text := everyOpHeader + "\t" + inst + "\n"
	name, _, _ := strings.Cut(inst, " ")
	name, _ = strings.CutSuffix(name, "32")
	terminated := false
	for op := range numOps {
		terminated = terminated || opTable[op].Name == name && opTable[op].Term
	}
	if !terminated {
		text += "\tunreachable\n"
	}
	return text + everyOpTail
}

func TestRoundTrip(t *testing.T) {
	seen := map[Op]bool{}
	conds := map[Cond]bool{}
	atomics := map[int64]bool{}
	for _, inst := range everyOp {
		text := moduleWith(inst)
		m, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", inst, err)
			continue
		}
		if got := m.String(); got != text {
			t.Errorf("printed\n%s\nwant\n%s", got, text)
		}
		if err := Verify(m); err != nil {
			t.Errorf("%s: %v", inst, err)
		}
		in := m.Funcs[0].Blocks[0].Insts[3]
		if got := in.String(); got != inst {
			t.Errorf("instruction printed as %q, want %q", got, inst)
		}
		seen[in.Op] = true
		conds[in.Cond] = true
		if in.Op == OpAtomic {
			atomics[in.Imm] = true
		}
	}
	for op := OpInvalid + 1; op < numOps; op++ {
		if !seen[op] {
			t.Errorf("no example of operation %v", op)
		}
	}
	for c := CondNone + 1; c < NumConds; c++ {
		if !conds[c] {
			t.Errorf("no example of condition %v", c)
		}
	}
	for _, a := range atomicNames {
		if !atomics[a.imm] {
			t.Errorf("no example of atomic operation %s", a.name)
		}
	}
}

// TestSyntaxTable checks that the text form mentions the operands that the
// operation table says an operation has.
func TestSyntaxTable(t *testing.T) {
	names := map[string]Op{}
	for op := OpInvalid + 1; op < numOps; op++ {
		info := op.Info()
		if info.Name == "" {
			t.Fatalf("operation %d has no row in the table", op)
		}
		if other, dup := names[info.Name]; dup {
			t.Errorf("operations %d and %d are both named %s", op, other, info.Name)
		}
		names[info.Name] = op
		for _, c := range []struct {
			field string
			in    string
			want  bool
		}{
			{"Dst", "DN", info.Dst != NoUse},
			{"Src", "SRM", info.Src != NoUse},
			{"Src2", "TX", info.Src2 != NoUse},
			{"Src or Imm", "S", info.HasImm},
		} {
			if op.uses(c.in) != c.want {
				t.Errorf("%v: text form mentions %s: %v, table says %v", op, c.field, !c.want, c.want)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	const head = "func f params=0\n\tslot s0 8 8 \"x\"\nb0:\n\t"
	tests := []struct{ text, want string }{
		{"b0:", "line 1: expected func"},
		{"func 1 params=0", "line 1: expected a name"},
		{"func f", `line 1: expected " params="`},
		{"func f params=0\n\texit", "line 2: instruction outside of a block"},
		{"func f params=0\n\tslot s1 8 8 \"x\"", `line 2: expected " s0 "`},
		{"func f params=0\nb0:\nb0:", "line 3: block b0 defined twice"},
		{"func f params=0\nb9999999:", "malformed number"},
		{"func f params=0\nx:", "expected bN"},
		{head + "jmp b7\n", "line 4: block b7 is not in function f"},
		{head + "frob v16", `unknown operation "frob"`},
		{head + "mov v16", "expected"},
		{head + "mov v15, 1", `no register "v15"`},
		{head + "mov r11, 1", `no register "r11"`},
		{head + "mov v16, 99999999999999999999", "expected a number"},
		{head + "mov.4 v16, 1", "width missing or out of place"},
		{head + "load v16, [v16+0]", "width missing or out of place"},
		{head + "load.x v16, [v16+0]", "malformed width"},
		{head + "load.8 v16, [v16]", "expected a signed number"},
		{head + "load.8 v16, [v16+99999999999]", "out of range"},
		{head + "load.8 v16, [s1+0]", "no slot s1"},
		{head + "br v16 less 1, b0, b0", `unknown condition "less"`},
		{head + "atomic.8 nand [v16+0], v17", `unknown atomic operation "nand"`},
		{head + "callhelper x#y(0)", "expected a number"},
		{head + "loadsym v16, sym x+0", `unknown kind of symbol "sym"`},
		{head + "exit @0", "malformed position"},
		{head + "exit 1", `expected "@"`},
	}
	for _, test := range tests {
		_, err := Parse(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Parse(%q) = %v, want error with %q", test.text, err, test.want)
		}
	}
}

// FuzzParse checks that whatever Parse accepts is printed in a form that
// reads back as the same module, and that the verifiers survive it.
func FuzzParse(f *testing.F) {
	for _, inst := range everyOp {
		f.Add(moduleWith(inst))
	}
	f.Add("func \"a b\" params=9\nb3:\nb1:\n\tjmp b3\n\n// comment\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		printed := m.String()
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("cannot read back:\n%s\n%v", printed, err)
		}
		if !reflect.DeepEqual(m, again) {
			t.Fatalf("read back differs:\n%s\n%s", printed, again)
		}
		_ = Verify(m)
		for _, fn := range m.Funcs {
			_ = VerifyAllocated(fn)
		}
	})
}
