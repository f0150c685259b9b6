package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/undergo-ebpf/undergo/e2e/kernels"
	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/e2e/qemu"
)

var (
	kernelFlag = flag.String("kernel", "", "run the tests in these kernels, booted in QEMU, instead of the host's: all, or a list of "+strings.Join(kernels.Names(), ", "))
	archFlag   = flag.String("arch", runtime.GOARCH, "with -kernel: the architecture of the guests, amd64 or arm64")
	tableFlag  = flag.Bool("table", false, "with -kernel: write what the kernels can do into the table of ../README.md")
	brokenFlag = flag.Bool("broken", false, "with -kernel: build the compiler with a defect, and want TestDifferential to find it in every kernel")
)

// guestModules are the kernel modules that tests need.
var guestModules = []string{"veth"}

func TestMain(m *testing.M) {
	if file := os.Getenv(coldEnv); file != "" {
		if err := coldCompile(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	if *kernelFlag == "" {
		status := m.Run()
		outcomes.print()
		os.Exit(status)
	}
	names := strings.Split(*kernelFlag, ",")
	if *kernelFlag == "all" {
		names = kernels.Names()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	status, err := runMatrix(ctx, names)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// runMatrix runs this package's tests in each of the kernels and returns the
// worst exit status.
func runMatrix(ctx context.Context, names []string) (int, error) {
	dir, err := os.MkdirTemp("", "undergo-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := buildForGuests(ctx, dir); err != nil {
		return 0, err
	}
	worst := 0
	var columns []column
	for _, name := range names {
		start := time.Now()
		var output bytes.Buffer
		status, err := runInGuest(ctx, dir, name, io.MultiWriter(os.Stdout, &output))
		if err != nil {
			fmt.Fprintf(os.Stderr, "linux %s: %v\n", name, err)
			status = 1
		}
		if *brokenFlag {
			status = wantBroken(status, output.String())
		}
		fmt.Printf("linux %s, %s: exit status %d after %.1f s\n", name, *archFlag, status, time.Since(start).Seconds())
		worst = max(worst, status)
		columns = append(columns, column{name, *archFlag, parseOutcomes(output.String())})
	}
	if *tableFlag {
		return worst, writeTable("../README.md", columns)
	}
	return worst, nil
}

// wantBroken returns the exit status of a run with a defective compiler: 0 if
// the tests have found a difference.
func wantBroken(status int, output string) int {
	if status == 1 && strings.Contains(output, differenceFound) {
		return 0
	}
	fmt.Println("the tests have not found that the compiler is defective")
	return 1
}

// The files that buildForGuests makes: the tests, and what they run.
const (
	testBinary   = "e2e.test"
	programsDir  = "programs"
	guestDivisor = 4 // of the number of generated programs
)

// buildForGuests builds what runs in guests, which have neither the go command
// nor libc.
func buildForGuests(ctx context.Context, dir string) error {
	programs := filepath.Join(dir, programsDir)
	if err := os.Mkdir(programs, 0o755); err != nil {
		return err
	}
	tests := []string{"test", "-c", "-o", filepath.Join(dir, testBinary)}
	if *brokenFlag {
		tests = append(tests, "-tags=brokenlowering")
		if err := flag.Set("test.run", "^TestDifferential$"); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		append(tests, "."),
		{"build", "-o", programs + "/", "../examples/..."},
	} {
		build := exec.CommandContext(ctx, "go", args...)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+*archFlag)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, out)
		}
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

// runInGuest runs the tests in dir, with this process's flags, in the given
// kernel.
func runInGuest(ctx context.Context, dir, kernel string, output io.Writer) (int, error) {
	store, err := qemu.DefaultStore(os.Stderr)
	if err != nil {
		return 0, err
	}
	here, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	var args []string
	flag.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "kernel", "arch", "table", "broken", "test.testlogfile", "test.paniconexit0", "test.gocoverdir", "test.coverprofile":
			// The host's: its paths and caches mean nothing in the guest.
		default:
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	return qemu.Exec(ctx, store, qemu.Options{
		Kernel:  kernel,
		Modules: guestModules,
		Data:    filepath.Join(dir, programsDir),
		Source:  filepath.Dir(here),
		Dir:     here,
		Env:     []string{"CI=true", "UNDERGO_GUEST=" + kernel},
		Output:  output,
	}, filepath.Join(dir, testBinary), args)
}
