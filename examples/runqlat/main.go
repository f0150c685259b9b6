// Runqlat shows how long threads that could run have waited for a CPU, as a histogram.
//
// The kernel side is in prog.go.
package main

import (
	"context"
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
	log.SetPrefix("runqlat: ")
	interval := flag.Duration("interval", 0, "show a histogram after every such time; 0 is one at the end")
	duration := flag.Duration("for", 0, "stop after this time; 0 is no limit")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	if err := run(ctx, os.Stdout, *interval); err != nil {
		log.Fatal(err)
	}
}

// run measures until ctx ends, and writes histograms to w.
func run(ctx context.Context, w io.Writer, interval time.Duration) error {
	for _, fn := range []any{wakes, starts, switches} {
		prog, err := jit.Compile(fn)
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
	fmt.Fprintln(w, "Measuring how long threads wait for a CPU. Ctrl-C ends.")
	var shown [slots]uint64
	var tick <-chan time.Time
	if interval > 0 {
		t := time.NewTicker(interval)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-tick:
			if err := show(w, &shown); err != nil {
				return err
			}
		case <-ctx.Done():
			return show(w, &shown)
		}
	}
}

// show writes what has been counted since shown was.
func show(w io.Writer, shown *[slots]uint64) error {
	var counts [slots]uint64
	for i, n := range latency.Sums() {
		counts[i] = n - shown[i]
		shown[i] = n
	}
	_, err := fmt.Fprint(w, histogram(counts[:]))
	return err
}

// width is the length of the longest bar of a histogram.
const width = 40

// histogram draws counts, of which that at i is for values of i bits.
func histogram(counts []uint64) string {
	first, last, most := len(counts), -1, uint64(0)
	for i, n := range counts {
		if n > 0 {
			first, last, most = min(first, i), i, max(most, n)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%10s    %-10s : %-8s distribution\n", "usecs", "", "count")
	for i := first; i <= last; i++ {
		from, to := uint64(1)<<i>>1, uint64(1)<<i-1
		bar := strings.Repeat("*", int(counts[i]*width/most))
		fmt.Fprintf(&b, "%10d -> %-10d : %-8d |%-*s|\n", from, to, counts[i], width, bar)
	}
	return b.String()
}
