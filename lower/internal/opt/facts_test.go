package opt

import (
	"math/rand/v2"
	"testing"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/target"
)

// holds reports whether c, a constant of type t, is as f says.
func (f fact) holds(t ir.Type, c int64) bool {
	u := unsigned(t, c)
	return f.umin <= u && u <= f.umax && f.smin <= c && c <= f.smax && u&f.zero == 0 && ^u&f.one == 0
}

// randomFact returns a fact and values for which it holds.
func randomFact(r *rand.Rand, t ir.Type) (fact, []int64) {
	center := canonical(t, int64(r.Uint64())>>r.IntN(64))
	var f fact
	var values []int64
	for i := range 1 + r.IntN(5) {
		c := canonical(t, center+r.Int64N(1<<r.IntN(20)))
		values = append(values, c)
		if i == 0 {
			f = exactly(t, c)
		} else {
			f = f.or(exactly(t, c))
		}
	}
	return f.sync(t), values
}

// konst returns a constant that is in no function.
func konst(t ir.Type, c int64) *ir.Value { return &ir.Value{Op: ir.OpConst, Type: t, Imm: c} }

// TestTransfer computes with values and with what is known of them, and checks
// that what is known of the result holds.
func TestTransfer(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var ops []ir.Op
	for op := ir.OpAdd; op <= ir.OpBswap; op++ {
		ops = append(ops, op)
	}
	for op := ir.OpEq; op <= ir.OpSGe; op++ {
		ops = append(ops, op)
	}
	f := new(ir.Module).NewFunc("f", 0)
	b := f.NewBlock()
	x, y := b.AddParam(ir.I64, 0), b.AddParam(ir.I64, 0)
	b.Return(0)
	for range 200_000 {
		op := ops[r.IntN(len(ops))]
		v := &ir.Value{Op: op, Type: []ir.Type{ir.I32, ir.I64}[r.IntN(2)], Args: []*ir.Value{x, y}[:op.Info().Args]}
		x.Type, y.Type = v.Type, v.Type
		switch op {
		case ir.OpTrunc:
			x.Type, v.Type = ir.I64, ir.I32
		case ir.OpZExt, ir.OpSExt:
			x.Type, v.Type = ir.I32, ir.I64
		case ir.OpSExtIn:
			v.Imm = []int64{8, 16, 32}[r.IntN(int(v.Type.Size())/4+1)]
		case ir.OpBswap:
			v.Imm = []int64{16, 32, 64}[r.IntN(int(v.Type.Size())/4+1)]
		}
		if op.Is(ir.Compare) {
			v.Type = ir.I32
		}
		a := []*analysis{
			newAnalysis(f),
			newVerifierAnalysis(f, &Config{Target: target.For(target.MinKernel, "amd64")}),
			newVerifierAnalysis(f, testConfig()),
		}[r.IntN(3)]
		fx, xs := randomFact(r, x.Type)
		fy, ys := randomFact(r, y.Type)
		a.set(x, fx)
		a.set(y, fy)
		if op == ir.OpShl || op == ir.OpLShr || op == ir.OpAShr {
			ys = []int64{r.Int64N(64)}
			v.Args[1] = konst(y.Type, ys[0])
		}
		got := a.transfer(v)
		for _, cx := range xs {
			for _, cy := range ys {
				args := []*ir.Value{konst(x.Type, cx), konst(y.Type, cy)}[:len(v.Args)]
				c, ok := evalConst(v, args)
				if !ok {
					t.Fatalf("%s is not computed", op)
				}
				if !got.holds(v.Type, c) {
					t.Fatalf("%s %s %d of %#x, %#x is %#x, not in %+v\noperands %+v, %+v", op, v.Type, v.Imm, cx, cy, c, got, fx, fy)
				}
			}
		}
	}
}

// TestAssume checks that what comparisons say of their operands holds, and that
// decisions are right.
func TestAssume(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		typ := []ir.Type{ir.I32, ir.I64}[r.IntN(2)]
		op := ir.OpEq + ir.Op(r.IntN(int(ir.OpSGe-ir.OpEq)+1))
		f, xs := randomFact(r, typ)
		g, ys := randomFact(r, typ)
		holds, decided := decide(op, f, g, typ)
		assumed := f.assume(op, g, typ)
		widened := f.widen(g, typ, coarseLimits)
		for _, x := range xs {
			if !widened.holds(typ, x) {
				t.Fatalf("%#x is lost by widening %+v by %+v to %+v", x, f, g, widened)
			}
			for _, y := range ys {
				is := evalCompare(op, typ, x, y)
				if decided && holds != is {
					t.Fatalf("%#x %s %#x is decided wrongly, %+v %+v", x, op, y, f, g)
				}
				if is && !assumed.holds(typ, x) {
					t.Fatalf("%#x %s %#x, but %+v became %+v", x, op, y, f, assumed)
				}
			}
		}
	}
}
