package stdlib

import (
	"bytes"
	"unicode"
)

func unicodeClasses(r int32) (letter, upper, digit bool) {
	return unicode.IsLetter(r), unicode.IsUpper(r), unicode.IsDigit(r)
}

func bytesTrimSpace(b [6]byte, n uint8) (int, byte) {
	b[n%6], b[n%4] = ' ', '\t'
	t := bytes.TrimSpace(b[:])
	if len(t) == 0 {
		return 0, 0
	}
	return len(t), t[0]
}
