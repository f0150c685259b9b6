package stdlib

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

func byteStrings(b [5]byte, c [3]byte) (n int, less bool, r rune, d [3]byte) {
	switch string(b[:3]) {
	case "\x00\x01\x02":
		n = 1
	case string(c[:]):
		n = 2
	}
	less = string(b[1:]) < string(c[:])
	for i, x := range string(b[:]) {
		r = r*31 + x + rune(i)
	}
	copy(d[:], []byte("abc"))
	e := []byte("xyz")
	e[c[0]&1] = b[0]
	d[1] = e[0]
	return n + strings.Count(string(b[:]), "\x00"), less, r, d
}

func stringsIndex(b [12]byte, x byte) (int, int, int) {
	s := unsafe.String(&b[0], len(b))
	return strings.IndexByte(s, x), strings.Index(s, "\x00\x00"), strings.LastIndexByte(s, x)
}

func stringsAffixes(b [12]byte) (bool, bool, bool) {
	s := unsafe.String(&b[0], len(b))
	return strings.HasPrefix(s, "\x00\x01"), strings.HasSuffix(s, "\x00"), strings.Contains(s, "\x7f\x80")
}

func stringsCut(b [8]byte) (int, int, bool) {
	before, after, found := strings.Cut(unsafe.String(&b[0], len(b)), "\x00")
	return len(before), len(after), found
}

func stringsFuncs(b [8]byte) (int, int, int) {
	s := unsafe.String(&b[0], len(b))
	return strings.Compare(s, "\x01\x02"), strings.Count(s, "\x00"), len(strings.TrimPrefix(s, "\x00"))
}

func decodeRune(b [6]byte, lead uint8, n uint8) (r rune, size int, last rune, lastSize int) {
	b[0] = lead | 0xc0
	b[1] = b[1]&0x3f | 0x80
	if n&1 == 1 {
		b[2], b[3] = b[2]&0x3f|0x80, b[3]&0x3f|0x80
	}
	r, size = utf8.DecodeRune(b[:n%7])
	last, lastSize = utf8.DecodeLastRune(b[:4])
	return r, size, last, lastSize
}

func encodeRune(r rune) (b [4]byte, n int, c [5]byte, m int) {
	n = utf8.EncodeRune(b[:], r)
	m = len(utf8.AppendRune(c[:1], r))
	return b, n, c, m
}

func validRune(b [6]byte, r rune) (bool, bool, bool, bool) {
	s := b
	for i := range s {
		s[i] &= 0x7f
	}
	return utf8.Valid(b[:]), utf8.Valid(s[:]), utf8.ValidRune(r), utf8.FullRune(b[:2])
}

func runeLength(r rune, c byte) (int, bool) { return utf8.RuneLen(r), utf8.RuneStart(c) }
