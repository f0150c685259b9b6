package lower

import (
	"fmt"
	"go/token"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// TestBug checks that a defect of the compiler is an error that names the pass
// and the function, and has the stack.
func TestBug(t *testing.T) {
	const src = `package p

//go:noinline
func callee(n int) int { return n * n }

func f(n int) int { return callee(n) + callee(n+1) }
`
	for _, stage := range []string{"build", "mem2reg/early", "inline"} {
		in, err := programInput(token.NewFileSet(), src, "f")
		if err != nil {
			t.Fatal(err)
		}
		c := &compilation{in: in, target: TargetFor(Version{Major: 6, Minor: 12}, "amd64")}
		c.observe = func(s string, _ *ir.Module) {
			if s == stage {
				var none *ir.Module
				c.stage = none.Funcs[0].Name
			}
		}
		unit, err := c.compile()
		if unit != nil || !IsBug(err) {
			t.Fatalf("%s: got %v, %v, want a BUG", stage, unit, err)
		}
		where := stage
		if strings.HasSuffix(stage, "/early") {
			where += " of p.callee" // the last one
		}
		want := fmt.Sprintf("BUG in undergo's compiler: %s, compiling %s: runtime error: invalid memory address or nil pointer dereference", where, in.Name)
		if err.Error() != want {
			t.Errorf("got  %s\nwant %s", err, want)
		}
		if full := fmt.Sprintf("%+v", err); !strings.HasPrefix(full, want) || !strings.Contains(full, "bug_test.go:") {
			t.Errorf("%%+v has no stack:\n%s", full)
		}
	}
}
