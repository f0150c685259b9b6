package main

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestUpToDate checks that std.txtar is what the generator makes of the release
// that it says it is from. With another release there is nothing to compare with.
func TestUpToDate(t *testing.T) {
	got, err := os.ReadFile("../std.txtar")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(got), "\n")
	if !strings.Contains(first, runtime.Version()+";") {
		t.Skipf("%s; this is %s", first, runtime.Version())
	}
	root, err := goroot()
	if err != nil {
		t.Fatal(err)
	}
	want, err := archive(root)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("std.txtar is not up to date; run go generate in jit/internal/std")
	}
}

// TestStrip checks that what is left of a file stays on its line.
func TestStrip(t *testing.T) {
	const src = `// Copyright.

// Package p does something.
package p

import (
	"cmp"
	"io"
)

// F compares.
//
//go:noinline
func F(a, b int) int { return cmp.Compare(a, b) } // here

// G reads.
func G(r io.Reader) {
	_ = r // everything
}

// H is replaced.
func H() {}

type T int // a type
`
	const want = `// Copyright.


package p

import (
	"cmp"

)



//go:noinline
func F(a, b int) int { return cmp.Compare(a, b) }









type T int
`
	got, err := strip("p.go", []byte(src), map[string]bool{"H": true})
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
