package emit

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// A coding is an instruction and its bytes, written down from the tables of
// Documentation/bpf/standardization/instruction-set.rst: opcode, source and
// destination register, offset, immediate.
type coding struct{ inst, bytes string }

// codings returns encodings of every operation.
func codings() []coding {
	list := []coding{
		{"mov r1, r2", "bf 21 0000 00000000"},
		{"mov32 r1, r2", "bc 21 0000 00000000"},
		{"mov r1, -2", "b7 01 0000 feffffff"},
		{"mov r9, 2147483647", "b7 09 0000 ffffff7f"},
		{"mov r1, 2147483648", "b4 01 0000 00000080"},
		{"mov r1, 4294967295", "b4 01 0000 ffffffff"},
		{"mov32 r1, 4294967295", "b4 01 0000 ffffffff"},
		{"mov32 r1, -1", "b4 01 0000 ffffffff"},
		{"mov r1, 4294967296", "18 01 0000 00000000 00 00 0000 01000000"},
		{"mov r1, -81985529216486896", "18 01 0000 1032 5476 00 00 0000 98ba dcfe"},
		{"movsx.1 r1, r2", "bf 21 0800 00000000"},
		{"movsx.2 r1, r2", "bf 21 1000 00000000"},
		{"movsx.4 r1, r2", "bf 21 2000 00000000"},
		{"movsx32.1 r1, r2", "bc 21 0800 00000000"},
		{"movsx32.2 r1, r2", "bc 21 1000 00000000"},
		{"frameaddr r1, s0+8", "bf a1 0000 00000000 07 01 0000 f8ffffff"},
		{"opaque r1", "bf a1 0000 00000000 1f a1 0000 00000000"},
		{"looplimit panic 0", "e5 00 0100 00000000"},
		{"loadsym r1, data hello+1", "18 21 0000 00000000 00 00 0000 01000000"},
		{"loadsym r1, map m+0", "18 11 0000 00000000 00 00 0000 00000000"},
		{"loadsym r1, func g+0", "18 41 0000 02000000 00 00 0000 00000000"}, // insn 0, exit at 2, g at 3
		{"neg r1", "87 01 0000 00000000"},
		{"neg32 r1", "84 01 0000 00000000"},
		{"sdiv r1, r2", "3f 21 0100 00000000"},
		{"sdiv32 r1, -3", "34 01 0100 fdffffff"},
		{"srem r1, 3", "97 01 0100 03000000"},
		{"srem32 r1, r2", "9c 21 0100 00000000"},
		{"be.2 r1", "dc 01 0000 10000000"},
		{"be.4 r1", "dc 01 0000 20000000"},
		{"be.8 r1", "dc 01 0000 40000000"},
		{"le.2 r1", "d4 01 0000 10000000"},
		{"bswap.2 r1", "d7 01 0000 10000000"},
		{"bswap.8 r1", "d7 01 0000 40000000"},
		{"load.1 r1, [r2+8]", "71 21 0800 00000000"},
		{"load.2 r1, [r2-2]", "69 21 feff 00000000"},
		{"load.4 r1, [r2+32767]", "61 21 ff7f 00000000"},
		{"load.8 r1, [r2-32768]", "79 21 0080 00000000"},
		{"load.8 r1, [s0+8]", "79 a1 f8ff 00000000"},
		{"load.1s r1, [r2+8]", "91 21 0800 00000000"},
		{"load.2s r1, [r2+8]", "89 21 0800 00000000"},
		{"load.4s r1, [r2+8]", "81 21 0800 00000000"},
		{"store.1 [r1+8], r2", "73 21 0800 00000000"},
		{"store.2 [r1+8], r2", "6b 21 0800 00000000"},
		{"store.4 [r1+8], r2", "63 21 0800 00000000"},
		{"store.8 [s0+0], r2", "7b 2a f0ff 00000000"},
		{"store.1 [r1+8], 255", "72 01 0800 ff000000"},
		{"store.2 [r1+8], 2", "6a 01 0800 02000000"},
		{"store.4 [r1+8], -2", "62 01 0800 feffffff"},
		{"store.8 [s0+8], -2", "7a 0a f8ff feffffff"},
		{"callhelper trace_printk#6(2)", "85 00 0000 06000000"},
		{"callfn g(0)", "85 10 0000 01000000"}, // insn 0, exit at 1, g at 2
		{"cset r1, r2 eq r3", "b4 01 0000 01000000 1d 32 0100 00000000 b4 01 0000 00000000"},
		{"cset32 r1, r2 slt -1", "b4 01 0000 01000000 c6 02 0100 ffffffff b4 01 0000 00000000"},
		{"cmov r1, r2 ugt 7 else r3", "25 02 0100 07000000 bf 31 0000 00000000"},
		{"cmov32 r1, r2 set 7 else -5", "46 02 0100 07000000 b7 01 0000 fbffffff"},
		{"jmp b1", "95 00 0000 00000000"},
		{"br r1 eq 3, b1, b2", "55 01 0100 03000000 95 00 0000 00000000"},
		{"exit", "95 00 0000 00000000"},
		{"panic 2", "b7 00 0000 fdffffff 95 00 0000 00000000"}, // returned, as by a shim
		{"unreachable", "b7 00 0000 02000000 95 00 0000 00000000"},
	}
	for _, alu := range []struct {
		name string
		code byte
	}{
		{"add", 0x00}, {"sub", 0x10}, {"mul", 0x20}, {"div", 0x30}, {"or", 0x40}, {"and", 0x50},
		{"lsh", 0x60}, {"rsh", 0x70}, {"rem", 0x90}, {"xor", 0xa0}, {"arsh", 0xc0},
	} {
		list = append(list,
			coding{alu.name + " r1, r2", fmt.Sprintf("%02x 21 0000 00000000", alu.code|0x0f)},
			coding{alu.name + " r1, 9", fmt.Sprintf("%02x 01 0000 09000000", alu.code|0x07)},
			coding{alu.name + "32 r1, r2", fmt.Sprintf("%02x 21 0000 00000000", alu.code|0x0c)},
			coding{alu.name + "32 r1, 9", fmt.Sprintf("%02x 01 0000 09000000", alu.code|0x04)})
	}
	for _, jump := range []struct {
		name string
		code byte
	}{
		{"eq", 0x10}, {"ugt", 0x20}, {"uge", 0x30}, {"set", 0x40}, {"ne", 0x50}, {"sgt", 0x60},
		{"sge", 0x70}, {"ult", 0xa0}, {"ule", 0xb0}, {"slt", 0xc0}, {"sle", 0xd0},
	} {
		list = append(list,
			coding{"check r1 " + jump.name + " r2, panic 0", fmt.Sprintf("%02x 21 0100 00000000", jump.code|0x0d)},
			coding{"check r1 " + jump.name + " -9, panic 0", fmt.Sprintf("%02x 01 0100 f7ffffff", jump.code|0x05)},
			coding{"check32 r1 " + jump.name + " r2, panic 0", fmt.Sprintf("%02x 21 0100 00000000", jump.code|0x0e)},
			coding{"check32 r1 " + jump.name + " -9, panic 0", fmt.Sprintf("%02x 01 0100 f7ffffff", jump.code|0x06)})
	}
	for _, atomic := range []struct {
		name string
		imm  byte
	}{
		{"add", 0x00}, {"or", 0x40}, {"and", 0x50}, {"xor", 0xa0}, {"fetchadd", 0x01}, {"fetchor", 0x41},
		{"fetchand", 0x51}, {"fetchxor", 0xa1}, {"xchg", 0xe1}, {"cmpxchg", 0xf1},
	} {
		list = append(list,
			coding{"atomic.8 " + atomic.name + " [r1+8], r2", fmt.Sprintf("db 21 0800 %02x000000", atomic.imm)},
			coding{"atomic.4 " + atomic.name + " [s0+8], r2", fmt.Sprintf("c3 2a f8ff %02x000000", atomic.imm)})
	}
	return list
}

