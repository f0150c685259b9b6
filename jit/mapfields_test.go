package jit_test

import (
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// A probe is a struct with maps of its own, as a host's type that has programs for methods.
type probe struct {
	name   string // not taken over, as others of the host's
	log    *log.Logger
	counts *ebpf.Hash[uint32, uint64]
	more   *ebpf.Hash[uint32, uint64]
	calls  *ebpf.Var[uint64]
	step   uint64
	events *ebpf.RingBuf[pair]
	sizes  [2]*ebpf.Array[uint64]
	value  ebpf.Queue[uint64]
	done   func()
	mu     sync.Mutex
	links  []any
}

// A tracer is a struct as hosts have it: with maps, and what they attach programs with.
type tracer struct {
	link   link.Link
	prog   *jit.Program
	calls  *ebpf.Hash[uint32, uint64]
	events *ebpf.RingBuf[uint32]
	pid    uint32
}

func (p *tracer) onEnter(ctx *ebpf.RawTracepoint) int {
	pid := uint32(ebpf.GetCurrentPidTgid() >> 32)
	if pid == p.pid && ctx.Arg(1) == getppidNumber {
		p.calls.Add(pid, 1)
		p.events.Output(pid)
	}
	return 0
}

func TestMethodAsProgram(t *testing.T) {
	p := &tracer{calls: ebpf.NewHash[uint32, uint64](16), events: ebpf.NewRingBuf[uint32](4096), pid: uint32(os.Getpid())}
	defer p.calls.Close()
	defer p.events.Close()
	var err error
	p.prog, err = jit.Compile(p.onEnter, jit.As("raw_tracepoint/sys_enter"))
	needPrivilege(t, err)
	defer p.prog.Close()
	p.link, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sys_enter", Program: p.prog.BPF()})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		unix.Getppid()
	}
	if err := p.link.Close(); err != nil {
		t.Fatal(err)
	}
	if n, _ := p.calls.Get(p.pid); n != 5 {
		t.Errorf("%d calls counted, want 5", n)
	}
	n := 0
	for v, err := range p.events.Read(t.Context()) {
		if v != p.pid || err != nil {
			t.Errorf("event %d, %v", v, err)
		}
		if n++; n == 5 {
			break
		}
	}
}

func newProbe(name string, step uint64) *probe {
	return &probe{
		name: name, log: log.New(io.Discard, "", 0), done: func() {}, counts: ebpf.NewHash[uint32, uint64](16), more: ebpf.NewHash[uint32, uint64](16),
		calls: ebpf.NewVar[uint64](0), step: step, events: ebpf.NewRingBuf[pair](4096),
		sizes: [2]*ebpf.Array[uint64]{ebpf.NewArray[uint64](2), ebpf.NewArray[uint64](2)},
		value: *ebpf.NewQueue[uint64](4),
	}
}

func (p *probe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log.SetPrefix(p.name)
	p.done()
	for _, c := range []interface{ Close() error }{p.counts, p.more, p.calls, p.events, p.sizes[0], p.sizes[1], &p.value} {
		c.Close()
	}
}

func (p *probe) run(x uint64) (n uint64) {
	p.counts.Add(1, p.step*x)
	p.more.Add(2, 2*p.step)
	p.calls.Add(1)
	p.put(7)
	for _, v := range p.more.All() {
		n += v
		p.value.Push(v)
	}
	for _, v := range p.counts.All() {
		n += 1000 * v
	}
	for i := range p.sizes {
		p.sizes[i].Add(uint32(x&1), uint64(i)+1)
	}
	v, _ := p.value.Pop()
	return n + 1000000*v + 100000000*p.calls.Load()
}

//go:noinline
func (p *probe) put(a uint8) {
	if ev := p.events.Reserve(); ev != nil {
		ev.A = a
		p.events.Submit(ev)
	}
}

// A counter is a struct of maps that is passed by value.
type counter struct {
	hits, misses *ebpf.Hash[uint32, uint64]
	step         uint64
}

func (c counter) count(x uint64) uint64 {
	m := c.misses
	if x%2 == 0 {
		m = c.hits
	}
	m.Add(uint32(x), c.step)
	a, _ := c.hits.Get(uint32(x))
	b, _ := c.misses.Get(uint32(x))
	return a + 1000*b
}

