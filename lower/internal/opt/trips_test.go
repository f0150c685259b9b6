package opt

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// TestLinearTrips counts the iterations of loops one by one, with counters of 8 bits that wrap
// around: none makes more than linearTrips says.
func TestLinearTrips(t *testing.T) {
	const endless = 3000 // iterations: more than a counter of 8 bits has values
	ops := []ir.Op{ir.OpNe, ir.OpULt, ir.OpULe, ir.OpUGt, ir.OpUGe, ir.OpSLt, ir.OpSLe, ir.OpSGt, ir.OpSGe}
	rnd := rand.New(rand.NewPCG(1, 2))
	counted := make(map[string]int)
	for range 200_000 {
		signed := rnd.IntN(2) == 0
		lowest, wrap := int64(0), func(v int64) int64 { return int64(uint8(v)) }
		if signed {
			lowest, wrap = -128, func(v int64) int64 { return int64(int8(v)) }
		}
		// Ranges that are narrow, so that ways around are found, or single numbers.
		bounds := func() (int64, int64, fact) {
			lo := lowest + rnd.Int64N(256)
			hi := min(lo+rnd.Int64N(4), lowest+255)
			return lo, hi, betweenSigned(ir.I32, lo, hi)
		}
		xlo, xhi, x := bounds()
		ylo, yhi, y := bounds()
		k := counter{step: rnd.Int64N(9) - 4, limits: betweenSigned(ir.I32, lowest, lowest+255)}
		most := k.step
		if k.step > 0 && rnd.IntN(4) == 0 {
			most += rnd.Int64N(5) // the loop adds a number that is not known
		}
		op, invariant := ops[rnd.IntN(len(ops))], rnd.IntN(3) > 0
		n := linearTrips(op, x, y, k, most, invariant)
		if n == unbounded {
			continue
		}
		what := fmt.Sprintf("%v, signed %v", op, signed)
		counted[what]++
		// As an unsigned number, a signed counter is taken to have values that it never has.
		mixed := signed && op < ir.OpSLt
		for range 4 {
			v, limit := xlo+rnd.Int64N(xhi-xlo+1), ylo+rnd.Int64N(yhi-ylo+1)
			step := k.step + rnd.Int64N(most-k.step+1)
			trips := uint64(0)
			for ; evalCompare(op, ir.I32, v, limit) && trips < endless; trips++ {
				if v = wrap(v + step); !invariant {
					limit = ylo + rnd.Int64N(yhi-ylo+1)
				}
			}
			if trips > n {
				t.Fatalf("%s: from %d by %d, of %d, to %d in [%d, %d], invariant %v: %d iterations, counted as %d", what, v, step, most, limit, ylo, yhi, invariant, trips, n)
			}
			if xlo == xhi && ylo == yhi && k.step == most && !mixed && trips != n {
				t.Fatalf("%s: from %d by %d to %d: %d iterations, counted as %d", what, xlo, step, ylo, trips, n)
			}
		}
	}
	for _, op := range ops {
		for _, signed := range []bool{false, true} {
			what := fmt.Sprintf("%v, signed %v", op, signed)
			if mixed := op >= ir.OpULt && op <= ir.OpUGe && signed; counted[what] == 0 && !mixed {
				t.Errorf("%s: no loop is counted", what)
			}
		}
	}
}
