package opt

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/interp"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

var (
	seeds = flag.Uint64("seeds", 300, "number of random modules")
	first = flag.Uint64("first", 0, "seed of the first random module")
)

// An outcome is all that can be observed of a run.
type outcome struct {
	results []uint64
	site    int // where it panicked, or -1
	data    [][]byte
	log     []string // calls of helpers
}

func (o *outcome) String() string {
	return fmt.Sprintf("results %x site %d data %x log %q", o.results, o.site, o.data, o.log)
}

func (o *outcome) equal(p *outcome) bool {
	return o.site == p.site && slices.Equal(o.results, p.results) && slices.Equal(o.log, p.log) &&
		slices.EqualFunc(o.data, p.data, bytes.Equal)
}

// observe runs the entry of m.
func observe(m *ir.Module, args []uint64) (*outcome, error) {
	o := &outcome{site: -1}
	scratch := bytes.Repeat([]byte{0xcc}, int(m.Scratch)) // as an earlier run may leave it
	vm := interp.New(m, interp.Options{Fuel: 200_000, Helper: func(vm *interp.Machine, h *ir.Helper, args []uint64) (uint64, error) {
		if h == mapLookup || h.Name == mapLookup.Name && len(scratch) > 0 {
			return vm.NewObject(interp.Object{Name: ScratchMap, Bytes: scratch, Align: 8}), nil
		}
		return o.runHelper(vm, h, args)
	}})
	results, site, err := vm.Run(m.Funcs[0], args...)
	if err != nil {
		return nil, err
	}
	o.results = results
	if site != nil {
		o.site = site.Index
	}
	for _, d := range m.Data {
		o.data = append(o.data, slices.Clone(vm.Data(d)))
	}
	return o, nil
}

// runHelper performs the helpers of gen_test.go.
func (o *outcome) runHelper(vm *interp.Machine, h *ir.Helper, args []uint64) (uint64, error) {
	switch h.Name {
	case "now": // a query of the environment, which nobody need ask
		return 12345, nil
	case "mix":
		o.log = append(o.log, fmt.Sprintf("mix %x %x", args[0], args[1]))
		return args[0]*31 ^ args[1], nil
	case "put":
		b, err := vm.Read(args[0], int64(args[1]))
		if err != nil {
			return 0, err
		}
		o.log = append(o.log, fmt.Sprintf("put %x", b))
		return uint64(len(b)), nil
	case "get":
		b := bytes.Repeat([]byte{byte(len(o.log) + 0xa0)}, int(args[1]))
		o.log = append(o.log, "get")
		return 0, vm.Write(args[0], b)
	}
	return 0, errors.New("no such helper")
}

// arguments returns a few sets of arguments for the entry of m.
func arguments(m *ir.Module, seed uint64) [][]uint64 {
	r := rand.New(rand.NewPCG(seed, 3))
	var sets [][]uint64
	for range 6 {
		var args []uint64
		for range m.Funcs[0].Params() {
			switch r.IntN(3) {
			case 0:
				args = append(args, r.Uint64N(10))
			case 1:
				args = append(args, -r.Uint64N(10))
			case 2:
				args = append(args, r.Uint64()>>r.IntN(64))
			}
		}
		sets = append(sets, args)
	}
	return sets
}

// A subject is a random module with its reference outcomes.
type subject struct {
	text string
	args [][]uint64
	want []*outcome
}

// newSubject makes the module of the given seed, or nil if that runs too long.
func newSubject(t *testing.T, seed uint64) *subject {
	m := generate(seed)
	if err := ir.Verify(m); err != nil {
		t.Fatalf("seed %d: the generator made an invalid module: %v\n%s", seed, err, m)
	}
	s := &subject{text: m.String(), args: arguments(m, seed)}
	for _, args := range s.args {
		o, err := observe(m, args)
		if errors.Is(err, interp.ErrFuel) {
			return nil
		}
		if err != nil {
			t.Fatalf("seed %d: the generator made a module with undefined behaviour: %v\n%s", seed, err, m)
		}
		s.want = append(s.want, o)
	}
	return s
}

// check runs the passes and compares verification and outcomes after each.
func (s *subject) check(t *testing.T, seed uint64, passes ...namedPass) {
	t.Helper()
	m := parse(t, s.text)
	before := s.text
	c := testConfig()
	for _, p := range passes {
		p.run(m, c)
		after := m.String()
		if err := ir.Verify(m); err != nil {
			t.Fatalf("seed %d: after %s: %v\nbefore:\n%s\nafter:\n%s", seed, p.name, err, before, after)
		}
		for i, args := range s.args {
			got, err := observe(m, args)
			if err != nil {
				t.Fatalf("seed %d: after %s: f0(%x): %v\nbefore:\n%s\nafter:\n%s", seed, p.name, args, err, before, after)
			}
			if !got.equal(s.want[i]) {
				t.Fatalf("seed %d: after %s: f0(%x):\ngot  %s\nwant %s\nbefore:\n%s\nafter:\n%s",
					seed, p.name, args, got, s.want[i], before, after)
			}
		}
		before = after
	}
}

// TestRandom runs every pass on random modules, alone, in the order of the
// pipeline, and in random orders, and checks that nothing observable changes.
// For more modules: go test -run TestRandom -seeds 100000.
func TestRandom(t *testing.T) {
	ran, panicked := 0, 0
	for seed := *first; seed < *first+*seeds; seed++ {
		s := newSubject(t, seed)
		if s == nil {
			continue
		}
		for _, p := range allPasses {
			s.check(t, seed, p)
		}
		s.check(t, seed, allPasses...)
		r := rand.New(rand.NewPCG(seed, 5))
		var mixed []namedPass
		for range 12 {
			if p := allPasses[r.IntN(len(allPasses))]; p.name != "scratch" && p.name != "abi" {
				mixed = append(mixed, p)
			}
		}
		s.check(t, seed, mixed...)
		ran++
		for _, o := range s.want {
			if o.site >= 0 {
				panicked++
			}
		}
	}
	t.Logf("%d modules, %d of %d runs panicked", ran, panicked, ran*6)
	if ran < int(*seeds)*8/10 || panicked == 0 || panicked > ran*5 {
		t.Error("the generator does not make what it should")
	}
}