func newCounter(step uint64) counter {
	return counter{ebpf.NewHash[uint32, uint64](16), ebpf.NewHash[uint32, uint64](16), step}
}

func (c counter) close() {
	c.hits.Close()
	c.misses.Close()
}

// In package-level variables.
var (
	globalCounter = counter{hits: ebpf.NewHash[uint32, uint64](entries()), misses: ebpf.NewHash[uint32, uint64](16), step: 3}
	counterPtr    = &counter{ebpf.NewHash[uint32, uint64](16, ebpf.MapName("hits")), ebpf.NewHash[uint32, uint64](16), 5}
	byNumber      = [...]*ebpf.Hash[uint32, uint64]{ebpf.NewHash[uint32, uint64](16), ebpf.NewHash[uint32, uint64](16), third}
	third         = ebpf.NewHash[uint32, uint64](16)
)

func entries() int { return 16 }

func countGlobally(x uint64) uint64 { return globalCounter.count(x) + 1000000*counterPtr.count(x) }

func countByNumber(x uint64) (n uint64) {
	byNumber[x%3].Add(uint32(x), x+1)
	for i := range 3 {
		v, _ := byNumber[i].Get(uint32(x))
		n = 1000*n + v
	}
	if byNumber[x%3] == byNumber[1] {
		n++
	}
	return n
}

// countLocally keeps maps in variables of the program.
func countLocally(x uint64) uint64 {
	c := counter{hits: globalCounter.misses, misses: globalCounter.hits, step: x}
	if x > 100 {
		c.hits, c.misses = c.misses, c.hits
	}
	var list [2]*ebpf.Hash[uint32, uint64]
	list[0] = c.hits
	list[1] = c.misses
	n := uint64(0)
	for _, m := range list {
		for _, v := range m.All() {
			n = 10*n + v
		}
	}
	return n + 1000000*c.count(x)
}

// TestMapFields compares what functions that use maps in structs do natively and in the
// kernel.
func TestMapFields(t *testing.T) {
	captured := counter{ebpf.NewHash[uint32, uint64](16), ebpf.NewHash[uint32, uint64](16), 9}
	local, sum := ebpf.NewHash[uint32, uint64](16), ebpf.NewVar[uint64](1)
	p, q, v := newProbe("p", 1), newProbe("q", 10), newCounter(7)
	for _, c := range []struct {
		name  string
		loops bool // over maps
		fn    func(uint64) uint64
	}{
		{"pointer receiver", true, p.run},
		{"another of the type", true, q.run},
		{"value receiver", false, v.count},
		{"package-level", false, countGlobally},
		{"array", false, countByNumber},
		{"variables", true, countLocally},
		{"captured maps", false, func(x uint64) uint64 {
			local.Add(uint32(x), x)
			sum.Add(x)
			n, _ := local.Get(uint32(x))
			return n + 1000*sum.Load()
		}},
		{"captured struct", false, func(x uint64) uint64 { return captured.count(x) + captured.step }},
		{"captured pointer", true, func(x uint64) (n uint64) {
			q.more.Set(3, x)
			for _, v := range q.more.All() {
				n += v + q.step
			}
			return n
		}},
	} {
		clear := func() {
			for _, m := range []*ebpf.Hash[uint32, uint64]{p.counts, p.more, q.counts, v.hits, v.misses, globalCounter.hits, globalCounter.misses,
				counterPtr.hits, counterPtr.misses, byNumber[0], byNumber[1], third, local, captured.hits, captured.misses} {
				m.Clear()
			}
			q.more.Clear()
			sum.Store(1)
			p.calls.Store(0)
			q.calls.Store(0)
		}
		t.Run(c.name, func(t *testing.T) {
			if c.loops {
				kerneltest.LoopsOverMaps.Test(t)
			}
			clear()
			var want []uint64
			for x := range uint64(4) {
				want = append(want, c.fn(x))
			}
			clear()
			f, err := jit.Func(c.fn)
			needPrivilege(t, err)
			for x := range uint64(4) {
				if got := f(x); got != want[x] {
					t.Errorf("f(%d) = %d, natively %d", x, got, want[x])
				}
			}
		})
	}
	p.close()
	q.close()
	v.close()
	captured.close()
	local.Close()
	sum.Close()
}

