package jit_test

import (
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/undergo-ebpf/undergo/jit"
)

const initText = `
-- go.mod --
module example.org/app
-- base/base.go --
package base

var Unit = 5

func init() { Unit += 2 }
-- base/registry.go --
package base

var Registered [4]int

func Register(i, n int) int { Registered[i] = n; return n }
-- table/table.go --
package table

import (
	"os"

	"example.org/app/base"
)

var Steps [8]int

var Total int

var Twice = base.Unit * 2

var Host int

var hidden int

func init() {
	for i := range Steps {
		Steps[i] = i * base.Unit
	}
	Total = sum(Steps[:])
}

func init() { Host = len(os.Args); setHidden(1) }

func setHidden[T ~int](n T) { hidden = int(n) }

func Hidden() int { return hidden }

func sum(a []int) (n int) {
	for _, v := range a {
		n += v
	}
	return n
}
-- values/values.go --
package values

import (
	"fmt"
	"os"

	"example.org/app/table"
	"github.com/undergo-ebpf/undergo/ebpf"
)

var weights = []int{1, 2, 3}

var names = []string{"one", "two"}

var byName = invert(names)

func invert(names []string) map[string]int {
	m := make(map[string]int)
	for i, n := range names {
		m[n] = i
	}
	return m
}

func init() { // has no part in the program
	for i, w := range weights {
		fmt.Fprintln(os.Stderr, i, w, names[i%2], weights, table.Steps[i])
	}
	names := os.Args
	names[0] = ""
}

//ebpf:section xdp
func f(ctx *ebpf.XDP) int {
	return table.Steps[7] + table.Total*100 + table.Twice*100000 + weights[2]*10 + len(names[0])
}
-- ways/ways.go --
package ways

import "github.com/undergo-ebpf/undergo/ebpf"

type meter struct{ n int }

func (m *meter) set(n int) { m.n = n }

type setter interface{ set(n int) }

var first, second, third meter

func init() {
	set := first.set
	set(1)
	s := setter(&second)
	s.set(2)
	store(&third, 3)
}

func store[T any](p *T, x int) { any(p).(setter).set(x); generic = x + 1 }

var generic int

var ports = make([]int, 4)

func init() {
	p := ports
	p[1] = 5
	fill(p[2:], 6)
}

func fill(s []int, n int) { s[0] = n }

var _ = register(7)

var registered int

func register(n int) bool { registered = n; return true }

//ebpf:section xdp
func f(ctx *ebpf.XDP) (n int) {
	for _, d := range [...]int{first.n, second.n, third.n, generic, ports[1], ports[2], registered} {
		n = n*10 + d
	}
	return n
}
-- host/host.go --
package host

import (
	"example.org/app/table"
	"github.com/undergo-ebpf/undergo/ebpf"
)

//ebpf:section xdp
func f(ctx *ebpf.XDP) int { return table.Hidden() }
-- foreign/foreign.go --
package foreign

import (
	"example.org/app/base"
	"github.com/undergo-ebpf/undergo/ebpf"
)

var port = base.Register(1, 80)

func init() { base.Registered[2] = 9 }

//ebpf:section xdp
func f(ctx *ebpf.XDP) int { return base.Registered[1] }
-- commands/commands.go --
package commands

import "github.com/undergo-ebpf/undergo/ebpf"

type command struct {
	name string
	run  func(*ebpf.XDP) int
}

var commands []command

func init() { commands = append(commands, command{"f", f}) } // does not call f

var table = [...]byte{1, 2, 3, 4}

func second(b []byte) int { return int(b[:2][1]) }

//ebpf:section xdp
func f(ctx *ebpf.XDP) int { return second(table[1:]) }
-- called/called.go --
package called

import "github.com/undergo-ebpf/undergo/ebpf"

var setters = [...]func(){one, two}

var sum int

func one() { sum++ }

func two() { sum += 2 }

func init() {
	for _, set := range setters {
		set()
	}
}

//ebpf:section xdp
func f(ctx *ebpf.XDP) int { return sum }
-- flags/flags.go --
package flags

import (
	"flag"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var limit int

func init() { flag.IntVar(&limit, "limit", 10, "") }

//ebpf:section xdp
func f(ctx *ebpf.XDP) int { return limit }
`

// TestInitialisers compares what programs read in package-level variables with what Go's
// initialisation leaves there.
func TestInitialisers(t *testing.T) {
	fsys, err := txtar.FS(txtar.Parse([]byte(initText)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir  string
		opts []jit.Option
		want int32
		errs []string
	}{
		{dir: "values", want: 7*7 + 28*7*100 + 14*100000 + 30 + 3},
		{dir: "ways", want: 1234567},
		{dir: "commands", want: 3},
		{dir: "called", want: 3},
		{dir: "flags", opts: []jit.Option{jit.WithConst("limit", 12)}, want: 12},
		{dir: "flags", errs: []string{
			"flags.go:11:6: init is run when compiling: it may assign to variable limit, which the program uses; move what only the host can do elsewhere, or set the variable with jit.WithConst [U304]",
			"flags.go:11:15: flag.IntVar cannot be used",
		}},
		{dir: "host", errs: []string{
			"table.go:26:6: init is run when compiling: it may assign to variable hidden, which the program uses; move what only the host can do elsewhere [U304]",
			"table.go:26:26: os.Args cannot be used",
		}},
		{dir: "foreign", errs: []string{
			"foreign.go:8:5: the initialiser of port may assign to variable Registered of package base, which the program uses; assign to it in package base [U304]",
			"foreign.go:10:6: init may assign to variable Registered of package base, which the program uses; assign to it in package base [U304]",
		}},
	} {
		c, err := jit.CompilePackage(tt.dir, append(tt.opts, jit.WithSource(fsys), jit.WithTarget(linux618))...)
		if len(tt.errs) > 0 {
			for _, want := range tt.errs {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got error %v, want %s", tt.dir, err, want)
				}
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.dir, err)
			continue
		}
		c.Close()
		if c, err = jit.CompilePackage(tt.dir, append(tt.opts, jit.WithSource(fsys))...); err != nil {
			needPrivilege(t, err)
		}
		defer c.Close()
		if run, err := c.Programs["f"].Test(make([]byte, 64)); err != nil || run.Result != tt.want {
			t.Errorf("%s: got %d, %v, want %d", tt.dir, run.Result, err, tt.want)
		}
	}
}
