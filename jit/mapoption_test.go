package jit_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cebpf "github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// bpfDir returns a directory of a BPF file system of its own.
func bpfDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("bpf", dir, "bpf", 0, ""); err != nil {
		needPrivilege(t, err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// What a map is made with may be computed by what only the host has.
var hostMade = ebpf.NewHash[uint32, uint64](len(os.Args)+8, ebpf.MapName(filepath.Base("dir/host_made")), ebpf.MapPin(os.Getenv("UNDERGO_NO_SUCH_PIN")))

func countHostMade(ebpf.Context) int {
	hostMade.Add(1, 1)
	return 0
}

func TestHostMadeMap(t *testing.T) {
	p, err := jit.Compile(countHostMade, jit.As("tracepoint"))
	needPrivilege(t, err)
	defer p.Close()
	info, err := hostMade.Info()
	if err != nil || info.MaxEntries != len(os.Args)+8 || info.Name != "host_made" || !info.InKernel {
		t.Errorf("the map is %+v, %v", info, err)
	}
	if err := hostMade.Close(); err != nil {
		t.Error(err)
	}
}

// Options say which kernel map a variable is.
func TestMapOptions(t *testing.T) {
	other, err := cebpf.NewMap(&cebpf.MapSpec{Name: "other", Type: cebpf.Hash, KeySize: 4, ValueSize: 8, MaxEntries: 100})
	needPrivilege(t, err)
	defer other.Close()
	small, err := cebpf.NewMap(&cebpf.MapSpec{Type: cebpf.Hash, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	needPrivilege(t, err)
	defer small.Close()
	compile := func(opts ...jit.Option) (*jit.Program, error) {
		return jit.Compile(countHostMade, append(opts, jit.As("tracepoint"))...)
	}
	id := func() uint32 {
		info, err := hostMade.Info()
		if err != nil {
			t.Fatal(err)
		}
		return info.ID
	}
	wantFailure := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}

	if err := other.Put(uint32(7), uint64(70)); err != nil {
		t.Fatal(err)
	}
	p, err := compile(jit.WithMap("hostMade", other))
	needPrivilege(t, err)
	if v, _ := hostMade.Get(7); v != 70 {
		t.Errorf("the entry of the other map is %d", v)
	}
	hostMade.Set(8, 80)
	var v uint64
	if err := other.Lookup(uint32(8), &v); err != nil || v != 80 {
		t.Errorf("an entry of the variable is %d in the other map, %v", v, err)
	}
	// It is the one that is wanted already.
	again, err := compile(jit.WithMap("hostMade", other))
	if err != nil {
		t.Fatal(err)
	}
	_, err = compile(jit.WithMap("hostMade", small))
	wantFailure(err, "an earlier program uses another map")
	_, err = compile(jit.WithMap("nothing", other))
	wantFailure(err, "WithMap: the program uses no map nothing")
	if err := errors.Join(p.Close(), again.Close(), hostMade.Close()); err != nil {
		t.Error(err)
	}
	_, err = compile(jit.WithMap("hostMade", small))
	wantFailure(err, "room for 1 entries")

	dir := bpfDir(t)
	p, err = compile(jit.PinMaps(dir))
	needPrivilege(t, err)
	hostMade.Set(1, 11)
	first := id()
	if err := errors.Join(p.Close(), hostMade.Close()); err != nil {
		t.Error(err)
	}
	// As another process does.
	p, err = compile(jit.PinMaps(dir))
	needPrivilege(t, err)
	if v, _ := hostMade.Get(1); v != 11 || id() != first {
		t.Errorf("found again: map %d with %d, want map %d with 11", id(), v, first)
	}
	_, err = compile(jit.PinMaps(t.TempDir()))
	if err == nil {
		t.Error("a map is pinned outside of a BPF file system")
	}
	if err := errors.Join(p.Close(), hostMade.Unpin(), hostMade.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir + "/hostMade"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still pinned: %v", err)
	}

	// A map that is in the kernel already is pinned then.
	p, err = compile()
	needPrivilege(t, err)
	again, err = compile(jit.PinMaps(dir))
	needPrivilege(t, err)
	if _, err := os.Stat(dir + "/hostMade"); err != nil {
		t.Error(err)
	}
	if err := errors.Join(p.Close(), again.Close(), hostMade.Close()); err != nil {
		t.Error(err)
	}
	p, err = compile()
	needPrivilege(t, err)
	_, err = compile(jit.PinMaps(dir))
	wantFailure(err, "uses another map than that pinned")
	if err := errors.Join(p.Close(), hostMade.Close()); err != nil {
		t.Error(err)
	}
}

// The options of constructors in source text count too.
func TestSourceMapOptions(t *testing.T) {
	dir := bpfDir(t)
	compile := func(options string, opts ...jit.Option) (*jit.Collection, error) {
		return jit.CompileSource("p.go", `package p

import "github.com/undergo-ebpf/undergo/ebpf"

var counts = ebpf.NewHash[uint32, uint64](16`+options+`)

//ebpf:section tracepoint
func count(ebpf.Context) int {
	counts.Add(1, 1)
	return 0
}

var n int
`, opts...)
	}
	c, err := compile(`, ebpf.MapName("named"), ebpf.MapFlags(ebpf.FlagNoPrealloc), ebpf.MapPin("` + dir + `/pinned")`)
	needPrivilege(t, err)
	info, err := c.Maps["p.counts"].Info()
	if err != nil || info.Name != "named" || info.Flags != ebpf.FlagNoPrealloc {
		t.Errorf("the map is %+v, %v", info, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	pinned, err := cebpf.LoadPinnedMap(dir+"/pinned", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pinned.Close()
	if err := pinned.Put(uint32(5), uint64(50)); err != nil {
		t.Fatal(err)
	}
	c, err = compile(`, ebpf.MapFlags(1)`, jit.WithMap("counts", pinned))
	needPrivilege(t, err)
	var v uint64
	if err := c.Maps["p.counts"].Lookup(uint32(5), &v); err != nil || v != 50 {
		t.Errorf("the entry of the given map is %d, %v", v, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`, ebpf.MapFlags(uint32(n))`} {
		if c, err := compile(bad); err == nil || !strings.Contains(err.Error(), "p.go:5:") || !strings.Contains(err.Error(), "[U304]") {
			c.Close()
			t.Errorf("%s: %v", bad, err)
		}
	}
}
