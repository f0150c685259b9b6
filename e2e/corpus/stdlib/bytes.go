package stdlib

import "bytes"

func bytesIndex(b [12]byte, x, y byte) (int, int, int) {
	sep := [...]byte{x, y}
	return bytes.IndexByte(b[:], x), bytes.LastIndexByte(b[:], y), bytes.Index(b[:], sep[:])
}

func bytesEqual(a, b [5]byte) (bool, bool) { return bytes.Equal(a[:], b[:]), bytes.Equal(a[:2], b[3:]) }

func bytesAffixes(a [8]byte, b [2]byte) (bool, bool, bool) {
	return bytes.HasPrefix(a[:], b[:]), bytes.HasSuffix(a[:], b[:]), bytes.Contains(a[:], b[:])
}

func bytesTrim(a [8]byte) (int, int, int) {
	return len(bytes.TrimRight(a[:], "\x00\x01")), len(bytes.TrimLeft(a[:], "\x00\x01")), len(bytes.TrimPrefix(a[:], a[:2]))
}

func bytesCompare(a, b [5]byte) int { return bytes.Compare(a[:], b[:]) }

func bytesCount(a [8]byte, x byte) int {
	sep := [...]byte{x}
	return bytes.Count(a[:], sep[:])
}

func bytesCut(a [8]byte, x byte) (int, int, bool) {
	sep := [...]byte{x}
	before, after, found := bytes.Cut(a[:], sep[:])
	return len(before), len(after), found
}
