package e2e

import (
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/corpus/stdlib"
	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// callInputs is the number of inputs each call of the table gets.
const callInputs = 60

// stdCases returns the calls of the table as programs.
func stdCases(calls []stdlib.Call) []progen.Case {
	cases := make([]progen.Case, len(calls))
	for i, c := range calls {
		suffix := fmt.Sprint(i)
		cases[i] = progen.Case{Name: "F_" + suffix, Source: c.Source(suffix), Inputs: progen.Inputs(uint64(i), callInputs), Unique: true}
	}
	return cases
}

// TestStandardCalls calls the functions of the standard library natively and in the
// kernel and compares results and panics, or checks the code with which it is refused.
// Package lower has the other half, with the interpreters.
func TestStandardCalls(t *testing.T) {
	if guest != "" {
		t.Skip("needs a Go installation")
	}
	language.test(t)
	calls := stdlib.Calls()
	cases := stdCases(calls)
	bin := filepath.Join(t.TempDir(), nativeProgram)
	if err := progen.Build(bin, "", cases); err != nil {
		t.Fatal(err)
	}
	native, err := progen.Run(bin)
	if err != nil {
		t.Fatal(err)
	}
	for i, call := range calls {
		name := call.Package + "." + call.Func
		f, err := jit.FuncSource[progen.Signature]("p.go", cases[i].Source, cases[i].Name)
		var list lower.DiagnosticError
		var verifier *jit.VerifierError
		switch {
		case call.Code == stdlib.Complex && errors.As(err, &verifier):
			continue
		case err == nil && call.Code == stdlib.Grows:
			if panicked := panicOf(func() { f(cases[i].Inputs[0]) }); !strings.HasSuffix(fmt.Sprint(panicked), noCapacity) {
				t.Errorf("%s panics with %v", name, panicked)
			}
			continue
		case err == nil && call.Code != "" && call.Code != stdlib.Complex:
			t.Errorf("%s compiles: it is refused with %s in the table", name, call.Code)
		case errors.As(err, &list):
			if got := list[0].Code.String(); got != call.Code {
				t.Errorf("%s: %v, want code %q", name, list, call.Code)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v", name, err)
			continue
		}
		for k, in := range cases[i].Inputs {
			if got := runCall(f, in); got != native[i][k] {
				t.Errorf("%s, input %v: kernel %+v, native %+v", name, in, got, native[i][k])
				break
			}
		}
	}
}

// runCall is run, but for explicit panics with an error of the runtime, as those of math/bits.
func runCall(f progen.Signature, in [6]uint64) progen.Outcome {
	o := run(f, in)
	if o.Panic == "explicit" {
		o.Panic = progen.PanicKind(fmt.Sprint(panicOf(func() { f(in) })))
	}
	return o
}

// impure is functions and types that the table leaves out: what waits, reads or writes.
var impure = map[string]bool{
	"encoding/binary.Read": true, "encoding/binary.Write": true, "encoding/binary.ReadUvarint": true, "encoding/binary.ReadVarint": true,
	"time.After": true, "time.AfterFunc": true, "time.NewTicker": true, "time.NewTimer": true, "time.Tick": true, "time.Sleep": true,
	"time.Ticker": true, "time.Timer": true, "time.Now": true, "time.Since": true, "time.Until": true, "time.Location": true,
	"time.LoadLocation": true, "time.LoadLocationFromTZData": true, "time.ParseInLocation": true, "time.ParseError": true,
	"bytes.Buffer": true, "bytes.Reader": true, "strings.Reader": true, "strings.Builder": true, "strings.Replacer": true,
}

// TestStandardCallsComplete checks that the table has all functions and methods of the
// packages that it has any of.
func TestStandardCallsComplete(t *testing.T) {
	known := make(map[string]map[string]bool)
	for _, c := range stdlib.Calls() {
		if known[c.Package] == nil {
			known[c.Package] = make(map[string]bool)
		}
		known[c.Package][c.Func] = true
	}
	imp := importer.ForCompiler(token.NewFileSet(), "source", nil)
	for path, funcs := range known {
		pkg, err := imp.Import(path)
		if err != nil {
			t.Skip(err)
		}
		want := func(name, owner string) {
			if !funcs[name] && !impure[path+"."+name] && !impure[path+"."+owner] {
				t.Errorf("%s.%s is not in the table", path, name)
			}
		}
		for _, name := range pkg.Scope().Names() {
			obj := pkg.Scope().Lookup(name)
			if !obj.Exported() {
				continue
			}
			switch obj := obj.(type) {
			case *types.Func:
				want(name, "")
			case *types.TypeName:
				named, ok := obj.Type().(*types.Named)
				if !ok || types.IsInterface(named) {
					continue
				}
				for m := range named.Methods() {
					if m.Exported() {
						want(name+"."+m.Name(), name)
					}
				}
			}
		}
	}
}
