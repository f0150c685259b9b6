package ebpf

import (
	"fmt"

	"github.com/undergo-ebpf/undergo/ebpf/internal/host"
)

// Printk writes a line to the kernel's trace, which is read from the file
// trace_pipe of tracefs. It is for debugging: it is slow, and all programs of the
// system write to the same trace.
//
// The format must be a constant. It is in the form of package fmt and is checked
// against the arguments when the program is compiled. The kernel prints integers
// of any width (%d, %x, %v), pointers (%p), constant strings (%s), and %%. Up to three
// arguments need Linux 4.1 (bpf_trace_printk), more need 5.16
// (bpf_trace_vprintk). A line break at the end may be left out.
//
// Natively it formats with package fmt and writes to standard error, or where
// sim.SetOutput says.
//
//ebpf:intrinsic printk
func Printk(format string, args ...any) {
	host.Print(fmt.Sprintf(format, args...))
}
