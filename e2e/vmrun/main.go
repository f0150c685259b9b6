// Vmrun runs a program, usually a test binary, in a test kernel:
//
//	go run ./e2e/vmrun -kernel 6.12 -- ./jit.test -test.v
//	go build -o vmrun ./e2e/vmrun && CGO_ENABLED=0 go test -exec "$PWD/vmrun -kernel 6.1" ./jit
//
// The program must be static (CGO_ENABLED=0). The Go source and the test data of the
// module of the current directory are copied into the guest, to where they are
// on the host, and the program runs in the same directory as here. The exit
// status is the program's own; 124 is a timeout, 125 a guest that ended without
// a result.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/undergo-ebpf/undergo/e2e/kernels"
	"github.com/undergo-ebpf/undergo/e2e/qemu"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("vmrun: ")
	var o qemu.Options
	flag.StringVar(&o.Kernel, "kernel", "6.12", "kernel to boot: "+strings.Join(kernels.Names(), ", "))
	modules := flag.String("modules", "", "modules to load, separated by commas")
	flag.DurationVar(&o.Timeout, "timeout", qemu.DefaultTimeout, "time limit, boot included")
	flag.BoolVar(&o.KVM, "kvm", false, "use hardware virtualisation")
	flag.StringVar(&o.Data, "data", "testdata", "directory to copy into the guest, if it exists")
	update := flag.Bool("update", false, "pin the newest versions of all kernels and exit")
	flag.Parse()
	if *modules != "" {
		o.Modules = strings.Split(*modules, ",")
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	store, err := qemu.DefaultStore(os.Stderr)
	if err != nil {
		log.Fatal(err)
	}
	if *update {
		if err := store.Update(ctx); err != nil {
			log.Fatal(err)
		}
		return
	}
	if flag.NArg() == 0 {
		log.Fatal("name the program to run after the flags")
	}
	p := qemu.Program{Path: flag.Arg(0), Name: filepath.Base(flag.Arg(0)), Args: flag.Args()[1:]}
	if o.Source, p.Dir, err = module(); err != nil {
		log.Fatal(err)
	}
	status, err := qemu.Exec(ctx, store, o, p)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintln(os.Stderr, "vmrun:", err)
		os.Exit(124)
	case err != nil:
		fmt.Fprintln(os.Stderr, "vmrun:", err)
		os.Exit(125)
	}
	os.Exit(status)
}

// module returns the root directory of the module of the current directory, and
// that directory; both are empty if it is in none.
func module() (root, dir string, err error) {
	if dir, err = os.Getwd(); err != nil {
		return "", "", err
	}
	for root = dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return root, dir, nil
		}
		if root == filepath.Dir(root) {
			return "", "", nil
		}
	}
}
