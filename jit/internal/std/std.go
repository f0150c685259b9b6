// Package std is the source of Go's standard library, as far as kernel-side code
// can use it.
//
// The packages that are used most are embedded, so that the machine needs no
// installation of Go and all machines compile the same. The others are read from
// the installation of the release that the binary was built with, if it is there.
//
// # What this package may know
//
// The standard library, and nothing of this module.
package std

import (
	_ "embed"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/tools/txtar"
)

//go:generate go run ./gen

// generated is packages of the standard library, and the licence of Go, which
// is theirs.
//
//go:embed std.txtar
var generated []byte

// replaced is packages and functions that are written for the kernel, instead of
// those of the same name.
//
//go:embed replaced.txtar
var replaced []byte

// embedded is the files of the embedded packages by the import path.
var embedded = sync.OnceValue(func() map[string][]txtar.File {
	files := make(map[string][]txtar.File)
	for _, data := range [][]byte{generated, replaced} {
		for _, f := range txtar.Parse(data).Files {
			dir := path.Dir(f.Name)
			files[dir] = append(files[dir], f)
		}
	}
	return files
})

// Replaced returns the files with replacements for a package.
func Replaced(importPath string) [][]byte {
	var files [][]byte
	for _, f := range txtar.Parse(replaced).Files {
		if path.Dir(f.Name) == importPath {
			files = append(files, f.Data)
		}
	}
	return files
}

// Arch is the architecture that packages are read for: one that has the byte
// order of the kernel's machine, and for which the standard library has no
// assembly, so that all of its functions are written in Go. No Go compiler
// supports it.
const Arch = "alpha"

// A File is a file of a package.
type File struct {
	Name string // with its directory
	Data []byte
}

// Find returns the files of the package with the given import path that are
// compiled for the kernel, none if there is no such package. An error says why a
// package that may exist cannot be read.
func Find(importPath string) ([]File, error) {
	var files []File
	for _, f := range embedded()[importPath] {
		files = append(files, File{"$GOROOT/src/" + f.Name, f.Data})
	}
	if files != nil {
		return files, nil
	}
	root, err := goroot()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "src", filepath.FromSlash(importPath))
	fsys := os.DirFS(dir)
	names, err := fs.Glob(fsys, "*.go")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !Match(fsys, name) {
			continue
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if p := patches()[importPath]; p != nil {
			if data, err = p.apply(name, data); err != nil {
				return nil, err
			}
		}
		files = append(files, File{filepath.Join(dir, name), data})
	}
	return files, nil
}

// goroot returns the Go installation that this binary was built with. Another
// release may compute something else, and what is compiled here must compute what
// the host computes.
var goroot = sync.OnceValues(func() (string, error) {
	root := build.Default.GOROOT
	version, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if root == "" || err != nil {
		return "", fmt.Errorf("there is no Go installation here to read it from")
	}
	first, _, _ := strings.Cut(string(version), "\n")
	if release(first) != release(runtime.Version()) {
		return "", fmt.Errorf("the Go installation here is %s, and this binary was built with %s", first, runtime.Version())
	}
	return root, nil
})

// release returns the language release of a version: go1.26 of go1.26.3.
func release(version string) string {
	version, _, _ = strings.Cut(version, " ")
	if major, rest, ok := strings.Cut(version, "."); ok {
		minor, _, _ := strings.Cut(rest, ".")
		return major + "." + minor
	}
	return version
}

// Match reports whether the file of the given name in fsys is compiled for the
// kernel: it is no test, and its build constraints hold.
func Match(fsys fs.FS, name string) bool {
	ctxt := build.Default
	ctxt.GOARCH, ctxt.GOOS = Arch, "linux"
	ctxt.BuildTags = []string{"purego", "noasm"}
	ctxt.CgoEnabled = false
	ctxt.JoinPath = path.Join
	ctxt.OpenFile = func(name string) (io.ReadCloser, error) { return fsys.Open(name) }
	match, err := ctxt.MatchFile("", name)
	return err == nil && match && !strings.HasSuffix(name, "_test.go")
}
