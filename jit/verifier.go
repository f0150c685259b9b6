package jit

import (
	"errors"
	"fmt"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// This file says in terms of the source why the kernel's verifier refused a program.

// maxLog is how many lines of the verifier's log an error keeps. The end is what
// matters, and the whole may be hundreds of megabytes.
const maxLog = 10_000

// A VerifierError is the refusal of a program by the kernel. Unless it is a
// limit of the kernel, it is a defect of undergo: what compiles should load.
type VerifierError struct {
	Program string
	Pos     token.Position // what was being verified, if the kernel says
	Reason  string         // the kernel's words, and what to write instead where that is known
	Log     []string       // the end of the verifier's log; WithLog gets all; empty for programs that are too complex
	Cause   error          // a *VerifierError of cilium's, or the system call's error
}

// Error returns one line. The log has more.
func (e *VerifierError) Error() string {
	where := ""
	if e.Pos.IsValid() {
		where = e.Pos.String() + ": "
	}
	return fmt.Sprintf("%sthe kernel refuses %s: %s", where, e.Program, e.Reason)
}

// Unwrap returns the error of the system call.
func (e *VerifierError) Unwrap() error { return e.Cause }

// loadError explains why loading failed.
func (p *Program) loadError(o *options, err error) error {
	var ve *cebpf.VerifierError
	switch {
	// Privileges are missing, or the program type: nothing that the verifier says.
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("load %s: %w", p.name, p.privileges(err))
	case tooComplex(err) && o.log == nil:
		return &VerifierError{Program: p.name, Reason: "it is too complex for this kernel: make loops shorter or move parts into functions of their own", Cause: err}
	case errors.Is(err, unix.EINVAL) && errors.Is(features.HaveProgramType(p.row.typ), cebpf.ErrNotSupported):
		return fmt.Errorf("load %s: programs of type %v: %w", p.name, p.row.typ, features.HaveProgramType(p.row.typ))
	case errors.As(err, &ve):
		if o.log != nil {
			fmt.Fprintf(o.log, "%+v\n", ve)
		}
		pos, reason := p.explain(ve.Log)
		short := *ve
		short.Log = slices.Clone(ve.Log[max(0, len(ve.Log)-maxLog):])
		return &VerifierError{Program: p.name, Pos: pos, Reason: reason, Log: short.Log, Cause: &short}
	}
	return fmt.Errorf("load %s: %w", p.name, p.privileges(err))
}

// tooComplex reports whether the verifier has given up on a program. It says so
// by E2BIG, and where push_stack in kernel/bpf/verifier.c failed for too many
// pending branches, by EFAULT or ENOMEM, which a kernel that lacks memory says too.
func tooComplex(err error) bool {
	return errors.Is(err, unix.E2BIG) || errors.Is(err, unix.EFAULT) || errors.Is(err, unix.ENOMEM)
}

var (
	// insnLine is the log's line for the instruction at a raw offset.
	insnLine = regexp.MustCompile(`^(\d+): \(`)
	// afterJump is a reason on the line of a jump, which the kernel did not end.
	afterJump = regexp.MustCompile(`^\d+: \([0-9a-f]+\) .*goto pc[+-]\d+ +([A-Za-z].*)$`)
	// insnMention is a message that names the instruction.
	insnMention = regexp.MustCompile(`(?:insn|from insn|detected at insn) (\d+)`)
	// noise is lines that follow the reason.
	noise = regexp.MustCompile(`^(processed \d+ insns|verification time|stack depth|mark_precise|max_states|from \d+ to \d+|;|R\d+[_=]|old state|cur state|parent)`)
)

// reportTitle begins what Linux 7.3 adds to the log of a program that it refuses: the same reason
// at length, the path that led there, and advice. The classic lines are before it.
const reportTitle = "Verification failed:"

// reportInsn is the report's line for the instruction that is at fault, the first of its kind.
var reportInsn = regexp.MustCompile(`^insn (\d+)$`)

// explain returns the reason at the end of a log and the position of the
// instruction that it is about.
func (p *Program) explain(log []string) (token.Position, string) {
	isTitle := func(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), reportTitle) }
	if i := slices.IndexFunc(log, isTitle); i >= 0 {
		pos, reason := p.explain(log[:i])
		for _, line := range log[i:] {
			if m := reportInsn.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				offset, _ := strconv.Atoi(m[1])
				return p.posOf(offset), reason
			}
		}
		return pos, reason
	}
	reason := "no reason given"
	offset := -1
	for _, line := range slices.Backward(log) {
		line = strings.TrimSpace(line)
		if m := afterJump.FindStringSubmatch(line); m != nil && reason == "no reason given" {
			line = m[1]
		}
		if reason == "no reason given" {
			if line == "" || noise.MatchString(line) || insnLine.MatchString(line) {
				continue
			}
			reason = line
			if m := insnMention.FindStringSubmatch(line); m != nil {
				offset, _ = strconv.Atoi(m[1])
				break
			}
			continue
		}
		if m := insnLine.FindStringSubmatch(line); m != nil {
			offset, _ = strconv.Atoi(m[1])
			break
		}
	}
	if strings.HasPrefix(reason, wrongResult) {
		reason += "; return a constant of the result's type"
	}
	if offset < 0 {
		return token.Position{}, reason
	}
	return p.posOf(offset), reason
}

// wrongResult begins what the kernel says of a result that programs of a type may not have.
const wrongResult = "At program exit the register R0 has"

// posOf returns the position of the instruction at a raw offset.
func (p *Program) posOf(offset int) token.Position {
	var pos token.Position
	for _, l := range p.unit.Lines {
		if l.Offset > offset {
			break
		}
		if l.Pos.IsValid() {
			pos = l.Pos
		}
	}
	return pos
}
