package bind

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// PossibleCPUs returns the number of CPUs that per-CPU values are kept for: the
// highest number that a CPU may ever have in this system, plus one. Where the
// system does not tell, it is [runtime.NumCPU].
var PossibleCPUs = sync.OnceValue(func() int {
	b, err := os.ReadFile("/sys/devices/system/cpu/possible")
	if err == nil {
		if n, ok := parseCPUs(strings.TrimSpace(string(b))); ok {
			return n
		}
	}
	return runtime.NumCPU()
})

// parseCPUs returns one more than the last CPU of a list like 0-3,8-11.
func parseCPUs(list string) (n int, ok bool) {
	last := list[strings.LastIndexAny(list, ",-")+1:]
	cpu, err := strconv.ParseUint(last, 10, 16)
	return int(cpu) + 1, err == nil
}
