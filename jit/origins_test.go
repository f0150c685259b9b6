package jit_test

import (
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// A recordingFS notes which files are opened.
type recordingFS struct {
	fs.FS
	opened []string
}

func (r *recordingFS) Open(name string) (fs.File, error) {
	r.opened = append(r.opened, name)
	return r.FS.Open(name)
}

// TestCaptureReadsLittle compiles a literal that captures variables in a
// function that uses package jit: packages that the types of the variables do
// not depend on, such as what jit imports, may not be read for it.
func TestCaptureReadsLittle(t *testing.T) {
	limit, first := uint32(os.Getpid()), rule{low: 1, high: port(len(http.MethodGet))}
	const step = 3
	type pair struct{ a, b uint32 }
	source := &recordingFS{FS: os.DirFS("..")}
	_, err := jit.Compile(func(ctx ebpf.Context) int {
		p := pair{limit, step}
		if first.matches(port(p.b)) {
			return int(p.a)
		}
		return 0
	}, jit.As("raw_tracepoint/sys_enter"), jit.WithSource(source), jit.WithTarget(linux618))
	if err != nil {
		t.Fatal(err)
	}
	if len(source.opened) == 0 {
		t.Error("nothing was read")
	}
	for _, name := range source.opened {
		if strings.HasPrefix(name, "lower/") {
			t.Errorf("%s was read", name)
		}
	}
}
