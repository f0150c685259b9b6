package e2e

import (
	"errors"
	"reflect"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// A loopCase is a function with loops, and the first kernel that can run it.
type loopCase struct {
	name   string
	fn     func(uint64) uint64
	limit  kerneltest.Limit
	inputs []uint64
}

var (
	anyKernel    = kerneltest.Limit{Kernel: lower.MinKernel}
	loopArgument = []uint64{0, 1, 2, 7, 27, 36, 1000, 123456}
)

var loopCases = []loopCase{
	{"constant", func(n uint64) uint64 {
		for i := range uint64(1000) {
			n = n*3 ^ i
		}
		return n
	}, anyKernel, loopArgument},
	{"million", func(n uint64) (sum uint64) {
		for i := uint64(0); i < 1_000_000; i++ {
			sum += i ^ n
		}
		return sum
	}, kerneltest.Boundless, loopArgument},
	{"million down", func(n uint64) (sum uint64) {
		for i := 1_000_000; i > 0; i -= 3 {
			sum = sum*31 + uint64(i) + n
		}
		return sum
	}, kerneltest.Boundless, loopArgument},
	{"million nested", func(n uint64) (sum uint64) {
		for i := range uint64(1000) {
			for j := range uint64(1000) {
				if j > n {
					break
				}
				if i&3 == 1 {
					continue
				}
				sum += i * j
			}
		}
		return sum
	}, kerneltest.Boundless, loopArgument},
	{"million in few", func(n uint64) (sum uint64) {
		for i := range uint64(10) {
			for j := i; j < 100_000; j++ {
				sum += j ^ n
			}
		}
		return sum
	}, kerneltest.Boundless, loopArgument},
	{"variable", func(n uint64) (sum uint64) {
		for i := uint64(0); i < n; i++ {
			sum += i * 3
		}
		return sum
	}, kerneltest.Boundless, loopArgument},
	{"both variable", func(n uint64) (sum uint64) {
		for i := n & 15; i < n>>4&63; i++ {
			sum += i * 3
		}
		return sum
	}, anyKernel, loopArgument},
	{"array", func(n uint64) (sum uint64) {
		var a [40]uint64
		for i := uint64(0); i < n; i++ {
			a[i%uint64(len(a))] += i
		}
		for i, x := range a {
			sum = sum*3 + x ^ uint64(i)
		}
		return sum
	}, kerneltest.Boundless, loopArgument},
	{"array out of range", func(n uint64) (sum uint64) {
		var a [40]uint64
		for i := uint64(0); i < n; i++ {
			a[i] = i
		}
		return a[n&31]
	}, anyKernel, loopArgument},
	{"digits", func(n uint64) (digits uint64) {
		for ; n > 0; n /= 10 {
			digits = digits*16 + n%10
		}
		return digits
	}, anyKernel, loopArgument},
	{"halves", func(n uint64) (steps uint64) {
		for ; n != 0; n >>= 1 {
			steps++
		}
		return steps
	}, anyKernel, loopArgument},
	{"bits", func(n uint64) (count uint64) {
		for ; n != 0; n &= n - 1 {
			count++
		}
		return count
	}, kerneltest.Boundless, loopArgument},
	{"gcd", func(n uint64) uint64 {
		a, b := n, uint64(36)
		for b != 0 {
			a, b = b, a%b
		}
		return a
	}, kerneltest.Boundless, loopArgument},
	{"binary search", func(n uint64) uint64 {
		var table [30]uint64
		for i := range table {
			table[i] = uint64(i * i)
		}
		lo, hi := 0, len(table)
		for lo < hi {
			mid := int(uint(lo+hi) >> 1)
			if table[mid] < n {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		return uint64(lo)
	}, anyKernel, loopArgument},
	{"sieve", func(n uint64) (sum uint64) {
		var composite [60]bool
		for i := 2; i < len(composite); i++ {
			if composite[i] {
				continue
			}
			sum += uint64(i)
			for j := i * i; j < len(composite); j += i {
				composite[j] = true
			}
		}
		return sum + n
	}, anyKernel, loopArgument},
	{"many paths", func(n uint64) (sum uint64) { // compiled again if they are too many
		for i := range 28 {
			if n>>i&1 != 0 {
				sum += 3 << i
			}
		}
		if sum == 12345 {
			sum = 0
		}
		return sum
	}, kerneltest.TooManyPaths, loopArgument},
	{"bubble sort", func(n uint64) uint64 {
		var a [12]uint64
		for i := range a {
			a[i] = n * uint64(i+1) % 17
		}
		for i := range a {
			for j := 0; j+1 < len(a)-i; j++ {
				if a[j] > a[j+1] {
					a[j], a[j+1] = a[j+1], a[j]
				}
			}
		}
		return a[0] + a[3]<<8 + a[11]<<16
	}, anyKernel, loopArgument},
}

// TestLoops runs loops of all kinds natively and in the kernel. A kernel that is too old
// for one says so before it is asked.
func TestLoops(t *testing.T) {
	language.test(t)
	for _, c := range loopCases {
		t.Run(c.name, func(t *testing.T) {
			inKernel, err := jit.Func(c.fn)
			if c.limit.Excludes(t, err) {
				return
			}
			language.require(t, err)
			for _, n := range c.inputs {
				compareCalls(t, reflect.ValueOf(c.fn), reflect.ValueOf(inKernel), []reflect.Value{reflect.ValueOf(n)})
			}
		})
	}
}

// TestEndlessLoop checks that the kernel ends a loop that does not end by itself, and
// that this is a panic.
func TestEndlessLoop(t *testing.T) {
	language.test(t)
	endless, err := jit.Func(func(n uint64) uint64 {
		for {
			n++
		}
	})
	if kerneltest.Boundless.Excludes(t, err) {
		return
	}
	language.require(t, err)
	_, panicked := call(reflect.ValueOf(endless), []reflect.Value{reflect.ValueOf(uint64(1))})
	var p *jit.PanicError
	if err, ok := panicked.(error); !ok || !errors.As(err, &p) || p.Kind != "loop" {
		t.Fatalf("panics with %v", panicked)
	}
}
