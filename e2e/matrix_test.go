package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/undergo-ebpf/undergo/e2e/kernels"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/e2e/qemu"
)

// This file runs the tests that need a kernel in those of the matrix.

// A testPackage is a package with tests that need a kernel.
type testPackage struct {
	dir string // from the module's root
	// host is the tests that are about the host, with the reason why they are not run in
	// guests, which have neither the go command nor Go's source.
	host map[string]string
}

var testPackages = []testPackage{
	{"e2e", map[string]string{
		"TestImportGraph":            "lists packages with the go command",
		"TestGoPrograms":             "reads the programs of the Go installation",
		"TestErrorValues":            "calls package errors of the Go installation",
		"TestStandardLibraryRefused": "calls packages of the Go installation",
		"TestRegress":                "builds programs with the go command",
	}},
	{"jit", map[string]string{
		"TestCompilePackage": "finds a package with the go command",
		"TestHostWithoutGo":  "builds a program with the go command",
		"TestBadInput":       "compiles for a given kernel, and calls packages of the Go installation",
		"TestBounds":         "compiles for a given kernel",
		"TestCorpusInMemory": "compiles as a last resort, for which old kernels have other limits",
		"TestCorpusInDoubt":  "compiles as a last resort, for which old kernels have other limits",
	}},
}

// guestModules are the kernel modules that tests need.
var guestModules = []string{"veth", "cls_bpf", "cls_matchall", "act_bpf", "sch_ingress"}

// guestTimeout is the time that a guest gets for all of the tests.
const guestTimeout = 45 * time.Minute

// A matrix is what guests run.
type matrix struct {
	dir      string // for what has been built
	root     string // of the module
	packages []testPackage
	files    []string // Go source outside of the module that tests compile
	cache    string   // module cache
}

// runMatrix runs the tests in each of the kernels and returns the worst exit status.
func runMatrix(ctx context.Context, names []string) (int, error) {
	dir, err := kernels.TempDir("")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	m := &matrix{dir: dir, packages: testPackages}
	if err := m.build(ctx); err != nil {
		return 0, err
	}
	columns := make([]column, len(names))
	statuses := make([]int, len(names))
	var wg sync.WaitGroup
	turns := newTurns(os.Stdout, len(names))
	running := make(chan struct{}, max(1, *guestsFlag))
	for i, name := range names {
		running <- struct{}{}
		wg.Go(func() {
			defer func() { <-running }()
			w := turns.writer(i)
			defer w.Close()
			var output bytes.Buffer
			statuses[i] = m.runKernel(ctx, name, io.MultiWriter(w, &output))
			columns[i] = column{name, *archFlag, kerneltest.ParseOutcomes(output.String())}
		})
	}
	wg.Wait()
	worst := slices.Max(statuses)
	if *tableFlag {
		return worst, writeTable("../README.md", columns)
	}
	return worst, nil
}

// runKernel runs the tests in one kernel and returns the exit status.
func (m *matrix) runKernel(ctx context.Context, name string, w io.Writer) int {
	start := time.Now()
	var output bytes.Buffer
	status, err := m.runGuest(ctx, name, io.MultiWriter(w, &output))
	if err != nil {
		fmt.Fprintf(w, "linux %s, %s: %v\n", name, *archFlag, err)
		status = 1
	}
	if *brokenFlag {
		status = wantBroken(w, status, output.String())
	}
	fmt.Fprintf(w, "linux %s, %s: exit status %d after %.1f s\n", name, *archFlag, status, time.Since(start).Seconds())
	return status
}

// wantBroken returns the exit status of a run with a defective compiler: 0 if
// the tests have found a difference.
func wantBroken(w io.Writer, status int, output string) int {
	if status == 1 && strings.Contains(output, differenceFound) {
		return 0
	}
	fmt.Fprintln(w, "the tests have not found that the compiler is defective")
	return 1
}

// programsDir is the directory of the programs that tests run.
const programsDir = "programs"

// guestDivisor divides the number of generated programs.
const guestDivisor = 4

