// Package diag holds the diagnostics of undergo: what a user reads when a
// program is refused.
//
// It knows go/token and nothing else of the compiler, so that every stage can
// report through it.
package diag

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// A Diagnostic is one reason why a program was refused. It is an error.
type Diagnostic struct {
	Code Code
	Pos  token.Position
	// Message says what is wrong; lower case, no full stop.
	Message string
	// Fix says what to write instead, or is empty if Message does.
	Fix string
	// Line is the source line at Pos, or empty if it is not known.
	Line string
}

// Error formats d as file:line:col: message; fix [code].
func (d *Diagnostic) Error() string {
	var b strings.Builder
	if d.Pos.IsValid() {
		b.WriteString(d.Pos.String())
		b.WriteString(": ")
	}
	b.WriteString(d.Message)
	if d.Fix != "" {
		b.WriteString("; ")
		b.WriteString(d.Fix)
	}
	fmt.Fprintf(&b, " [%s]", d.Code)
	return b.String()
}

// Format implements fmt.Formatter: %+v adds the source line, and below it a caret at
// the column. All else formats what Error returns.
func (d *Diagnostic) Format(s fmt.State, verb rune) {
	if verb == 'v' && s.Flag('+') {
		fmt.Fprint(s, d.Error(), d.excerpt())
		return
	}
	fmt.Fprintf(s, fmt.FormatString(s, verb), d.Error())
}

// excerpt returns the source line and a line with a caret, each after a line break and a
// tab, or "" if there is none.
func (d *Diagnostic) excerpt() string {
	if d.Line == "" || d.Pos.Column < 1 || d.Pos.Column > len(d.Line)+1 {
		return ""
	}
	// Tabs stay, so that the caret is at its place however wide they are.
	margin := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, d.Line[:d.Pos.Column-1])
	return "\n\t" + d.Line + "\n\t" + margin + "^"
}

// A List collects diagnostics. The zero List is empty and ready to use. It is
// not safe for concurrent use.
type List struct {
	all []*Diagnostic
}

// Add appends a diagnostic.
func (l *List) Add(code Code, pos token.Position, fix, format string, args ...any) {
	l.all = append(l.all, &Diagnostic{Code: code, Pos: pos, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// Append adds diagnostics made elsewhere.
func (l *List) Append(ds ...*Diagnostic) { l.all = append(l.all, ds...) }

// All returns the diagnostics in the order in which they were added.
func (l *List) All() []*Diagnostic { return l.all }

// Len returns the number of diagnostics.
func (l *List) Len() int { return len(l.all) }

// Err returns the diagnostics in source order without repetitions as an
// [Error], or nil if there are none.
func (l *List) Err() error {
	if len(l.all) == 0 {
		return nil
	}
	e := Error(slices.Clone(l.all))
	slices.SortStableFunc(e, func(a, b *Diagnostic) int {
		if c := strings.Compare(a.Pos.Filename, b.Pos.Filename); c != 0 {
			return c
		}
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	return slices.CompactFunc(e, func(a, b *Diagnostic) bool { return *a == *b })
}

// An Error is one or more diagnostics, in source order. errors.As finds the
// first *Diagnostic in it.
type Error []*Diagnostic

// Error returns one diagnostic per line.
func (e Error) Error() string {
	lines := make([]string, len(e))
	for i, d := range e {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Format implements fmt.Formatter: %+v adds the source lines, see [Diagnostic.Format].
func (e Error) Format(s fmt.State, verb rune) {
	if verb != 'v' || !s.Flag('+') {
		fmt.Fprintf(s, fmt.FormatString(s, verb), e.Error())
		return
	}
	for i, d := range e {
		if i > 0 {
			fmt.Fprintln(s)
		}
		d.Format(s, verb)
	}
}

// Unwrap returns the diagnostics one by one.
func (e Error) Unwrap() []error {
	errs := make([]error, len(e))
	for i, d := range e {
		errs[i] = d
	}
	return errs
}
