// Hello compiles a Go function of its own while it runs, loads it into the
// kernel, attaches it to the entry of write(2), and prints what it says.
//
// The kernel side is in prog.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/jit"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("hello: ")
	lines := flag.Int("lines", 0, "stop after this many lines; 0 is no limit")
	duration := flag.Duration("for", 0, "stop after this time; 0 is no limit")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *lines, *duration); err != nil {
		log.Fatal(err)
	}
}

// run attaches the program and copies its lines to w until ctx ends or a limit
// is reached; a limit of 0 is none.
func run(ctx context.Context, w io.Writer, limit int, d time.Duration) error {
	if d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	pipe, err := attach.OpenTracePipe()
	if err != nil {
		return err
	}
	defer pipe.Close()

	prog, err := jit.Compile(Syscalls_SysEnterWrite)
	if err != nil {
		return err
	}
	defer prog.Close()
	link, err := attach.Auto(prog)
	if err != nil {
		return err
	}
	defer link.Close()

	for n := 0; limit == 0 || n < limit; {
		line, err := pipe.ReadLine(ctx)
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		if !strings.Contains(line, "BPF triggered") {
			continue // another program's line
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
		n++
	}
	return nil
}
