package mir

import (
	"strings"
	"testing"
)

// TestVerifyReports checks that each violation is found, and with the place it is at.
func TestVerifyReports(t *testing.T) {
	const head = "func f entry params=1\n\tslot s0 16 4 \"buf\"\nb0:\n\tmov v16, 1\n\tmov v17, r1\n\t"
	tests := []struct{ name, text, want string }{
		{"empty", "", "no functions"},
		{"no entry", "func f params=0\nb0:\n\tunreachable", "first function must be the entry"},
		{"same name", head + "unreachable\nfunc f params=0\nb0:\n\tunreachable", "two functions of this name"},
		{"entry params", "func f entry params=2\nb0:\n\tunreachable", "entry function with 2 parameters"},
		{"params", head + "unreachable\nfunc g params=6\nb0:\n\tunreachable", "6 parameters"},
		{"no blocks", "func f entry params=1", "no blocks"},
		{"no terminator", head + "mov v16, 2", "f: b0: inst 3: block does not end in a terminator"},
		{"early terminator", head + "exit\n\texit", "inst 2: exit: terminator before the end"},
		{"no register", head + "mov _, 1\n\tunreachable", "no dst register"},
		{"no source", head + "movsx.1 v16, _\n\tunreachable", "no src register"},
		{"no base", head + "load.4 v16, [_+0]\n\tunreachable", "no src register"},
		{"r10", head + "mov r10, 1\n\tunreachable", "r10 is written"},
		{"atomic r10", head + "atomic.8 xchg [v17+0], r10\n\tunreachable", "r10 is written"},
		{"cset", head + "cset v16, v17 eq v16\n\tunreachable", "destination is also a source"},
		{"width", head + "load.3 v16, [v17+0]\n\tunreachable", "width 3"},
		{"signed", head + "load.8s v16, [v17+0]\n\tunreachable", "width 8"},
		{"atomic width", head + "atomic.2 add [v17+0], v16\n\tunreachable", "width 2"},
		{"atomic", head + "atomic.8 2 [v17+0], v16\n\tunreachable", "atomic operation 0x2"},
		{"movsx32", head + "movsx32.4 v16, v17\n\tunreachable", "width 4"},
		{"w32", head + "load32.4 v16, [v17+0]\n\tunreachable", "unused field W32"},
		{"signed store", head + "store.4s [v17+0], v16\n\tunreachable", "unused field Signed"},
		{"site", head + "check v16 eq 1, panic -2\n\tunreachable", "panic site -2"},
		{"propagate", head + "panic -1", "r0 is read before"},
		{"propagating check", head + "check v16 eq 1, panic -1\n\tunreachable", "panic site -1"},
		{"cond", head + "check v16 none 1, panic 0\n\tunreachable", "condition 0"},
		{"imm", head + "add v16, 2147483648\n\tunreachable", "immediate 2147483648 does not fit"},
		{"store imm", head + "store.8 [v17+0], 2147483648\n\tunreachable", "does not fit"},
		{"mov32 imm", head + "mov32 v16, 4294967296\n\tunreachable", "does not fit in 32 bits"},
		{"cmov imm", head + "cmov v16, v17 eq 4294967296 else 1\n\tunreachable", "does not fit"},
		{"div 0", head + "div v16, 0\n\tunreachable", "division by the constant zero"},
		{"shift", head + "lsh32 v16, 32\n\tunreachable", "shift by 32"},
		{"displacement", head + "load.8 v16, [v17+32768]\n\tunreachable", "does not fit in 16"},
		{"frameaddr", head + "frameaddr v16, _+0\n\tunreachable", "no slot"},
		{"outside", head + "store.4 [s0+16], 0\n\tunreachable", "access outside of slot of 16 bytes"},
		{"address outside", head + "frameaddr v16, s0+17\n\tunreachable", "address outside of slot"},
		{"misaligned", head + "store.8 [s0+0], 0\n\tunreachable", "misaligned access to slot aligned to 4"},
		{"no symbol", head + "loadsym v16, _+0\n\tunreachable", "no symbol"},
		{"helper address", head + "loadsym v16, helper h+0\n\tunreachable", "symbol has no address"},
		{"map offset", head + "loadsym v16, map m+1\n\tunreachable", "offset 1 into something other than data"},
		{"data offset", head + "loadsym v16, data d-1\n\tunreachable", "offset -1 into data"},
		{"helper", head + "callhelper g(0)\n\tunreachable", "helper call of something else"},
		{"callee", head + "callfn h#1(0)\n\tunreachable", "call of something other than a function"},
		{"no callee", head + "callfn g(0)\n\tunreachable", "no such function"},
		{"entry callee", head + "callfn f(1)\n\tunreachable", "entry function cannot be referred to"},
		{"arguments", head + "callfn g(0)\n\tunreachable\nfunc g params=1\nb0:\n\tunreachable", "call with 0 arguments of a function with 1 parameters"},
		{"nargs", head + "callhelper h#1(6)\n\tunreachable", "6 arguments"},
		{"undefined", head + "add v18, 1\n\tunreachable", "v18 is read before it is written"},
		{"undefined argument", head + "mov r2, 1\n\tcallhelper h#1(3)\n\tunreachable", "r3 is read before"},
		{"exit", head + "exit", "r0 is read before"},
		{"clobber", head + "callhelper h#1(0)\n\tmov v16, r1\n\tunreachable", "r1 is read before"},
		{"cmpxchg", head + "atomic.8 cmpxchg [v17+0], v16\n\tunreachable", "r0 is read before"},
		{"one path", head + "br v16 eq 0, b1, b2\nb1:\n\tmov v18, 1\n\tjmp b2\nb2:\n\tadd v18, 1\n\tunreachable", "b2: inst 0: add v18, 1: v18 is read before"},
		{"across blocks", head + "mov r2, 1\n\tjmp b1\nb1:\n\tmov v16, r2\n\tunreachable", "r2 is read before"},
		{"spill", "func f entry params=1\n\tslot s0 8 8 \"x\" spill\nb0:\n\tunreachable", "spill slot s0 before register allocation"},
		{"slot size", "func f entry params=1\n\tslot s0 -1 8 \"x\"\nb0:\n\tunreachable", "size -1"},
		{"slot align", "func f entry params=1\n\tslot s0 8 3 \"x\"\nb0:\n\tunreachable", "alignment 3"},
	}
	for _, test := range tests {
		m, err := Parse(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if err := Verify(m); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Verify = %v, want %q", test.name, err, test.want)
		}
	}
}

