package vm

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"
)

// atomic builds an atomic instruction whose immediate survives Marshal.
func atomic(op asm.AtomicOp, dst, src asm.Register, size asm.Size, off int16) asm.Instruction {
	ins := op.Mem(dst, src, size, off)
	ins.Constant = int64(op >> 8)
	return ins
}

func TestRun(t *testing.T) {
	section := map[string][]byte{".data": make([]byte, 16), ".rodata": {1, 2, 3, 4}}
	options := Options{
		Ctx:      []byte{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x91},
		Sections: section,
		Helpers: map[int32]Helper{
			5: {Args: 2, Func: func(c *Call) (uint64, error) { return c.Args[0] - c.Args[1], nil }},
			6: {Args: 1, Func: func(c *Call) (uint64, error) {
				name, err := c.Map(c.Args[0])
				return uint64(len(name)), err
			}},
			7: {Args: 2, Func: func(c *Call) (uint64, error) { return c.Invoke(c.Args[0], c.Args[1]) }},
			8: {Args: 1, Func: func(c *Call) (uint64, error) {
				b, err := c.Write(c.Args[0], 8)
				copy(b, "abcdefgh")
				return 0, err
			}},
		},
	}
	tests := []struct {
		name  string
		insns asm.Instructions
		want  uint64
	}{
		{"load", asm.Instructions{asm.LoadMem(asm.R0, asm.R1, 0, asm.DWord), asm.Return()}, 0x9122334455667788},
		{"load half", asm.Instructions{asm.LoadMem(asm.R0, asm.R1, 6, asm.Half), asm.Return()}, 0x9122},
		{"load signed", asm.Instructions{asm.LoadMemSX(asm.R0, asm.R1, 6, asm.Half), asm.Return()}, 0xffffffffffff9122},
		{"store and load", asm.Instructions{
			{OpCode: asm.StoreImmOp(asm.DWord), Dst: asm.R10, Offset: -8, Constant: -2},
			asm.StoreImm(asm.R10, -8, 7, asm.Half),
			asm.LoadMem(asm.R0, asm.R10, -8, asm.DWord), asm.Return()}, 0xffffffffffff0007},
		{"load 64", asm.Instructions{asm.LoadImm(asm.R0, -0x123456789abcdef, asm.DWord), asm.Return()}, 0xfedcba9876543211},
		{"jump", asm.Instructions{asm.Mov.Imm(asm.R0, 3),
			asm.Sub.Imm(asm.R0, 1).WithSymbol("loop"),
			asm.JSGT.Imm(asm.R0, -1, "loop"),
			asm.Return()}, 0xffffffffffffffff},
		{"jump 32", asm.Instructions{asm.LoadImm(asm.R0, 1<<32, asm.DWord),
			asm.JEq.Imm32(asm.R0, 0, "out"),
			asm.Mov.Imm(asm.R0, 0),
			asm.Return().WithSymbol("out")}, 1 << 32},
		{"long jump", asm.Instructions{asm.Mov.Imm(asm.R0, 3), asm.LongJump("out"), asm.Return().WithSymbol("out")}, 3},
		{"helper", asm.Instructions{asm.Mov.Imm(asm.R1, 3), asm.Mov.Imm(asm.R2, 1), asm.FnKtimeGetNs.Call(), asm.Return()}, 2},
		{"helper map", asm.Instructions{asm.LoadMapPtr(asm.R1, 0).WithReference("counts"), asm.FnTracePrintk.Call(), asm.Return()}, 6},
		{"helper writes", asm.Instructions{asm.Mov.Reg(asm.R1, asm.R10), asm.Add.Imm(asm.R1, -8),
			asm.FnGetSmpProcessorId.Call(), asm.LoadMem(asm.R0, asm.R10, -8, asm.Byte), asm.Return()}, 'a'},
		{"callback", asm.Instructions{
			{OpCode: asm.LoadImmOp(asm.DWord), Dst: asm.R1, Src: asm.PseudoFunc, Constant: 4},
			asm.Mov.Imm(asm.R2, 20), asm.FnGetPrandomU32.Call(), asm.Return(),
			asm.Mov.Reg(asm.R0, asm.R1), asm.Add.Imm(asm.R0, 1), asm.Return()}, 21},
		{"call", asm.Instructions{asm.Mov.Imm(asm.R1, 4), asm.Mov.Imm(asm.R6, 100), asm.Call.Label("sub"),
			asm.Add.Reg(asm.R0, asm.R6), asm.Return(),
			asm.Mov.Imm(asm.R6, 1).WithSymbol("sub"), asm.Mov.Reg(asm.R0, asm.R1), asm.Return()}, 104},
		{"data", asm.Instructions{asm.LoadMapValue(asm.R1, 0, 8).WithReference(".data"),
			asm.Mov.Imm(asm.R0, 5), asm.StoreMem(asm.R1, -8, asm.R0, asm.Word),
			asm.LoadMapValue(asm.R2, 0, 0).WithReference(".data"),
			asm.LoadMem(asm.R0, asm.R2, 0, asm.DWord), asm.Return()}, 5},
		{"rodata unaligned", asm.Instructions{asm.LoadMapValue(asm.R1, 0, 1).WithReference(".rodata"),
			asm.LoadMem(asm.R0, asm.R1, 0, asm.Half), asm.Return()}, 0x0302},
		{"atomics", asm.Instructions{
			asm.StoreImm(asm.R10, -8, 6, asm.Word), asm.StoreImm(asm.R10, -4, 1, asm.Word),
			asm.Mov.Imm(asm.R1, 3), atomic(asm.AddAtomic, asm.R10, asm.R1, asm.DWord, -8), // 9
			atomic(asm.FetchXor, asm.R10, asm.R1, asm.Word, -8),                         // 9^3=10, r1=9
			asm.Mov.Imm(asm.R0, 10), atomic(asm.CmpXchg, asm.R10, asm.R1, asm.Word, -8), // 9, r0=10
			asm.Mov.Imm(asm.R2, -1), atomic(asm.Xchg, asm.R10, asm.R2, asm.Word, -4), // r2=1
			asm.LSh.Imm(asm.R0, 8), asm.Or.Reg(asm.R0, asm.R2), asm.LSh.Imm(asm.R0, 8),
			asm.LoadMem(asm.R3, asm.R10, -8, asm.Byte), asm.Or.Reg(asm.R0, asm.R3), asm.Return()}, 0x0a0109},
		{"be", asm.Instructions{asm.LoadImm(asm.R0, 0x1122334455667788, asm.DWord),
			asm.HostTo(asm.BE, asm.R0, asm.Half), asm.Return()}, 0x8877},
		{"bswap", asm.Instructions{asm.LoadImm(asm.R0, 0x1122334455667788, asm.DWord), asm.BSwap(asm.R0, asm.Word), asm.Return()}, 0x88776655},
		{"le", asm.Instructions{asm.LoadImm(asm.R0, 0x1122334455667788, asm.DWord), asm.HostTo(asm.LE, asm.R0, asm.Word), asm.Return()}, 0x55667788},
		{"sdiv32", asm.Instructions{asm.Mov.Imm(asm.R0, -7), asm.SDiv.Imm32(asm.R0, 2), asm.Return()}, 0xfffffffd},
		{"div by zero", asm.Instructions{asm.Mov.Imm(asm.R0, 7), asm.Mov.Imm(asm.R1, 0), asm.Div.Reg(asm.R0, asm.R1), asm.Return()}, 0},
		{"mod32 by zero", asm.Instructions{asm.Mov.Imm(asm.R0, -7), asm.Mov.Imm(asm.R1, 0), asm.Mod.Reg32(asm.R0, asm.R1), asm.Return()}, 0xfffffff9},
		{"arsh32", asm.Instructions{asm.Mov.Imm(asm.R0, -8), asm.ArSh.Imm32(asm.R0, 1), asm.Return()}, 0xfffffffc},
		{"movsx", asm.Instructions{asm.Mov.Imm(asm.R1, 0x80), asm.MovSX8.Reg32(asm.R0, asm.R1), asm.Return()}, 0xffffff80},
	}
	for _, test := range tests {
		got, err := Run(test.insns, options)
		if err != nil || got != test.want {
			t.Errorf("%s: %#x, %v, want %#x", test.name, got, err, test.want)
		}
	}
	if want := []byte{5, 0, 0, 0}; !bytes.Equal(section[".data"][:4], want) {
		t.Errorf("section holds %v, want %v", section[".data"][:4], want)
	}
}

