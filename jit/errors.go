package jit

import (
	"errors"
	"fmt"
	"go/token"
	"runtime/debug"
	"strings"

	"github.com/undergo-ebpf/undergo/lower"
)

// Errors are lower.DiagnosticError if the source is at fault: one or more
// diagnostics in source order, printed one per line as Go's tools do. Others
// are of the kernel, of files, or InternalError.

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
		*err = limit(*err)
		return
	}
	if *err = limit(f.diags.Err()); *err == nil {
		*err = &InternalError{Stage: f.stage, Function: strings.Join(f.busy, ", "), Cause: r, Stack: debug.Stack()}
	}
}
