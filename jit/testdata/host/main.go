// Host compiles the program below and reports what that cost. Tests build it
// and run it where there is nothing but itself and this file.
package main

import (
	"bytes"
	"cmp"
	"container/ring"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"math/bits"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

func Syscalls_SysEnterWrite(ctx ebpf.Context) int {
	pid := ebpf.GetCurrentPidTgid() >> 32
	if pid != 0 {
		ebpf.Printk("BPF triggered sys_enter_write from PID %d.\n", pid)
	}
	return 0
}

// imports uses the packages that need no installation of Go.
func imports(ctx ebpf.Context) int {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], ebpf.KtimeGetNs())
	n := bits.Len8(b[0]) + slices.Index(b[:], 1) + len(bytes.TrimSpace(b[:])) + utf8.RuneCount(b[:]) + cmp.Compare(b[1], b[2])
	if strings.HasPrefix(string(b[:]), "ab") {
		n++
	}
	var sum atomic.Uint32
	sum.Add(crc32.ChecksumIEEE(b[:]))
	return n + int(sum.Load())
}

// needsGo uses a package that does.
func needsGo(ctx ebpf.Context) int { return ring.New(1).Len() }

// A Report is what is printed, as JSON.
type Report struct {
	Insns   int           // of the program
	Elapsed time.Duration // from the start of main
	RSS     int           // highest so far, in KiB
}

func main() {
	start := time.Now()
	load := flag.Bool("load", false, "load the program into the kernel")
	source := flag.String("source", "", "a directory with the source, instead of where it was built")
	function := flag.String("function", "", "the function to compile, instead of the program below: imports or needsGo")
	serve := flag.Bool("serve", false, "serve HTTP, which makes this file import something large")
	flag.Parse()
	if *serve {
		fmt.Println(http.ListenAndServe("localhost:0", nil))
	}
	var opts []jit.Option
	if !*load {
		opts = append(opts, jit.WithTarget(lower.TargetFor(lower.Version{Major: 6, Minor: 18}, "amd64")))
	}
	if *source != "" {
		opts = append(opts, jit.WithSource(os.DirFS(*source)))
	}
	fn := Syscalls_SysEnterWrite
	switch *function {
	case "imports":
		fn = imports
	case "needsGo":
		fn = needsGo
	}
	if *function != "" {
		opts = append(opts, jit.As("tracepoint/syscalls/sys_enter_write"))
	}
	p, err := jit.Compile(fn, opts...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := Report{Insns: p.Stats().Insns, Elapsed: time.Since(start), RSS: peakRSS()}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func peakRSS() int {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}