func TestPacket(t *testing.T) {
	insns := asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, 0, asm.Word), // data
		asm.LoadMem(asm.R3, asm.R1, 4, asm.Word), // data_end
		asm.Mov.Imm(asm.R0, -1),
		asm.Mov.Reg(asm.R4, asm.R2),
		asm.Add.Imm(asm.R4, 4),
		asm.JGT.Reg(asm.R4, asm.R3, "out"),
		asm.LoadMem(asm.R0, asm.R2, 0, asm.Word),
		asm.StoreImm(asm.R2, 0, 9, asm.Byte),
		asm.Return().WithSymbol("out"),
	}
	packet := []byte{1, 0, 1, 0}
	if got, err := Run(insns, Options{Packet: packet}); err != nil || got != 0x10001 || packet[0] != 9 {
		t.Errorf("%#x, %v, packet %v", got, err, packet)
	}
	if got, err := Run(insns, Options{Packet: []byte{1, 2, 3}}); err != nil || got != 1<<64-1 {
		t.Errorf("short packet: %#x, %v", got, err)
	}
}

// TestFaults checks that what the verifier would refuse is refused, and where.
func TestFaults(t *testing.T) {
	raw := func(op asm.OpCode, dst, src asm.Register, off int16, imm int64) asm.Instruction {
		return asm.Instruction{OpCode: op, Dst: dst, Src: src, Offset: off, Constant: imm}
	}
	zero := asm.Mov.Imm(asm.R0, 0)
	tests := []struct {
		name  string
		insns asm.Instructions
		want  string
	}{
		{"uninitialised", asm.Instructions{asm.Mov.Reg(asm.R0, asm.R2), asm.Return()}, "insn 0: R2 !read_ok"},
		{"exit", asm.Instructions{asm.Return()}, "insn 0: R0 !read_ok"},
		{"callee-saved in callee", asm.Instructions{asm.Mov.Imm(asm.R6, 1), asm.Call.Label("g"), asm.Return(),
			asm.Mov.Reg(asm.R0, asm.R6).WithSymbol("g"), asm.Return()}, "insn 3: R6 !read_ok"},
		{"clobbered", asm.Instructions{asm.Call.Label("g"), asm.Mov.Reg(asm.R0, asm.R1), asm.Return(),
			zero.WithSymbol("g"), asm.Return()}, "insn 1: R1 !read_ok"},
		{"stack unwritten", asm.Instructions{asm.StoreImm(asm.R10, -8, 0, asm.Word), asm.LoadMem(asm.R0, asm.R10, -8, asm.DWord), asm.Return()},
			"insn 1: invalid read from stack off -4: not written"},
		{"stack overflow", asm.Instructions{asm.StoreImm(asm.R10, -516, 0, asm.Word), zero, asm.Return()}, "insn 0: invalid access of 4 bytes at offset -4"},
		{"stack underflow", asm.Instructions{asm.StoreImm(asm.R10, 0, 0, asm.Word), zero, asm.Return()}, "at offset 512 of a region of 512 bytes"},
		{"misaligned", asm.Instructions{asm.StoreImm(asm.R10, -6, 0, asm.Word), zero, asm.Return()}, "insn 0: misaligned access"},
		{"dangling", asm.Instructions{asm.Call.Label("g"), asm.LoadMem(asm.R0, asm.R0, 0, asm.Byte), asm.Return(),
			asm.Mov.Reg(asm.R0, asm.R10).WithSymbol("g"), asm.Add.Imm(asm.R0, -8), asm.StoreImm(asm.R0, 0, 1, asm.Byte), asm.Return()},
			"insn 1: invalid access"},
		{"scalar", asm.Instructions{asm.Mov.Imm(asm.R1, 64), asm.LoadMem(asm.R0, asm.R1, 0, asm.Byte), asm.Return()}, "insn 1: invalid mem access at 0x40: not a pointer"},
		{"context", asm.Instructions{asm.LoadMem(asm.R0, asm.R1, 8, asm.Byte), asm.Return()}, "at offset 8 of a region of 8 bytes"},
		{"rodata", asm.Instructions{asm.LoadMapValue(asm.R1, 0, 0).WithReference(".rodata"), asm.StoreImm(asm.R1, 0, 0, asm.Byte), zero, asm.Return()}, "insn 2: write to read-only"},
		{"section", asm.Instructions{asm.LoadMapValue(asm.R1, 0, 0).WithReference(".bss"), zero, asm.Return()}, `no section ".bss"`},
		{"section offset", asm.Instructions{asm.LoadMapValue(asm.R1, 0, 4).WithReference(".rodata"), zero, asm.Return()}, "offset 4 into section .rodata of 4 bytes"},
		{"map", asm.Instructions{asm.LoadMapPtr(asm.R1, 0).WithReference("m"), asm.LoadMem(asm.R0, asm.R1, 0, asm.Byte), asm.Return()}, "insn 2: invalid access"},
		{"helper", asm.Instructions{asm.FnKtimeGetNs.Call(), asm.Return()}, "insn 0: unknown helper 5"},
		{"helper argument", asm.Instructions{asm.Mov.Imm(asm.R1, 1), raw(asm.OpCode(opCall), 0, 0, 0, 9), asm.Return()}, "insn 1: R2 !read_ok"},
		{"helper memory", asm.Instructions{asm.Mov.Imm(asm.R1, 1), asm.Mov.Imm(asm.R2, 1), raw(asm.OpCode(opCall), 0, 0, 0, 9), asm.Return()}, "helper 9: invalid mem access"},
		{"atomic width", asm.Instructions{zero, raw(0xcb, 10, 0, -8, 0), asm.Return()}, "atomic operation on 2 bytes"},
		{"atomic", asm.Instructions{zero, asm.StoreMem(asm.R10, -8, asm.R0, asm.DWord), raw(0xdb, 10, 0, -8, 2), asm.Return()}, "unknown atomic operation 0x2"},

		{"unreachable", asm.Instructions{zero, asm.Return(), asm.Return()}, "insn 2: unreachable insn"},
		{"off the end", asm.Instructions{zero}, "insn 0: jump out of range to 1"},
		{"out of range", asm.Instructions{raw(0x05, 0, 0, 9, 0)}, "insn 0: jump out of range to 10"},
		{"into a load", asm.Instructions{raw(0x05, 0, 0, 1, 0), asm.LoadImm(asm.R0, 1, asm.DWord), asm.Return()}, "insn 0: jump out of range to 2"},
		{"reserved src", asm.Instructions{raw(0xb7, 0, 1, 0, 0), asm.Return()}, "insn 0: reserved field src"},
		{"reserved imm", asm.Instructions{raw(0xbf, 0, 1, 0, 1), asm.Return()}, "insn 0: reserved field imm"},
		{"reserved off", asm.Instructions{zero, raw(0x95, 0, 0, 1, 0)}, "insn 1: reserved field off"},
		{"frame pointer", asm.Instructions{asm.Mov.Imm(asm.R10, 0), zero, asm.Return()}, "frame pointer is read only"},
		{"div by zero", asm.Instructions{zero, asm.Div.Imm(asm.R0, 0), asm.Return()}, "insn 1: div by zero"},
		{"shift", asm.Instructions{zero, asm.LSh.Imm32(asm.R0, 32), asm.Return()}, "insn 1: invalid shift"},
		{"swap", asm.Instructions{zero, raw(0xdc, 0, 0, 0, 8), asm.Return()}, "insn 1: invalid width"},
	}
	for _, test := range tests {
		_, err := Run(test.insns, Options{
			Ctx:      make([]byte, 8),
			Sections: map[string][]byte{".rodata": make([]byte, 4)},
			Helpers: map[int32]Helper{9: {Args: 2, Func: func(c *Call) (uint64, error) {
				_, err := c.Read(c.Args[0], 4)
				return 0, err
			}}},
		})
		var fault *Fault
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want a fault with %q", test.name, err, test.want)
		}
	}
}

