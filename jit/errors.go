package jit

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/undergo-ebpf/undergo/lower"
)

// Errors are lower.DiagnosticError if the source is at fault: one or more
// diagnostics in source order, printed one per line as Go's tools do, and with %+v
// each with its source line. Others are of the kernel, of files, or InternalError.

// maxErrors is how many diagnostics an error lists at most.
const maxErrors = 20

// limit cuts a long list of diagnostics.
func limit(err error) error {
	var list lower.DiagnosticError
	if !errors.As(err, &list) || len(list) <= maxErrors {
		return err
	}
	last := &lower.Diagnostic{Code: lower.TooManyErrors, Pos: token.Position{}, Message: fmt.Sprintf("too many errors (%d more)", len(list)-maxErrors)}
	return append(list[:maxErrors:maxErrors], last)
}

// quote adds the source lines to diagnostics.
func (f *front) quote(err error) error {
	var list lower.DiagnosticError
	errors.As(err, &list)
	for _, d := range list {
		if text, ok := f.texts[d.Pos.Filename]; ok && d.Pos.Line > 0 {
			d.Line = lineOf(text, d.Pos)
		}
	}
	return err
}

// lineOf returns the line of text that pos is in, or "".
func lineOf(text []byte, pos token.Position) string {
	if pos.Offset > len(text) {
		return ""
	}
	start := bytes.LastIndexByte(text[:pos.Offset], '\n') + 1
	if bytes.Count(text[:start], []byte("\n")) != pos.Line-1 {
		return "" // a //line directive
	}
	line, _, _ := bytes.Cut(text[start:], []byte("\n"))
	if len(line) > maxLine || !utf8.Valid(line) {
		return ""
	}
	return string(bytes.TrimSuffix(line, []byte("\r")))
}

// maxLine is how long lines are that diagnostics quote.
const maxLine = 300

// An InternalError is a defect of undergo. The compiler never panics.
type InternalError struct {
	Stage    string // what was being done
	Function string // for which program or programs, if that was known
	Cause    any    // the value of the panic
	Stack    []byte
}

// Error names the stage, the function and the cause; Format with %+v adds the stack.
func (e *InternalError) Error() string {
	where := e.Stage
	if e.Function != "" {
		where += ", compiling " + e.Function
	}
	return fmt.Sprintf("BUG in undergo's front end: %s: %v", where, e.Cause)
}

// Format implements fmt.Formatter.
func (e *InternalError) Format(s fmt.State, verb rune) {
	fmt.Fprint(s, e.Error())
	if s.Flag('+') {
		fmt.Fprintf(s, "\n%s", e.Stack)
	}
}

// rescue turns a panic into an error. Where the source has errors, they come
// first: the type checker and the SSA builder may stumble over what follows from them.
func (f *front) rescue(err *error) {
	r := recover()
	if r == nil {
		*err = f.quote(limit(*err))
		return
	}
	if *err = f.quote(limit(f.diags.Err())); *err == nil {
		*err = &InternalError{Stage: f.stage, Function: strings.Join(f.busy, ", "), Cause: r, Stack: debug.Stack()}
	}
}
