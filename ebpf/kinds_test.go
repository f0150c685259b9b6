package ebpf_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// oneOfEach returns a map of every type, by the name of the type.
func oneOfEach() map[string]bind.Holder {
	return map[string]bind.Holder{
		"Hash":               ebpf.NewHash[uint32, uint64](1),
		"LRUHash":            ebpf.NewLRUHash[uint32, uint64](1),
		"PerCPUHash":         ebpf.NewPerCPUHash[uint32, uint64](1),
		"LRUPerCPUHash":      ebpf.NewLRUPerCPUHash[uint32, uint64](1),
		"Array":              ebpf.NewArray[uint64](1),
		"PerCPUArray":        ebpf.NewPerCPUArray[uint64](1),
		"Var":                ebpf.NewVar[uint64](1),
		"LPMTrie":            ebpf.NewLPMTrie[[4]byte, uint64](1),
		"Queue":              ebpf.NewQueue[uint64](1),
		"Stack":              ebpf.NewStack[uint64](1),
		"Bloom":              ebpf.NewBloom[uint64](1),
		"RingBuf":            ebpf.NewRingBuf[uint64](4096),
		"UserRingBuf":        ebpf.NewUserRingBuf[uint64](4096),
		"PerfEvents":         ebpf.NewPerfEvents[uint64](4096),
		"ProgArray":          ebpf.NewProgArray[ebpf.Context](1),
		"HashOfMaps":         ebpf.NewHashOfMaps[uint32](1, ebpf.NewArray[uint64](1)),
		"ArrayOfMaps":        ebpf.NewArrayOfMaps(1, ebpf.NewArray[uint64](1)),
		"StackTrace":         ebpf.NewStackTrace(1),
		"CgroupArray":        ebpf.NewCgroupArray(1),
		"TaskStorage":        ebpf.NewTaskStorage[uint64](),
		"InodeStorage":       ebpf.NewInodeStorage[uint64](),
		"SockStorage":        ebpf.NewSockStorage[uint64](),
		"CgroupStorage":      ebpf.NewCgroupStorage[uint64](),
		"DevMap":             ebpf.NewDevMap(1),
		"DevMapHash":         ebpf.NewDevMapHash(1),
		"CPUMap":             ebpf.NewCPUMap(1),
		"XSKMap":             ebpf.NewXSKMap(1),
		"SockMap":            ebpf.NewSockMap(1),
		"SockHash":           ebpf.NewSockHash[uint32](1),
		"ReuseportSockArray": ebpf.NewReuseportSockArray(1),
	}
}

// The directive of a type, which the compiler reads, and its constructor, which
// the host calls, agree.
func TestMapDirectives(t *testing.T) {
	each := oneOfEach()
	_, files := parseSource(t)
	seen := make(map[bind.Kind]bool)
	for _, f := range files {
		for _, d := range f.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE || gen.Doc == nil {
				continue
			}
			name := gen.Specs[0].(*ast.TypeSpec).Name.Name
			for _, c := range gen.Doc.List {
				args, ok := strings.CutPrefix(c.Text, "//ebpf:map ")
				if !ok {
					continue
				}
				words := strings.Fields(args)
				h, ok := each[name]
				if !ok {
					t.Errorf("no test has a %s", name)
					continue
				}
				delete(each, name)
				spec := h.Binding().Spec()
				if spec.Kind.String() != words[0] {
					t.Errorf("%s is a %s by its directive and a %s by its constructor", name, words[0], spec.Kind)
				}
				seen[spec.Kind] = true
				if got, want := specOf(t, words[1:]), attributesOf(spec); got != want {
					t.Errorf("%s is %+v by its directive and %+v by its constructor", name, got, want)
				}
			}
		}
	}
	for name := range each {
		t.Errorf("%s has no directive", name)
	}
	for k := range bind.Kind(64) {
		if parsed, ok := bind.ParseKind(k.String()); ok && (parsed != k || !seen[k]) {
			t.Errorf("no type for %s", k)
		}
	}
}

// attributes is what a directive says of a map. There is 1 of what oneOfEach makes, and in a
// buffer 4096.
type attributes struct {
	key, value, entries, flags uint32
	inner                      bool
}

func attributesOf(s *bind.Spec) attributes {
	return attributes{s.KeySize, s.ValueSize, min(s.MaxEntries, 1), s.Flags, s.Inner != nil}
}

// specOf returns the attributes that a directive gives a map in oneOfEach.
func specOf(t *testing.T, words []string) attributes {
	t.Helper()
	sizes := map[string]uint32{"K": 4, "A": 4, "V": 8, "T": 8} // of the type parameters
	a := attributes{entries: 1}
	for _, w := range words {
		name, text, _ := strings.Cut(w, "=")
		var n uint32
		for term := range strings.SplitSeq(text, "+") {
			size, ok := sizes[term]
			if !ok && name != "inner" {
				i, err := strconv.ParseUint(term, 0, 32)
				if err != nil {
					t.Errorf("%s: %v", w, err)
				}
				size = uint32(i)
			}
			n += size
		}
		switch name {
		case "key":
			a.key = n
		case "value":
			a.value = n
		case "entries":
			a.entries = n
		case "flags":
			a.flags = n
		case "inner":
			a.inner = true
		default:
			t.Errorf("attribute %s", w)
		}
	}
	return a
}

// Every type works in memory, is registered where it is made, and closes.
func TestEachKind(t *testing.T) {
	for name, h := range oneOfEach() {
		m := h.Binding()
		if !slices.Contains(bind.At(m.Site().File, m.Site().Line), m) || !strings.HasSuffix(m.Site().File, "kinds_test.go") {
			t.Errorf("%s is registered at %v", name, m.Site())
		}
		i := h.(interface {
			Info() (ebpf.MapInfo, error)
			Close() error
		})
		if info, err := i.Info(); err != nil || info.InKernel || info.Type != m.Spec().Kind.String() {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if err := i.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := i.Info(); err == nil {
			t.Errorf("%s: is not closed", name)
		}
	}
}
