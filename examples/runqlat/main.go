// Runqlat shows how long threads that could run have waited for a CPU, as a histogram.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/bits"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// The side of the kernel.

// A wakeup is the context of sched_wakeup and sched_wakeup_new; its fields are where the file
// events/sched/sched_wakeup/format of tracefs says.
//
//ebpf:context tracepoint
type wakeup struct {
	_    [8]byte
	Comm ebpf.Comm
	PID  int32 // of the thread that may run from now on
}

// A change is the context of sched_switch.
//
//ebpf:context tracepoint
type change struct {
	_         [8]byte
	PrevComm  ebpf.Comm
	PrevPID   int32
	PrevPrio  int32
	PrevState int64 // 0 of a thread that could go on
	NextComm  ebpf.Comm
	NextPID   int32
}

// slots is the number of rows of the histogram: the last is for 2^30 microseconds and more.
const slots = 32

var (
	waiting = ebpf.NewHash[int32, uint64](65536) // since when threads wait for a CPU
	latency = ebpf.NewPerCPUArray[uint64](slots) // number of waits by the bits of their microseconds
)

//ebpf:section tracepoint/sched/sched_wakeup
func wakes(ctx *wakeup) int { return begin(ctx.PID) }

//ebpf:section tracepoint/sched/sched_wakeup_new
func starts(ctx *wakeup) int { return begin(ctx.PID) }

// begin is when a thread begins to wait.
func begin(pid int32) int {
	if pid != 0 {
		waiting.Set(pid, ebpf.KtimeGetNs())
	}
	return 0
}

//ebpf:section tracepoint/sched/sched_switch
func switches(ctx *change) int {
	if ctx.PrevState == 0 {
		begin(ctx.PrevPID)
	}
	since, ok := waiting.Get(ctx.NextPID)
	if !ok {
		return 0
	}
	waiting.Delete(ctx.NextPID)
	micros := (ebpf.KtimeGetNs() - since) / 1000
	latency.Add(uint32(min(bits.Len64(micros), slots-1)), 1)
	return 0
}

// The side of the host.

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