// build builds what runs in guests, which have neither the go command nor libc.
func (m *matrix) build(ctx context.Context) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	m.root = filepath.Dir(here)
	programs := filepath.Join(m.dir, programsDir)
	if err := os.Mkdir(programs, 0o755); err != nil {
		return err
	}
	commands := [][]string{{"build", "-o", programs + "/", "./examples/..."}}
	if *brokenFlag {
		m.packages = m.packages[:1]
		if err := flag.Set("test.run", "^TestDifferential$"); err != nil {
			return err
		}
	}
	for _, p := range m.packages {
		test := []string{"test", "-c", "-o", m.binary(p)}
		if *brokenFlag {
			test = append(test, "-tags=brokenlowering")
		}
		commands = append(commands, append(test, "./"+p.dir))
	}
	for _, args := range commands {
		if _, err := m.goCommand(ctx, args...); err != nil {
			return err
		}
	}
	if err := m.findFiles(ctx); err != nil {
		return err
	}
	explicit := false
	flag.Visit(func(f *flag.Flag) { explicit = explicit || f.Name == "diff.programs" })
	if !explicit {
		if err := flag.Set("diff.programs", fmt.Sprint(*diffPrograms/guestDivisor)); err != nil {
			return err
		}
	}
	return progen.Build(filepath.Join(programs, nativeProgram), *archFlag, diffCases(*diffPrograms))
}

// binary returns the path of the test binary of p.
func (m *matrix) binary(p testPackage) string {
	return filepath.Join(m.dir, strings.ReplaceAll(p.dir, "/", "_")+".test")
}

// goCommand runs the go command in the root of the module, for the guests' architecture.
func (m *matrix) goCommand(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = m.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+*archFlag)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}

// findFiles finds the source of the packages of other modules that tests import, which
// may be compiled for the kernel.
func (m *matrix) findFiles(ctx context.Context) error {
	cache, err := m.goCommand(ctx, "env", "GOMODCACHE")
	if err != nil {
		return err
	}
	m.cache = strings.TrimSpace(string(cache))
	type listed struct {
		Dir                                string
		Standard                           bool
		Module                             *struct{ Main bool }
		GoFiles, TestImports, XTestImports []string
	}
	list := func(args ...string) (list []listed, err error) {
		out, err := m.goCommand(ctx, append([]string{"list", "-json=Dir,Standard,Module,GoFiles,TestImports,XTestImports"}, args...)...)
		if err != nil {
			return nil, err
		}
		for dec := json.NewDecoder(bytes.NewReader(out)); ; {
			var p listed
			if err := dec.Decode(&p); errors.Is(err, io.EOF) {
				return list, nil
			} else if err != nil {
				return nil, err
			}
			list = append(list, p)
		}
	}
	var dirs []string
	for _, p := range m.packages {
		dirs = append(dirs, "./"+p.dir)
	}
	tests, err := list(dirs...)
	if err != nil {
		return err
	}
	var imported []string
	for _, p := range tests {
		imported = append(append(imported, p.TestImports...), p.XTestImports...)
	}
	slices.Sort(imported)
	packages, err := list(slices.Compact(imported)...)
	if err != nil {
		return err
	}
	for _, p := range packages {
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		for _, name := range p.GoFiles {
			m.files = append(m.files, filepath.Join(p.Dir, name))
		}
	}
	return nil
}

// runGuest runs the tests, with this process's flags, in the given kernel.
func (m *matrix) runGuest(ctx context.Context, kernel string, output io.Writer) (int, error) {
	store, err := qemu.DefaultStore(os.Stderr)
	if err != nil {
		return 0, err
	}
	var programs []qemu.Program
	for _, p := range m.packages {
		programs = append(programs, qemu.Program{
			Path: m.binary(p),
			Name: p.dir,
			Args: guestArgs(p),
			Env:  []string{"CI=true", "UNDERGO_GUEST=" + kernel, "GOMODCACHE=" + m.cache},
			Dir:  filepath.Join(m.root, p.dir),
		})
	}
	return qemu.Exec(ctx, store, qemu.Options{
		Kernel:  kernel,
		Modules: guestModules,
		Data:    filepath.Join(m.dir, programsDir),
		Source:  m.root,
		Files:   m.files,
		Timeout: guestTimeout,
		Output:  output,
	}, programs...)
}

// guestArgs returns the flags for the tests of p: those of this process, as far as they
// are not about the host and the package knows them.
func guestArgs(p testPackage) []string {
	skip := slices.Sorted(maps.Keys(p.host))
	var args []string
	flag.Visit(func(f *flag.Flag) {
		own, isTest := strings.CutPrefix(f.Name, "test.")
		switch {
		case f.Name == "test.skip":
			skip = append(skip, f.Value.String())
		case isTest && !slices.Contains([]string{"testlogfile", "paniconexit0", "gocoverdir", "coverprofile", "timeout"}, own),
			p.dir == "e2e" && strings.HasPrefix(f.Name, "diff."):
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	for i, name := range skip {
		if p.host[name] != "" {
			skip[i] = "^" + name + "$"
		}
	}
	return append(args, "-test.skip="+strings.Join(skip, "|"))
}

// guestsFlag is how many guests run at a time.
var guestsFlag = flag.Int("guests", runtime.NumCPU(), "with -kernel: how many guests run at a time")
