package stdlib

import (
	"encoding/hex"
	"math"
	"sort"
	"strings"
	"unicode"
)

func letterCase(r rune) (rune, rune, rune) {
	return unicode.ToUpper(r), unicode.ToLower(r & 0x7ff), unicode.SimpleFold(r)
}

func foldStrings(n uint8) (bool, int) {
	return strings.EqualFold("Go", "gO"), strings.LastIndex("Hello, World"[n&7:], "l")
}

func countStrings(n uint8) (int, int) {
	return strings.Count("Hello, World"[n&7:], "l"), strings.Count("abababab", "ab"[n&1:])
}

func splitStrings(n uint8) (sum int) {
	for part := range strings.SplitSeq("a,bc,,def"[n&3:], ",") {
		sum = sum*7 + len(part)
	}
	for line := range strings.Lines("one\ntwo\n\nthree"[n&3:]) {
		sum = sum*7 + len(line)
	}
	return sum
}

func hexDigits(b [3]byte) (dst [6]byte, n int) {
	n = hex.Encode(dst[:], b[:])
	return dst, n
}

func search(x uint32) int {
	return sort.Search(100, func(i int) bool { return uint32(i*i) >= x })
}

func limits(n int64) (bool, uint64) {
	return n > math.MaxInt32 || n < math.MinInt32, math.MaxUint64 - uint64(n)
}
