package jit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/undergo-ebpf/undergo/jit"
)

// moduleText is a module with programs in package prog that use other packages
// of the module, a vendored one, and one of a module that replaces another.
const moduleText = `
-- go.mod --
module example.org/app

go 1.26

require example.org/dep v1.2.3

replace example.org/dep => ./third/dep
-- prog/prog.go --
package prog

import (
	"example.org/app/internal/limits"
	"example.org/app/flags"

	"github.com/undergo-ebpf/undergo/ebpf"
)

//ebpf:section xdp
func pass(ctx *ebpf.XDP) ebpf.XDPAction {
	if limits.Clamp(200) != 100 || limits.Table[2] != 9 || flags.All.Has(flags.A) != true {
		return ebpf.XDPDrop
	}
	return ebpf.XDPPass
}
-- internal/limits/limits.go --
package limits

import (
	"os"

	"example.org/app/flags"
)

var Table = [...]int{1, 4, 9}

func Clamp(n int) int { return min(n, most) }

func Env() string { return os.Getenv(name) + string(rune(flags.A)) }
-- internal/limits/rest.go --
package limits

const (
	most = 100
	name = "LIMIT"
)
-- internal/limits/rest_test.go --
package limits

const most = 1
-- internal/limits/asm.go --
//go:build !purego

package limits

func Clamp(n int) int
-- flags/flags.go --
package flags

type Set uint8

const (
	A Set = 1 << iota
	B
)

var All = A | B

func (s Set) Has(x Set) bool { return s&x == x }
-- dep/dep.go --
package dep

import "example.org/dep/sub"

//ebpf:section xdp
func three() int { return sub.Three }
-- third/dep/go.mod --
module example.org/dep
-- third/dep/sub/sub.go --
package sub

const Three = 3
-- missing/missing.go --
package missing

import "example.org/nowhere"

//ebpf:section xdp
func f() int { return nowhere.F() }
`

func TestImportsOfModule(t *testing.T) {
	ar := txtar.Parse([]byte(moduleText))
	fsys, err := txtar.FS(ar)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, f := range ar.Files {
		name := filepath.Join(root, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	withoutMod, err := txtar.FS(&txtar.Archive{Files: ar.Files[1:]})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, dir string
		opts      []jit.Option
		err       string
	}{
		{name: "disk", dir: filepath.Join(root, "prog")},
		{name: "file system", dir: "prog", opts: []jit.Option{jit.WithSource(fsys)}},
		{name: "replaced module", dir: filepath.Join(root, "dep")},
		{name: "missing", dir: filepath.Join(root, "missing"),
			err: `missing.go:6:23: nowhere.F cannot be used in a kernel-side function: the source of package "example.org/nowhere" is not here`},
		{name: "unknown module", dir: "prog", opts: []jit.Option{jit.WithSource(withoutMod)},
			err: `limits.Clamp cannot be used in a kernel-side function: the source of package "example.org/app/internal/limits" is not here`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := jit.CompilePackage(tt.dir, append(tt.opts, jit.WithTarget(linux618))...)
			switch {
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("got error %v, want %s", err, tt.err)
			case err == nil && len(c.Programs) != 1:
				t.Errorf("%d programs", len(c.Programs))
			}
		})
	}
}
