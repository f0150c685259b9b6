package bench

import (
	"maps"
	"slices"
	"strings"
	"testing"

	cebpf "github.com/cilium/ebpf"
)

const (
	// repeats is how often a program runs each time that it is timed.
	repeats = 10_000
	// hops is how often router can run on a packet: the runs of one test run all have the
	// packet as the run before has left it, and each takes one from its TTL.
	hops = 250
)

// benchPacket is what the program of that name is timed with.
func benchPacket(name string) []byte {
	p := make([]byte, 128)
	for i := range p {
		p[i] = byte(i * 37)
	}
	copy(p[12:], "\x08\x00\x45")
	p[22], p[23] = 255, 17
	copy(p[42:], "\x03www\x07example\x03com\x00")
	if name == "hex" {
		copy(p[14:], "deadBEEF")
	}
	return p
}

// fill lets the packets of limit pass as often as it runs: it puts as many tokens into their
// bucket, which is full until later than they come.
func fill(t *testing.T, s *subject) {
	t.Helper()
	for name, m := range s.maps {
		if strings.HasSuffix(name, "buckets") {
			if err := m.Put(uint32(benchPacket("limit")[29]), [2]uint64{1 << 40, 1 << 40}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// repeat runs p repeats times, as often as the program of that name can do its work in one
// test run, and returns the result of the last run. That the caches are cold for the first
// run of a test run costs the empty program as much, if it is repeated by the same name.
func repeat(t *testing.T, name string, p *cebpf.Program) uint32 {
	t.Helper()
	times := repeats
	if name == "router" {
		times = hops
	}
	packet := benchPacket(name)
	var last uint32
	for done := 0; done < repeats; done += times {
		var err error
		if last, _, err = p.Benchmark(packet, times, nil); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

// TestRepeat shows that programs do the same in the last run that is timed as in the first:
// that they have not come to leave early.
func TestRepeat(t *testing.T) {
	for _, of := range []compiled{undergo(t), clang(t, "v4")} {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			s := of[name]
			var first [2]uint32 // tunnel and vlan undo what they have done the run before
			for i := range first {
				var err error
				if first[i], _, err = s.prog.Benchmark(benchPacket(name), i+1, nil); err != nil {
					t.Fatal(err)
				}
			}
			fill(t, s)
			switch last := repeat(t, name, s.prog); name {
			case "limit":
				if want := uint32((1<<40 - 10*repeats) & (1<<32 - 1)); last != want {
					t.Errorf("limit: %d tokens, want %d", last, want)
				}
			case "globals", "sketch": // count the runs
			default:
				if !slices.Contains(first[:], last) {
					t.Errorf("%s: %#x, in its first runs %#x", name, last, first)
				}
			}
		}
	}
}
