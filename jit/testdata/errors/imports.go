package p

import (
	"errors"
	"fmt"
	. "math/bits"
	"net/http"
	"os"
	"time"

	"github.com/undergo-ebpf/undergo/ebpf"
)

var client = http.DefaultClient

var errClosed = errors.Join(nil) // want "errors.Join cannot be used in a kernel-side function: package .errors. is not among those that can be compiled; compare errors"

//ebpf:section tracepoint/syscalls/sys_enter_write
func onWrite(ctx ebpf.Context) int {
	fmt.Println("hello")         // want "fmt.Println cannot be used in a kernel-side function.*; use ebpf.Printk"
	if os.Getpid() == helper() { // want "os.Getpid cannot be used.*; use ebpf.GetCurrentPidTgid\(\) >> 32"
		return 1
	}
	client := 5 // shadows what needs net/http
	_ = errClosed
	return client
}

func helper() int {
	return int(time.Now().Unix()) // want "time.Now cannot be used.*; use ebpf.KtimeGetNs"
}

func unreached() int { return Len(uint(len(http.MethodGet))) }
