// Execsnoop prints the programs that processes run, with their arguments, and how long
// they ran.
//
// The kernel side is in prog.go.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// options is what is asked for on the command line.
type options struct {
	uid    int
	failed bool
	name   string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("execsnoop: ")
	var o options
	flag.IntVar(&o.uid, "uid", -1, "only processes of the user with this number; -1 for all")
	flag.BoolVar(&o.failed, "failed", false, "also programs that could not be run")
	flag.StringVar(&o.name, "name", "", "only programs whose name contains this")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		log.Fatal(err)
	}
}

// run prints programs to w until ctx ends.
func run(ctx context.Context, w io.Writer, o options) error {
	uid, failed := jit.WithConst("onlyUID", int64(o.uid)), jit.WithConst("failed", o.failed)
	for _, p := range []struct {
		fn   any
		opts []jit.Option
	}{
		{enterExecve, []jit.Option{uid}}, {exitExecve, []jit.Option{failed}},
		{enterExecveat, []jit.Option{uid}}, {exitExecveat, []jit.Option{failed}},
		{exit, nil},
	} {
		prog, err := jit.Compile(p.fn, p.opts...)
		if err != nil {
			return err
		}
		defer prog.Close()
		link, err := attach.Auto(prog)
		if err != nil {
			return err
		}
		defer link.Close()
	}

	fmt.Fprintf(w, "%-5s %-16s %-7s %-6s %-12s %s\n", "EVENT", "COMM", "PID", "UID", "RESULT", "ARGS")
	for ev, err := range events.Read(ctx) {
		var lost *ebpf.LostError
		switch {
		case errors.As(err, &lost):
			log.Print(err)
			continue
		case err != nil:
			return err
		case !strings.Contains(ev.Comm.String(), o.name):
			continue
		}
		what, result := "exec", "ok"
		switch ev.Kind {
		case execFailed:
			result = syscall.Errno(-ev.Err).Error()
		case exited:
			what, result = "exit", time.Duration(ev.Nanos).Round(time.Microsecond).String()
		}
		if _, err := fmt.Fprintf(w, "%-5s %-16s %-7d %-6d %-12s %s\n", what, ev.Comm, ev.PID, ev.UID, result, arguments(&ev)); err != nil {
			return err
		}
	}
	return nil
}

// arguments returns the arguments of an exec as a shell would take them.
func arguments(ev *event) string {
	var b strings.Builder
	for arg := range bytes.SplitAfterSeq(ev.Args[:min(ev.Len, allArgs)], []byte{0}) {
		if len(arg) == 0 {
			continue
		}
		s := ebpf.GoString(arg)
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`"'$&|;<>()*?\`, r) }) {
			s = strconv.Quote(s)
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	return b.String()
}
