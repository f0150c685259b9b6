package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds out how large a nest becomes in which the outer loop decides how often
// the inner ones run:
//
//	for i := 1; i < len(a); i++ {
//		for j := i; j > 0 && a[j-1] > a[j]; j-- {
//
// No number of trips is exact for the inner loop until the outer one has been unrolled, and
// unrolling that alone is no use. So the outer loop's counter is followed from iteration to
// iteration, and the inner loop's from the value that it starts with in each.
//
// Precondition: inner loops of a constant number of trips have been unrolled.

// inside returns the loops directly inside of l.
func (u *unroller) inside(l *ir.Loop) []*ir.Loop {
	var list []*ir.Loop
	for _, in := range u.nest.Loops {
		if in.Parent == l {
			list = append(list, in)
		}
	}
	return list
}

// nestSize returns the size of all copies of l and of the loops inside of it, and whether
// it is known. All of those must index an array by what they count.
func (u *unroller) nestSize(l *ir.Loop, inner []*ir.Loop) (int, bool) {
	size := 0 // of an iteration of l without the loops inside
	for _, b := range l.Blocks {
		if u.nest.Innermost(b) == l {
			size += u.copySize(l, b)
		}
	}
	var values []int64
	for _, t := range u.tests[l] {
		if p := drivingParam(l, t.x); p != nil && t.y.Op == ir.OpConst && values == nil {
			if start, ok := u.starts[p.ID].isConst(p.Type); ok {
				values, _ = u.follow(l, t, p, start)
			}
		}
	}
	if values == nil || uint64(len(values)) != u.trips[l] {
		return 0, false
	}
	total := size * len(values)
	for _, in := range inner {
		trips, ok := u.innerTrips(l, in, values)
		if !ok || len(u.inside(in)) > 0 || !u.indexes(in) {
			return 0, false
		}
		for _, b := range in.Blocks {
			total += trips * u.copySize(in, b)
		}
	}
	return total, true
}

// innerTrips returns how many trips in, which is inside of l, makes together if the
// counter of l has these values.
func (u *unroller) innerTrips(l, in *ir.Loop, values []int64) (int, bool) {
	var entry []ir.Pred
	for _, p := range u.dom.Preds()[in.Header.ID] {
		if !u.nest.Contains(in, p.Block) {
			entry = append(entry, p)
		}
	}
	if len(entry) != 1 {
		return 0, false
	}
	for _, t := range u.tests[in] {
		p := drivingParam(in, t.x)
		if p == nil || t.y.Op != ir.OpConst {
			continue
		}
		first := entry[0].Edge().Args[slices.Index(in.Header.Params, p)]
		outer := drivingParam(l, first)
		if outer == nil || !u.counted(l, outer, 0) {
			continue
		}
		total := 0
		for _, value := range values {
			start, ok := evalTree(map[*ir.Value]int64{outer: value}, first, false)
			if !ok {
				return 0, false
			}
			list, ok := u.follow(in, t, p, start)
			if !ok || len(list) > maxUnrolled {
				return 0, false
			}
			total += len(list)
		}
		return total, true
	}
	return 0, false
}