// TestBytes compares the bytes of every operation with the specification.
func TestBytes(t *testing.T) {
	ops := map[mir.Op]bool{}
	conds := map[mir.Cond]bool{}
	for _, c := range codings() {
		text := "func f entry params=1\n\tslot s0 16 8 \"x\"\nb0:\n\t" + c.inst +
			"\n\texit\nb1:\n\texit\nb2:\n\tmov r0, 1\n\texit\nfunc g params=0\nb0:\n\tmov r0, 0\n\texit\n"
		m, err := mir.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", c.inst, err)
			continue
		}
		b := m.Funcs[0].Blocks[0]
		if b.Insts[0].Op.Info().Term {
			b.Insts = b.Insts[:1]
		}
		ops[b.Insts[0].Op] = true
		conds[b.Insts[0].Cond] = true
		in := testInput(v4Kernel)
		in.ReturnSite = true
		var got bytes.Buffer
		if err := emit(t, m, in).Insns.Marshal(&got, binary.LittleEndian); err != nil {
			t.Errorf("%s: %v", c.inst, err)
			continue
		}
		want, err := hex.DecodeString(strings.ReplaceAll(c.bytes, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(got.Bytes(), want) {
			t.Errorf("%s: got % x, want % x", c.inst, got.Bytes()[:len(want)], want)
		}
	}
	for op := mir.OpInvalid + 1; int(op) < mir.NumOps; op++ {
		if !ops[op] {
			t.Errorf("no encoding of operation %v", op)
		}
	}
	for c := mir.CondNone + 1; c < mir.NumConds; c++ {
		if !conds[c] {
			t.Errorf("no encoding of condition %v", c)
		}
	}
}
