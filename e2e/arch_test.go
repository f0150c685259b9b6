package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/undergo-ebpf/undergo/"

// mayImport is the dependency graph of the project: for each package, or tree
// of packages if the name ends in /..., which others it may import. "std" is
// the standard library. The first row whose name matches a package counts.
var mayImport = []struct {
	pkg  string
	deps string
}{
	{"ebpf/internal/mem", "std ebpf/bind"},
	{"ebpf/internal/...", "std golang.org/x"},
	{"ebpf/bind", "std"},
	{"ebpf/...", "std ebpf ebpf/..."},
	{"lower/internal/ir", "std"},
	{"lower/internal/mir", "std"},
	{"lower/internal/diag", "std"},
	{"lower/internal/target", "std"},
	{"lower/internal/ir/irtest", "std lower/internal/ir"},
	{"lower/internal/golden", "std golang.org/x"},
	{"lower/internal/interp", "std lower/internal/ir"},
	{"lower/internal/build", "std go/ssa lower/internal/ir lower/internal/interp lower/internal/diag lower/internal/target"},
	{"lower/internal/opt", "std lower/internal/ir lower/internal/diag lower/internal/target"},
	{"lower/internal/isel", "std lower/internal/ir lower/internal/mir lower/internal/target"},
	{"lower/internal/regalloc", "std lower/internal/mir"},
	{"lower/internal/emit", "std asm btf lower/internal/mir lower/internal/diag lower/internal/target"},
	{"lower/internal/vm", "std asm"},
	{"lower", "std go/ssa asm btf lower/internal/..."},
	{"jit/internal/std/gen", "std golang.org/x jit/internal/std"},
	{"jit/internal/std", "std golang.org/x"},
	{"jit/internal/kernelmap", "std golang.org/x cilium btf asm ebpf/bind"},
	{"jit/vet/...", "std golang.org/x jit jit/vet lower"},
	{"jit", "std go/ssa golang.org/x asm btf cilium ebpf ebpf/bind lower jit/internal/..."},
	{"attach", "std golang.org/x cilium netlink jit ebpf/bind"},
	{"e2e/guest", "std golang.org/x"},
	{"e2e/...", "std golang.org/x cilium netlink asm btf ebpf ebpf/... jit lower attach examples/... e2e/..."},
	{"examples/...", "std golang.org/x cilium ebpf jit attach"},
}

// shorthand gives names of mayImport to import paths outside of the module.
func shorthand(path string) string {
	switch {
	case strings.HasPrefix(path, "golang.org/x/tools/go/ssa"), strings.HasPrefix(path, "golang.org/x/tools/go/types"):
		return "go/ssa"
	case path == "github.com/cilium/ebpf/asm":
		return "asm"
	case path == "github.com/cilium/ebpf/btf":
		return "btf"
	case strings.HasPrefix(path, "github.com/cilium/ebpf"):
		return "cilium"
	case path == "github.com/vishvananda/netlink":
		return "netlink"
	case strings.HasPrefix(path, "golang.org/x/"):
		return "golang.org/x"
	case !strings.Contains(strings.Split(path, "/")[0], "."):
		return "std"
	}
	return path
}

func matches(pattern, pkg string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == tree || strings.HasPrefix(pkg, tree+"/")
	}
	return pkg == pattern
}

// TestImportGraph checks that the packages import each other only in the
// directions that the design allows.
func TestImportGraph(t *testing.T) {
	list := exec.Command("go", "list", "-json=ImportPath,Imports", "../...")
	out, err := list.Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("not a source tree: no go command here, as in a guest")
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(pkg.ImportPath, module)
		deps, ok := "", false
		for _, row := range mayImport {
			if matches(row.pkg, name) {
				deps, ok = row.deps, true
				break
			}
		}
		if !ok {
			t.Errorf("package %s is not in the dependency graph", name)
			continue
		}
		seen++
		for _, imp := range pkg.Imports {
			allowed := false
			short, own := strings.CutPrefix(imp, module)
			if !own {
				short = shorthand(imp)
			}
			for _, d := range strings.Fields(deps) {
				allowed = allowed || matches(d, short)
			}
			if !allowed {
				t.Errorf("%s imports %s: it may import %s", name, imp, deps)
			}
		}
	}
	if seen == 0 {
		t.Error("go list found no package")
	}
}
