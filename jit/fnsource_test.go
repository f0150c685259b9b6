package jit_test

import (
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/jit"
)

const addSource = `package p

type pair struct{ a, b int8 }

func add(p pair, n [2]byte) (int8, byte) { return p.a + p.b, n[0] - n[1] }

var sum = add
`

func TestFuncSource(t *testing.T) {
	type twoBytes struct{ a, b int8 }
	add, err := jit.FuncSource[func(twoBytes, [2]uint8) (int8, uint8)]("add.go", addSource, "add")
	needPrivilege(t, err)
	if s, d := add(twoBytes{100, 100}, [2]uint8{1, 2}); s != -56 || d != 255 {
		t.Errorf("add = %d, %d, want -56, 255", s, d)
	}
}

func TestFuncSourceErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		fn   string
		want string
	}{
		{"no such function", "sub", "no function is called sub"},
		{"no function", "sum", "no function is called sum"},
		{"other type", "add", "which is not func(int) int"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := jit.FuncSource[func(int) int]("add.go", addSource, tt.fn)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}
