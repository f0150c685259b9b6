package jit

import (
	"errors"
	"flag"
	"go/token"
	"os"
	"strings"
	"testing"

	cebpf "github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
	"golang.org/x/tools/txtar"

	"github.com/undergo-ebpf/undergo/lower"
)

// TestVerifierError maps logs of the kernel to lines of the source.
func TestVerifierError(t *testing.T) {
	at := func(offset, line int) lower.Line {
		return lower.Line{Offset: offset, Pos: token.Position{Filename: "main.go", Line: line, Column: 2}}
	}
	p := &Program{name: "f", row: &sections[0], unit: &lower.Unit{Lines: []lower.Line{at(0, 10), at(2, 11), at(5, 12), at(9, 14)}}}
	tests := []struct {
		name, log string
		want      string
	}{
		{"last instruction", `0: R1=ctx() R10=fp0
; x := *p @ main.go:10
0: (bf) r6 = r1                       ; R1=ctx() R6_w=ctx()
4: (79) r0 = *(u64 *)(r2 +0)
R2 invalid mem access 'scalar'
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0`,
			"main.go:11:2: the kernel refuses f: R2 invalid mem access 'scalar'"},
		{"mentioned instruction", `0: (b7) r0 = 0
6: (05) goto pc-1
infinite loop detected at insn 6
cur state: R0=0 R10=fp0
old state: R0=0 R10=fp0
processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0`,
			"main.go:12:2: the kernel refuses f: infinite loop detected at insn 6"},
		{"line of a jump", `5: (bc) w1 = (s8)w1                   ; R1_w=scalar(smin=0,smax=umax=0xffffffff)
6: (76) if w1 s>= 0x0 goto pc-2 infinite loop detected at insn 5
cur state: R0=0 R10=fp0
old state: R0=0 R10=fp0
processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0`,
			"main.go:12:2: the kernel refuses f: infinite loop detected at insn 5"},
		{"jump", "jump out of range from insn 9 to -25534\n", "main.go:14:2: the kernel refuses f: jump out of range from insn 9 to -25534"},
		{"result", "0: (b7) r0 = 7\n1: (95) exit\nAt program exit the register R0 has smin=7 smax=7 should have been in [0, 3]\n",
			"main.go:10:2: the kernel refuses f: At program exit the register R0 has smin=7 smax=7 should have been in [0, 3]; return a constant of the result's type"},
		{"no instruction", "combined stack size of 2 calls is 576. Too large\n", "the kernel refuses f: combined stack size of 2 calls is 576. Too large"},
		{"empty", "", "the kernel refuses f: no reason given"},
	}
	for _, test := range tests {
		var log strings.Builder
		cause := &cebpf.VerifierError{Cause: unix.EACCES, Log: strings.Split(strings.TrimSpace(test.log), "\n")}
		err := p.loadError(&options{log: &log}, cause)
		var ve *VerifierError
		if !errors.As(err, &ve) || err.Error() != test.want || !errors.Is(err, unix.EACCES) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		if first, _, _ := strings.Cut(test.log, "\n"); !strings.Contains(log.String(), first) {
			t.Errorf("%s: log is %q", test.name, log.String())
		}
	}
}

// TestVerifierLogs maps real logs in the formats of old and new kernels.
func TestVerifierLogs(t *testing.T) {
	const file = "testdata/verifier.txtar"
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{name: "f", row: &sections[0], unit: &lower.Unit{}}
	for n := range 10 {
		p.unit.Lines = append(p.unit.Lines, lower.Line{Offset: n, Pos: token.Position{Filename: "main.go", Line: n + 1}})
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		log, want := archive.Files[i], &archive.Files[i+1]
		cause := &cebpf.VerifierError{Cause: unix.EACCES, Log: strings.Split(strings.TrimSpace(string(log.Data)), "\n")}
		got := p.loadError(&options{}, cause).Error() + "\n"
		if *updateLogs {
			want.Data = []byte(got)
		} else if got != string(want.Data) {
			t.Errorf("%s: got %swant %s", log.Name, got, want.Data)
		}
	}
	if *updateLogs {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var updateLogs = flag.Bool("update.logs", false, "accept what is said of the verifier's logs now")

func TestLoadErrors(t *testing.T) {
	p := &Program{name: "f", section: "xdp", row: &sections[0], unit: &lower.Unit{}}
	for cause, want := range map[error]string{
		unix.EPERM: "run as root or with CAP_BPF",
		unix.E2BIG: "too complex for this kernel",
		unix.EBUSY: "load f: device or resource busy",
	} {
		if err := p.loadError(&options{}, cause); !errors.Is(err, cause) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v", cause, err)
		}
	}
}
