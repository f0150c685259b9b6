// Package golden compares what a stage makes of a text with what is pinned in
// a txtar archive. Only tests import it.
//
// An archive of the directory testdata holds the input of a stage in its first
// section and results in others; its comment may carry options of the test.
// With the flag -update the results are rewritten: a change to be reviewed like
// code.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the results in testdata")

// A File is one archive under test.
type File struct {
	// Comment is the text before the first section, Header its first line.
	Comment, Header string

	archive *txtar.Archive
	path    string
	changed bool
}

// Run runs test on each archive that matches pattern, as a subtest with the
// archive's name.
func Run(t *testing.T, pattern string, test func(t *testing.T, f *File)) {
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) == 0 {
				t.Fatalf("%s has no sections", path)
			}
			f := &File{archive: archive, path: path, Comment: string(archive.Comment)}
			f.Header, _, _ = strings.Cut(f.Comment, "\n")
			test(t, f)
			if f.changed && !t.Failed() {
				if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Input returns the content of the first section, which must have the given
// name.
func (f *File) Input(t *testing.T, name string) string {
	t.Helper()
	if f.archive.Files[0].Name != name {
		t.Fatalf("the first section of %s is %s, want %s", f.path, f.archive.Files[0].Name, name)
	}
	return string(f.archive.Files[0].Data)
}

// Has reports whether the archive has a section of the given name.
func (f *File) Has(name string) bool { return f.find(name) != nil }

// Names returns the names of the sections after the first.
func (f *File) Names() []string {
	var names []string
	for _, s := range f.archive.Files[1:] {
		names = append(names, s.Name)
	}
	return names
}

// Want compares got with the section of the given name; a section that is not
// there is an empty one. With -update it rewrites the section, or adds it.
func (f *File) Want(t *testing.T, name, got string) {
	t.Helper()
	section, want := f.find(name), ""
	if section != nil {
		want = string(section.Data)
	}
	switch {
	case want == got:
	case !*update:
		t.Errorf("section %s of %s: got\n%s\nwant\n%s\nrun the test with -update to accept", name, f.path, got, want)
	case section == nil:
		f.archive.Files = append(f.archive.Files, txtar.File{Name: name, Data: []byte(got)})
		f.changed = true
	default:
		section.Data, f.changed = []byte(got), true
	}
}

func (f *File) find(name string) *txtar.File {
	for i := range f.archive.Files {
		if f.archive.Files[i].Name == name {
			return &f.archive.Files[i]
		}
	}
	return nil
}