// TestMapFieldErrors is about what cannot be taken over from the host.
func TestMapFieldErrors(t *testing.T) {
	p := newProbe("p", 1)
	defer p.close()
	nothing := &counter{}
	for _, c := range []struct {
		fn   func() uint64
		want string
	}{
		{func() uint64 { p.step++; return p.step }, "assignment to memory of the host: what p refers to is a constant of the program"},
		{func() uint64 { return uint64(len(p.name)) }, "field name is not taken over from the host: only maps, integers and bools are"},
		{func() uint64 { return uint64(len(p.links)) }, "field links is not taken over from the host: it stands behind field mu"},
	} {
		_, err := jit.Func(c.fn)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	f, err := jit.Func(func() uint64 { n, _ := nothing.hits.Get(1); return n })
	needPrivilege(t, err)
	defer func() {
		if e := recover(); e == nil {
			t.Error("a method of a map that is nil did not panic")
		}
	}()
	f()
}

// givenCounts has no map of its own.
var givenCounts *ebpf.Hash[uint32, uint64]

func countGiven(x uint64) uint64 {
	givenCounts.Add(7, x)
	n, _ := givenCounts.Get(7)
	return n
}

func TestUseMap(t *testing.T) {
	for range 2 { // each has a map of its own
		local := ebpf.NewHash[uint32, uint64](16)
		defer local.Close()
		f, err := jit.Func(countGiven, jit.UseMap("givenCounts", local))
		needPrivilege(t, err)
		for i := range uint64(3) {
			if got := f(5); got != 5*(i+1) {
				t.Errorf("call %d: %d", i, got)
			}
		}
		if n, _ := local.Get(7); n != 15 {
			t.Errorf("the host sees %d, want 15", n)
		}
	}
	other := ebpf.NewArray[uint64](1)
	for _, c := range []struct {
		opt  jit.Option
		want string
	}{
		{jit.UseMap("givenCounts", other), "UseMap: variable givenCounts of type *ebpf.Hash[uint32, uint64] cannot be given a array map"},
		{jit.UseMap("nothing", other), "the program has no variable nothing that holds a map"},
	} {
		if _, err := jit.Func(countGiven, c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// TestMapFieldsOfSource compiles source that is no part of this process.
func TestMapFieldsOfSource(t *testing.T) {
	const src = `package p

import "github.com/undergo-ebpf/undergo/ebpf"

type state struct {
	counts *ebpf.Hash[uint32, uint64]
	others [2]*ebpf.Array[uint64]
	step   uint64
}

var (
	now  = state{counts: ebpf.NewHash[uint32, uint64](16), others: [...]*ebpf.Array[uint64]{ebpf.NewArray[uint64](1), ebpf.NewArray[uint64](2)}, step: 4}
	then = &state{counts: ebpf.NewHash[uint32, uint64](8)}

	shared *ebpf.Hash[uint32, uint64]
)

func (s *state) count(n uint64) {
	s.counts.Add(1, n+s.step)
	for i := range s.others {
		if m := s.others[i]; m != nil {
			m.Add(uint32(i), n)
		}
	}
}

//ebpf:section socket
func onPacket(ctx *ebpf.SKB) int {
	now.count(2)
	then.count(3)
	shared.Add(9, 1)
	return 0
}
`
	shared := ebpf.NewHash[uint32, uint64](4)
	defer shared.Close()
	c, err := jit.CompileSource("p.go", src, jit.UseMap("shared", shared))
	needPrivilege(t, err)
	defer c.Close()
	for range 3 {
		if _, err := c.Programs["onPacket"].Test(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]uint64{"p.now.counts": 18, "p.then.counts": 9, "p.now.others[1]": 6} {
		m := c.Maps[name]
		if m == nil {
			t.Errorf("no map %s", name)
			continue
		}
		var n uint64
		if err := m.Lookup(uint32(1), &n); err != nil || n != want {
			t.Errorf("%s: %d, %v, want %d", name, n, err, want)
		}
	}
	if n, _ := shared.Get(9); n != 3 {
		t.Errorf("shared: %d, want 3", n)
	}
}
