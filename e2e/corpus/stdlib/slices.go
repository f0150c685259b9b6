package stdlib

import (
	"cmp"
	"slices"
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
