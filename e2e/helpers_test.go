package e2e

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file calls every helper of the kernel. The calls are in testdata/helpers.txt, whose head describes it.

//go:embed testdata/helpers.txt
var helperCalls string

// A helperCall is a line of testdata/helpers.txt.
type helperCall struct {
	name    string
	section string // or "-"
	call    string // or why there is none
	want    string // what v must be, or ""
}

func readHelperCalls(t *testing.T) []helperCall {
	var calls []helperCall
	for line := range strings.Lines(helperCalls) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, " | ", 3)
		if len(f) != 3 {
			t.Fatalf("testdata/helpers.txt: %q", line)
		}
		c := helperCall{name: f[0], section: f[1], call: f[2]}
		if m := lastEqual.FindStringSubmatchIndex(c.call); m != nil {
			c.call, c.want = c.call[:m[0]], c.call[m[2]:m[3]]
		}
		calls = append(calls, c)
	}
	return calls
}

var lastEqual = regexp.MustCompile(` == (\w+)$`)

// A declaredHelper is what package ebpf says of a helper.
type declaredHelper struct {
	id     int
	name   string
	kernel lower.Version
	types  []string
}

// declaredHelpers returns all helpers of package ebpf, by number.
func declaredHelpers(t *testing.T) []declaredHelper {
	src, err := fs.ReadFile(ebpf.Source(), "stub_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []declaredHelper
	for line := range strings.Lines(string(src)) {
		fields, ok := strings.CutPrefix(line, "//ebpf:helper ")
		if !ok {
			continue
		}
		var h declaredHelper
		for f := range strings.FieldsSeq(fields) {
			switch key, value, _ := strings.Cut(f, "="); key {
			case "id":
				h.id, err = strconv.Atoi(value)
			case "name":
				h.name = value
			case "kernel":
				_, err = fmt.Sscanf(value, "%d.%d", &h.kernel.Major, &h.kernel.Minor)
			case "types":
				h.types = strings.Split(value, ",")
			}
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		all = append(all, h)
	}
	return all
}

// helperMaps is what the calls use.
const helperMaps = `
type account struct {
	lock ebpf.SpinLock
	n    uint64
}

type alarm struct {
	timer ebpf.Timer
	n     uint64
}

var (
	hash      = ebpf.NewHash[uint32, uint64](8)
	perCPU    = ebpf.NewPerCPUArray[uint64](1)
	blocks    = ebpf.NewArray[[64]byte](1)
	accounts  = ebpf.NewArray[account](1)
	timers    = ebpf.NewArray[alarm](1)
	queue     = ebpf.NewStack[uint32](8)
	ring      = ebpf.NewRingBuf[uint64](4096)
	commands  = ebpf.NewUserRingBuf[uint64](4096)
	events    = ebpf.NewPerfEvents[uint64](4096)
	programs  = ebpf.NewProgArray[*ebpf.XDP](4)
	stacks    = ebpf.NewStackTrace(16)
	cgroups   = ebpf.NewCgroupArray(1)
	devices   = ebpf.NewDevMap(4)
	sockets   = ebpf.NewSockMap(4)
	sockHash  = ebpf.NewSockHash[uint32](4)
	reuse     = ebpf.NewReuseportSockArray(4)
	perTask   = ebpf.NewTaskStorage[uint64]()
	perSock   = ebpf.NewSockStorage[uint64]()
	perInode  = ebpf.NewInodeStorage[uint64]()
	perCgroup = ebpf.NewCgroupStorage[uint64]()
)

// v keeps results alive.
var v uint64
`

// contextTypes is the parameter of programs by the beginning of their section. That of others is a Context.
var contextTypes = []struct{ section, typ, result string }{
	{"xdp", "*ebpf.XDP", "ebpf.XDPPass"},
	{"tc", "*ebpf.SKB", "ebpf.TCOK"},
	{"cgroup_skb", "*ebpf.SKB", "1"},
	{"kprobe", "*ebpf.Regs", "0"},
	{"raw_tp", "*ebpf.RawTracepoint", "0"},
	{"tp_btf", "*ebpf.Tracing", "0"},
	{"fentry", "*ebpf.Tracing", "0"},
	{"fexit", "*ebpf.Tracing", "0"},
	{"iter", "*ebpf.Tracing", "0"},
	{"lsm", "*ebpf.Tracing", "0"},
	{"cgroup", "ebpf.Context", "1"},
	{"", "ebpf.Context", "0"},
}

// source is a program with the call, and without it if bare.
func (c helperCall) source(bare bool) string {
	i := 0
	for !strings.HasPrefix(c.section, contextTypes[i].section) {
		i++
	}
	call := c.call
	if bare {
		call = ""
	}
	var imports strings.Builder
	for _, p := range []string{"syscall", "unsafe"} {
		if strings.Contains(call, p+".") {
			fmt.Fprintf(&imports, "%q\n", p)
		}
	}
	return fmt.Sprintf("package p\n\nimport (\n%q\n%s)\n%s\n//ebpf:section %s\nfunc program(ctx %s) int {\n%s\nreturn int(%s)\n}\n",
		"github.com/undergo-ebpf/undergo/ebpf", &imports, helperMaps, c.section, contextTypes[i].typ, call, contextTypes[i].result)
}

// callsHelper reports whether a program has a call of a helper.
func callsHelper(p *jit.Program, id int) bool {
	return slices.ContainsFunc(p.Unit().Insns, func(i asm.Instruction) bool {
		return i.IsBuiltinCall() && int(i.Constant) == id
	})
}

// There is a call of each helper, or a reason why not.
func TestHelperCalls(t *testing.T) {
	calls, declared := readHelperCalls(t), declaredHelpers(t)
	if len(calls) != len(declared) {
		t.Fatalf("%d calls for %d helpers", len(calls), len(declared))
	}
	for i, c := range calls {
		h := declared[i]
		if c.name != h.name {
			t.Fatalf("call %d is of %s, want %s", i+1, c.name, h.name)
		}
		if c.section == "-" {
			continue
		}
		col, err := jit.CompileSource(c.name+".go", c.source(false), jit.WithTarget(lower.TargetFor(newestKernel, "amd64")))
		if err != nil {
			t.Errorf("%+v", err)
			continue
		}
		if !callsHelper(col.All()[0], h.id) {
			t.Errorf("%s: the program does not call it: %v", c.name, col.All()[0].Unit().Insns)
		}
	}
}

// A call for a kernel that lacks the helper is an error that says which kernels have it.
func TestHelperKernels(t *testing.T) {
	declared := declaredHelpers(t)
	for i, c := range readHelperCalls(t) {
		h := declared[i]
		before := h.kernel
		if before.Minor--; before.Minor < 0 {
			before = lastOfMajor[h.kernel.Major]
		}
		if c.section == "-" || !before.AtLeast(lower.MinKernel) {
			continue
		}
		col, err := jit.CompileSource(c.name+".go", c.source(false), jit.WithTarget(lower.TargetFor(before, "amd64")))
		if err == nil {
			t.Errorf("%s compiles for Linux %v: %v", c.name, before, col.All()[0].Unit().Insns)
			continue
		}
		want := regexp.MustCompile(fmt.Sprintf(`(?m)^\s*%s\.go:\d+:\d+: .* needs Linux %v.*; .* \[U504\]`, c.name, h.kernel))
		if !want.MatchString(err.Error()) {
			t.Errorf("%s for Linux %v: %v, want one that says Linux %v", c.name, before, err, h.kernel)
		}
	}
}

// lastOfMajor is the last release before X.0.
var lastOfMajor = map[int]lower.Version{6: {Major: 5, Minor: 19}, 7: {Major: 6, Minor: 19}}

// newestKernel is that of the header that the helpers are from.
var newestKernel = lower.Version{Major: 7, Minor: 3}

// TestHelpers loads a call of each helper, and runs those that can be run, in new kernels: in older ones
// fewer types of programs may call a helper.
func TestHelpers(t *testing.T) {
	kernel, err := kerneltest.RunningRelease()
	if err != nil {
		t.Fatal(err)
	}
	if !kernel.AtLeast(oldestExact) {
		t.Skipf("Linux %v is older than %v", kernel, oldestExact)
	}
	var loaded, ran int
	for i, c := range readHelperCalls(t) {
		t.Run(c.name, func(t *testing.T) {
			if c.section == "-" {
				t.Skip("not callable: " + c.call)
			}
			col, err := jit.CompileSource(c.name+".go", c.source(false))
			if err != nil {
				requireHelper(t, c, err)
			}
			defer col.Close()
			p := col.All()[0]
			if !callsHelper(p, i+1) {
				t.Errorf("the program does not call it: %v", p.Unit().Insns)
			}
			loaded++
			if c.want == "" {
				return
			}
			runHelper(t, c, p)
			ran++
		})
	}
	t.Logf("%d calls loaded, %d of them run", loaded, ran)
}

// requireHelper skips the test if err is for a kernel that has no such programs.
func requireHelper(t *testing.T, c helperCall, err error) {
	t.Helper()
	var rejected *jit.VerifierError
	// The kernels of the matrix have all but infrared receivers.
	if !errors.As(err, &rejected) && (guest == "" || c.section == "lirc_mode2") {
		if col, bare := jit.CompileSource("bare.go", c.source(true)); bare != nil {
			if !privileged() {
				language.require(t, bare)
			}
			t.Skipf("the kernel has no programs of section %s: %v", c.section, bare)
		} else {
			col.Close()
		}
	}
	if spec, ok := configured[c.name]; ok {
		if lacks := features.HaveProgramHelper(spec.typ, spec.id); lacks != nil {
			t.Skipf("the kernel is built without it, or locked down: %v", lacks)
		}
	}
	t.Fatalf("%+v", err)
}

// configured is the helpers that depend on how a kernel is built and started: CONFIG_BPF_KPROBE_OVERRIDE,
// and lockdown.
var configured = map[string]struct {
	typ cebpf.ProgramType
	id  asm.BuiltinFunc
}{
	"override_return":  {cebpf.Kprobe, asm.FnOverrideReturn},
	"probe_write_user": {cebpf.TracePoint, asm.FnProbeWriteUser},
}

// TestHelpersRefused checks that helpers without a call are refused when compiling, and what is said.
func TestHelpersRefused(t *testing.T) {
	refused := map[string]struct{ section, call, want string }{
		"get_local_storage":     {"cgroup_skb/ingress", "ebpf.GetLocalStorage(ebpf.MapRef{}, 0)", "that Linux has replaced; use an ebpf.CgroupStorage"},
		"perf_event_read":       {"xdp", "ebpf.PerfEventRead(ebpf.MapRef{}, 0)", "counting perf events, and there is none; use ebpf.PerfProgReadValue"},
		"perf_event_read_value": {"xdp", "var p ebpf.PerfEventValue; ebpf.PerfEventReadValue(ebpf.MapRef{}, 0, unsafe.Pointer(&p), 24)", "counting perf events, and there is none; use ebpf.PerfProgReadValue"},
		"tcp_send_ack":          {"xdp", "ebpf.TcpSendAck(nil, 0)", "for struct_ops programs, which cannot be compiled; leave out"},
		"per_cpu_ptr":           {"xdp", "ebpf.PerCpuPtr(unsafe.Pointer(&v), 0)", "a per-CPU variable of the kernel, and programs cannot refer to one; use the LookupCPU method"},
		"this_cpu_ptr":          {"xdp", "ebpf.ThisCpuPtr(unsafe.Pointer(&v))", "a per-CPU variable of the kernel, and programs cannot refer to one; use the Lookup method"},
		"kptr_xchg":             {"xdp", "ebpf.KptrXchg(unsafe.Pointer(&v), nil)", "an object of the kernel, and maps have none; keep what is needed"},
	}
	for _, c := range readHelperCalls(t) {
		if c.section != "-" {
			continue
		}
		r, ok := refused[c.name]
		if !ok {
			t.Errorf("%s is refused, and nothing checks it", c.name)
			continue
		}
		c.section, c.call = r.section, r.call
		_, err := jit.CompileSource(c.name+".go", c.source(false), jit.WithTarget(lower.TargetFor(newestKernel, "amd64")))
		want := regexp.MustCompile(fmt.Sprintf(`(?m)^\s*%s\.go:\d+:\d+: helper bpf_%[1]s .*%s.* \[U406\]`, c.name, regexp.QuoteMeta(r.want)))
		if err == nil || !want.MatchString(err.Error()) {
			t.Errorf("%s: error %v, want one at its position with %q", c.name, err, r.want)
		}
	}
}

// runHelper runs the program and checks v.
func runHelper(t *testing.T, c helperCall, p *jit.Program) {
	t.Helper()
	var err error
	switch c.section {
	case "syscall":
		_, err = p.TestContext(new(struct{ X uint64 }), nil)
	case "raw_tp":
		_, err = p.TestContext(new(ebpf.RawTracepoint), nil)
	default:
		_, err = p.Test(helperPacket)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := uint64(os.Getpid())
	if c.want != "pid" {
		if want, err = strconv.ParseUint(c.want, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if got := words(t, p)[0]; got != want {
		t.Errorf("v is %d, want %d", got, want)
	}
}

// helperPacket is an IPv4 packet with TCP, without checksums.
var helperPacket = func() []byte {
	p := make([]byte, 64)
	p[12], p[13] = 8, 0                              // IPv4
	p[14], p[17], p[22], p[23] = 0x45, 50, 64, 6     // 50 bytes, TCP
	copy(p[26:], []byte{127, 0, 0, 1, 127, 0, 0, 1}) // addresses
	p[46] = 0x50                                     // 20 bytes of header
	return p
}()
