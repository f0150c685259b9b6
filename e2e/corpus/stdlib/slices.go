package stdlib

import (
	"cmp"
	"slices"
	"sort"
)

func compare(a, b int64, c, d uint8) (int, int, bool, int64) {
	return cmp.Compare(a, b), cmp.Compare(c, d), cmp.Less(a, b), cmp.Or(0, a, b)
}

func sliceIndex(s [9]uint8, x uint8, n uint8) (int, int) {
	return slices.Index(s[:], x), slices.IndexFunc(s[:n], func(y uint8) bool { return y > x })
}

func sliceContains(s [9]int32, x int32) (bool, bool) {
	return slices.Contains(s[:], x), slices.ContainsFunc(s[:], func(y int32) bool { return y == -x })
}

func sliceFuncs(s [8]uint16) ([8]uint16, int) {
	slices.Reverse(s[:])
	t := slices.DeleteFunc(s[:], func(x uint16) bool { return x&1 == 1 })
	return s, len(t)
}

func sliceEdit(s, t [8]uint16) ([8]uint16, [8]uint16, int, int) {
	u := slices.Compact(s[:])
	v := slices.Delete(t[:], 2, 5)
	return s, t, len(slices.Clip(u)), len(v)
}

func sliceEqual(s, t [6]int8) (bool, int, bool) {
	return slices.Equal(s[:3], t[:3]), slices.Compare(s[:], t[:]),
		slices.EqualFunc(s[:], t[:], func(a, b int8) bool { return a == -b })
}

func sliceMinMax(s [7]int64, n uint8) (int64, int64, int64) {
	return slices.Min(s[:n]), slices.Max(s[:]), slices.MaxFunc(s[:], func(a, b int64) int { return cmp.Compare(b&0xff, a&0xff) })
}

func sliceSort(s [10]int16) ([10]int16, bool, bool) {
	before := slices.IsSorted(s[:])
	slices.Sort(s[:])
	return s, before, slices.IsSorted(s[:])
}

func sliceSortFunc(s [10]uint8, n uint8) ([10]uint8, bool) {
	byTens := func(a, b uint8) int { return cmp.Compare(a/10, b/10) }
	slices.SortFunc(s[:n%11], byTens)
	return s, slices.IsSortedFunc(s[:], byTens)
}

type record struct {
	key, value uint8
	next       uint16
}

func sliceSortLong(seed uint32, n uint8) [40]record {
	var list [40]record
	for i := range list {
		seed = seed*1664525 + 1013904223
		list[i] = record{uint8(seed >> 28), uint8(seed >> 26), uint16(i)}
	}
	// All are different, so that the order is the same natively.
	slices.SortFunc(list[:n%41], func(a, b record) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(b.value, a.value), cmp.Compare(a.next, b.next))
	})
	return list
}

type byValue []record

func (s byValue) Len() int           { return len(s) }
func (s byValue) Less(i, j int) bool { return s[i].value < s[j].value }
func (s byValue) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

func sortInterface(values [12]uint8, n uint8) (list [12]record) {
	for i, v := range values {
		list[i] = record{uint8(i), v & 7, 0}
	}
	sort.Sort(byValue(list[:n%13]))
	return list
}

func sortStable(values [16]uint8, ints [6]int) (list [16]record, _ [6]int, sorted bool) {
	for i, v := range values {
		list[i] = record{uint8(i), v & 3, 0}
	}
	sort.Stable(byValue(list[:]))
	sort.Sort(sort.Reverse(sort.IntSlice(ints[:])))
	return list, ints, sort.IsSorted(byValue(list[:5]))
}

func sliceSortStable(s [8]uint8) [8]uint8 {
	slices.SortStableFunc(s[:], func(a, b uint8) int { return cmp.Compare(a&3, b&3) })
	return s
}

func sliceSearch(x uint32) (int, bool) {
	s := [...]uint32{1, 3, 7, 8, 31, 63, 100, 255, 1 << 31}
	return slices.BinarySearch(s[:], x)
}

func sliceIterators(s [6]uint8) (n int) {
	for i, x := range slices.Backward(s[:]) {
		n = n*7 + i + int(x)
	}
	for x := range slices.Values(s[1:]) {
		if x == 0 {
			break
		}
		n += int(x)
	}
	return n
}

func sliceFuncEdits(s, t [8]uint16, n uint8) ([8]uint16, [8]uint16, int, int) {
	u := slices.CompactFunc(s[:], func(a, b uint16) bool { return a&1 == b&1 })
	v := slices.Delete(t[:n], 1, int(n))
	return s, t, len(u), len(v)
}

func sliceSearchFunc(x uint8) (int, bool) {
	s := [...]uint16{300, 301, 364, 365, 427, 511}
	return slices.BinarySearchFunc(s[:], x, func(a uint16, b uint8) int { return cmp.Compare(uint8(a), b) })
}

func sliceChunks(s [7]uint8, n int8) (sum int) {
	for c := range slices.Chunk(s[:], int(n)) {
		sum = sum*31 + len(c) + int(c[0])
	}
	for i, x := range slices.All(s[2:]) {
		sum += i * int(x)
	}
	return sum
}

func sliceOrder(s [6]int32) (bool, int32, int) {
	down := func(a, b int32) int { return cmp.Compare(b, a) }
	return slices.IsSortedFunc(s[:], down), slices.MinFunc(s[:], down), slices.CompareFunc(s[:3], s[3:], down)
}
