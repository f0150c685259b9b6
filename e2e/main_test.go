package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kernels"
	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
)

var (
	kernelFlag = flag.String("kernel", "", "run the tests in these kernels, booted in QEMU, instead of the host's: all, or a list of "+strings.Join(kernels.Names(), ", "))
	archFlag   = flag.String("arch", runtime.GOARCH, "with -kernel: the architecture of the guests, amd64 or arm64")
	tableFlag  = flag.Bool("table", false, "with -kernel: write what the kernels can do into the table of ../README.md")
	brokenFlag = flag.Bool("broken", false, "with -kernel: build the compiler with a defect, and want TestDifferential to find it in every kernel")
)

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
		os.Exit(kerneltest.Main(m))
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