// TestVerifyUnused checks that fields which an operation does not use must be
// empty, R0 as an operand that was forgotten in particular.
func TestVerifyUnused(t *testing.T) {
	set := map[string]func(in *Inst){
		"Dst":  func(in *Inst) { in.Dst = R0 },
		"Src":  func(in *Inst) { in.Src = R0 },
		"Src2": func(in *Inst) { in.Src2 = R0 },
		"Cond": func(in *Inst) { in.Cond = Eq },
		"Imm":  func(in *Inst) { in.Imm = 1 },
		"Off":  func(in *Inst) { in.Off = 1 },
		"Slot": func(in *Inst) { in.Slot = &Slot{} },
		"Sym":  func(in *Inst) { in.Sym = &Sym{} },
		"Site": func(in *Inst) { in.Site = 1 },
		"To":   func(in *Inst) { in.To = &Block{} },
		"Else": func(in *Inst) { in.Else = &Block{} },
	}
	for field, spoil := range set {
		m, err := Parse("func f entry params=1\nb0:\n\tunreachable")
		if err != nil {
			t.Fatal(err)
		}
		spoil(m.Funcs[0].Blocks[0].Term())
		want := "unused field " + field + " is set"
		if err := Verify(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Verify = %v, want %q", err, want)
		}
	}
}

func TestVerifyAllocated(t *testing.T) {
	const head = "func f entry params=1\n\tslot s0 8 8 \"spill\" spill\nb0:\n\t"
	tests := []struct{ name, text, want string }{
		{"valid", head + "mov r6, r1\n\tstore.8 [s0+0], r6\n\tjmp b1\nb1:\n\tload.8 r0, [s0+0]\n\tadd r0, r6\n\texit", ""},
		{"virtual", head + "mov v16, 1\n\tunreachable", "dst is virtual register v16"},
		{"spill undefined", head + "load.8 r0, [s0+0]\n\texit", "spill slot s0 is read before it is written"},
		{"spill one path", head + "br r1 eq 0, b1, b2\nb1:\n\tstore.8 [s0+0], r1\n\tjmp b2\nb2:\n\tload.8 r0, [s0+0]\n\texit", "spill slot s0 is read before"},
		{"spill width", head + "store.4 [s0+0], r1\n\tunreachable", "spill slot not accessed by an 8-byte"},
		{"spill address", head + "frameaddr r1, s0+0\n\tunreachable", "address of a spill slot"},
		{"clobbered", head + "callhelper h#1(0)\n\tjmp b1\nb1:\n\tmov r6, r1\n\tunreachable", "r1 is read before"},
	}
	for _, test := range tests {
		m, err := Parse(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		err = VerifyAllocated(m.Funcs[0])
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: VerifyAllocated = %v, want %q", test.name, err, test.want)
		}
	}
}

// TestVerifyLoop checks that a register defined before a loop counts as defined
// in it, and one defined only in its body does not.
func TestVerifyLoop(t *testing.T) {
	const text = `func f entry params=1
b0:
	mov v16, 0
	mov v17, r1
	jmp b1
b1:
	br v16 ult 10, b2, b3
b2:
	mov v18, 1
	add v16, v18
	jmp b1
b3:
	mov r0, %s
	exit
`
	for reg, ok := range map[string]bool{"v16": true, "v17": true, "v18": false} {
		m, err := Parse(strings.Replace(text, "%s", reg, 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(m); (err == nil) != ok {
			t.Errorf("reading %s after the loop: Verify = %v", reg, err)
		}
	}
}
