package jit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

const heldHeader = `package p

import "github.com/undergo-ebpf/undergo/ebpf"

type record struct{ N [4]uint64 }

var (
	records = ebpf.NewRingBuf[record](4096)
	n       = ebpf.NewVar[uint64](0)
)

//go:noinline
func index(a *[4]uint64, i uint64) uint64 { return a[i] }

//ebpf:section xdp
func prog(ctx *ebpf.XDP) int {
	c, d := ctx.RxQueueIndex > 3, ctx.IngressIfindex > 3
	_, _ = c, d
	var r *record
`

// TestHeldOnSomePaths compiles programs that reserve a record on some paths only.
func TestHeldOnSomePaths(t *testing.T) {
	// Of the kernels of the matrix these follow a condition to where it is asked for again.
	follows := lower.Version{Major: 6, Minor: 12}
	kernel, err := kerneltest.RunningRelease()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, body, want string }{
		{"same condition", `
	if c {
		if r = records.Reserve(); r == nil {
			return 1
		}
	}
	n.Add(1)
	if c {
		r.N[1] = 5
		records.Submit(r)
	}
	return 0
`, ""},
		{"nil", `
	if c {
		r = records.Reserve()
	}
	n.Add(1)
	if r != nil {
		r.N[1] = 5
		records.Submit(r)
	}
	return 0
`, ""},
		{"same condition, and a panic between", `
	if c {
		if r = records.Reserve(); r == nil {
			return 1
		}
	}
	var a [4]uint64
	a[n.Load()] = 5
	n.Add(a[0])
	if c {
		r.N[1] = 5
		records.Submit(r)
	}
	return 0
`, ""},
		{"flag", `
	got := false
	if c {
		if r = records.Reserve(); r == nil {
			return 1
		}
		got = true
	}
	n.Add(1)
	if got {
		records.Submit(r)
	}
	return 0
`, ""},
		{"condition that follows", `
	x := n.Load()
	if x > 5 {
		if r = records.Reserve(); r == nil {
			return 1
		}
	}
	n.Add(1)
	if x > 3 && r != nil {
		records.Submit(r)
	}
	return 0
`, ""},
		{"another condition", `
	if c {
		if r = records.Reserve(); r == nil {
			return 1
		}
	}
	n.Add(1)
	if d && r != nil {
		records.Submit(r)
	}
	return 0
`, "return here, but the record reserved at p.go:21:25 is neither submitted nor discarded"},
		{"on no path", `
	if c {
		if r = records.Reserve(); r == nil {
			return 1
		}
	}
	n.Add(1)
	return 0
`, "return here, but the record reserved at p.go:21:25 is neither submitted nor discarded"},
		{"call that may panic", `
	if r = records.Reserve(); r == nil {
		return 1
	}
	a := [4]uint64{1, 2, 3, n.Load()}
	n.Add(index(&a, n.Load()))
	records.Submit(r)
	return 0
`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			coll, err := jit.CompileSource("p.go", heldHeader+c.body[1:]+"}\n")
			if c.want == "" {
				var rejected *jit.VerifierError
				if c.name != "call that may panic" && !kernel.AtLeast(follows) && errors.As(err, &rejected) {
					if !strings.HasPrefix(rejected.Reason, "Unreleased reference") {
						t.Error(err)
					}
					return
				}
				needPrivilege(t, err)
				coll.Close()
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			t.Log(err)
		})
	}
}
