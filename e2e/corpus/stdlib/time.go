package stdlib

import (
	"time"
	"unicode/utf16"
)

func durations(n, m int64) (time.Duration, time.Duration, time.Duration) {
	d := time.Duration(n)
	return d.Truncate(time.Duration(m)), d.Round(time.Millisecond), d.Abs()
}

func durationParts(n int64) (int64, int64, int64) {
	d := time.Duration(n)
	return d.Nanoseconds(), d.Microseconds(), d.Milliseconds()
}

func months(n uint8) (bool, bool) { return time.Month(n) == time.May, time.Weekday(n) == time.Sunday }

func surrogates(a, b rune) (bool, rune, rune, rune) {
	x, y := utf16.EncodeRune(a)
	return utf16.IsSurrogate(a), utf16.DecodeRune(a, b), x, y
}
