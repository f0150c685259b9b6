package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/undergo-ebpf/undergo/e2e/kernels"
	"github.com/undergo-ebpf/undergo/e2e/qemu"
)

var kernelFlag = flag.String("kernel", "", "run the tests in these kernels, booted in QEMU, instead of the host's: all, or a list of "+strings.Join(kernels.Names(), ", "))

// guestModules are the kernel modules that tests need.
var guestModules = []string{"veth", "dummy", "cls_bpf", "act_bpf", "sch_ingress"}

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
		os.Exit(m.Run())
	}
	names := strings.Split(*kernelFlag, ",")
	if *kernelFlag == "all" {
		names = kernels.Names()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	status := 0
	for _, name := range names {
		start := time.Now()
		s, err := runInGuest(ctx, name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			s = 1
		}
		fmt.Printf("linux %s: exit status %d after %.1f s\n", name, s, time.Since(start).Seconds())
		status = max(status, s)
	}
	os.Exit(status)
}

// runInGuest runs this package's tests, with this process's flags, in the
// given kernel.
func runInGuest(ctx context.Context, kernel string) (int, error) {
	store, err := qemu.DefaultStore(os.Stderr)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "undergo-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "e2e.test")
	// The running binary may be linked against libc, which the guest lacks.
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the tests: %w: %s", err, out)
	}
	here, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	var args []string
	flag.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "kernel", "test.testlogfile", "test.paniconexit0", "test.gocoverdir", "test.coverprofile":
			// The host's: its paths and caches mean nothing in the guest.
		default:
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	return qemu.Exec(ctx, store, qemu.Options{
		Kernel:  kernel,
		Modules: guestModules,
		Source:  filepath.Dir(here),
		Dir:     here,
		Env:     []string{"CI=true", "UNDERGO_GUEST=" + kernel},
	}, bin, args)
}