// TestStrictStack accesses the stack at an offset that is constant, and at one that
// the verifier cannot know.
func TestStrictStack(t *testing.T) {
	storeImm := func(off int16, c int64) asm.Instruction {
		return asm.Instruction{OpCode: asm.StoreImmOp(asm.DWord), Dst: asm.R10, Offset: off, Constant: c}
	}
	access := func(insns ...asm.Instruction) asm.Instructions {
		all := asm.Instructions{
			asm.Mov.Reg(asm.R6, asm.R1),
			storeImm(-8, 0),
			asm.Mov.Reg(asm.R2, asm.R10),
		}
		return append(append(all, insns...), asm.Mov.Imm(asm.R0, 0), asm.Return())
	}
	load := asm.LoadMem(asm.R3, asm.R2, -8, asm.Byte)
	fromCtx := asm.LoadMem(asm.R1, asm.R6, 0, asm.Byte) // 1
	tests := []struct {
		name  string
		insns asm.Instructions
		want  string // of the error, if any
	}{
		{"constant", access(asm.Mov.Imm(asm.R1, 1), asm.Add.Reg(asm.R2, asm.R1), load), ""},
		{"counter", access(asm.Mov.Imm(asm.R1, 3),
			asm.Sub.Imm(asm.R1, 1).WithSymbol("loop"), asm.JNE.Imm(asm.R1, 1, "loop"),
			asm.Add.Reg(asm.R2, asm.R1), load), ""},
		{"load", access(fromCtx, asm.Add.Reg(asm.R2, asm.R1), load), "insn 5: variable stack access through R2, of offset -7"},
		{"store", access(fromCtx, asm.Add.Reg(asm.R2, asm.R1), asm.StoreImm(asm.R2, -8, 1, asm.Byte)), "insn 5: variable"},
		{"computed", access(fromCtx, asm.Mov.Imm(asm.R3, 2), asm.Sub.Reg(asm.R3, asm.R1), asm.Add.Reg(asm.R2, asm.R3), load), "insn 7: variable"},
		{"overwritten", access(fromCtx, asm.Mov.Imm(asm.R1, 2), asm.Add.Reg(asm.R2, asm.R1), load), ""},
		{"spilled", access(fromCtx, asm.StoreMem(asm.R10, -16, asm.R1, asm.DWord), asm.LoadMem(asm.R4, asm.R10, -16, asm.DWord),
			asm.Add.Reg(asm.R2, asm.R4), load), "insn 7: variable"},
		{"spilled constant", access(storeImm(-16, 1), asm.LoadMem(asm.R4, asm.R10, -16, asm.DWord),
			asm.Add.Reg(asm.R2, asm.R4), load), ""},
		{"passed", append(access(fromCtx, asm.Call.Label("f")),
			asm.Mov.Imm(asm.R0, 0).WithSymbol("f"), asm.Add.Reg(asm.R2, asm.R1), load, asm.Return()), "insn 9: variable"},
		{"other memory", access(fromCtx, asm.Mov.Reg(asm.R2, asm.R6), asm.Add.Reg(asm.R2, asm.R1), asm.LoadMem(asm.R3, asm.R2, 0, asm.Byte)), ""},
	}
	for _, test := range tests {
		for _, strict := range []bool{false, true} {
			_, err := Run(test.insns, Options{Ctx: []byte{1, 0, 0, 0}, StrictStack: strict})
			if want := strict && test.want != ""; (err != nil) != want || want && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, strict %v: %v, want %q", test.name, strict, err, test.want)
			}
		}
	}
}

func TestFuel(t *testing.T) {
	insns := asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Ja.Label("x").WithSymbol("x")}
	if _, err := Run(insns, Options{Fuel: 1000}); !errors.Is(err, ErrFuel) {
		t.Errorf("endless loop: %v", err)
	}
}

func TestDepth(t *testing.T) {
	insns := asm.Instructions{asm.Call.Label("f").WithSymbol("f"), asm.Return()}
	if _, err := Run(insns, Options{}); err == nil || !strings.Contains(err.Error(), "nested too deep") {
		t.Errorf("endless recursion: %v", err)
	}
}

func TestHelperError(t *testing.T) {
	broken := errors.New("broken")
	_, err := Run(asm.Instructions{asm.FnKtimeGetNs.Call(), asm.Return()}, Options{
		Helpers: map[int32]Helper{5: {Func: func(*Call) (uint64, error) { return 0, broken }}},
	})
	if !errors.Is(err, broken) {
		t.Errorf("Run = %v, want the helper's error", err)
	}
}
