package corpus

func hashOf(s string) (h uint32) {
	for i := range len(s) {
		h = h*31 + uint32(s[i])
	}
	return h + uint32(len(s))*1000
}

func concat(i, j uint8) (uint32, bool) {
	a, b := "left", "right-hand"
	s := a[i%5:] + "/" + b[:j%11]
	return hashOf(s), s == "left/right"
}

func concatBytes(b [6]byte, n uint8) uint32 {
	s := "<" + string(b[:n%7]) + ">"
	b[0] = 'x'
	return hashOf(s + s)
}

func bytesToString(b [8]byte, n uint8) (uint32, uint32) {
	s := string(b[n%8:])
	for i := range b {
		b[i] = 0
	}
	return hashOf(s), hashOf(string(b[:2]))
}

func stringToBytes(n uint8) ([4]byte, int) {
	s := "abcdefgh"[:n%9]
	b := []byte(s)
	for i := range b {
		b[i] -= 32
	}
	var a [4]byte
	k := copy(a[:], b)
	return a, k + len(s) + len(b)
}

func runeStrings(r int32, n int64) (uint32, uint32, uint32) {
	return hashOf(string(rune(r))), hashOf(string(rune(n))), hashOf("é" + string(rune(uint8(r))))
}

func minMaxStrings(i, j uint8) (uint32, uint32) {
	words := [...]string{"b", "abc", "ab", ""}
	a, b := words[i%4], words[j%4]
	return hashOf(min(a, b, "az")), hashOf(max(a, b))
}

func joinStrings(parts [3]uint8) (h uint32) {
	var buf [16]byte
	s := buf[:0]
	for _, p := range parts {
		s = append(s, "xyz"[:p%4]...)
		s = append(s, ',')
	}
	return hashOf(string(s))
}

func quote(s string) string { return "'" + s + "'" }

func concatArgs(n uint8) uint32 {
	return hashOf(quote("ab") + quote(quote("abcdef"[:n%7])))
}

func describe(n int8) string {
	switch {
	case n < 0:
		return "minus " + digits(-int(n))
	case n == 0:
		return "zero"
	}
	return digits(int(n))
}

func digits(n int) string {
	var buf [8]byte
	i := len(buf)
	for range len(buf) {
		i--
		buf[i] = '0' + byte(n%10)
		if n /= 10; n == 0 {
			break
		}
	}
	return string(buf[i:])
}

func concatResult(n int8) (uint32, bool) {
	s := describe(n)
	return hashOf(s), s == "minus 12"
}

func makeVariable(n, m uint8) (int, int, [3]int16) {
	s := make([]int16, n%4, 12)
	for i := range s {
		s[i] = int16(i) + 1
	}
	s = append(s, int16(m))
	var a [3]int16
	copy(a[:], s)
	return len(s), sumOf(s), a
}

func appendString(n uint8) uint32 {
	var buf [12]byte
	b := append(buf[:0], "head:"...)
	b = append(b, "tail"[n%5:]...)
	return hashOf(string(b))
}

type label string

func (l label) with(suffix label) label { return l + "." + suffix }

func labelled(b bool, n uint8) uint32 {
	l := label("x")
	if b {
		l = "longer"
	}
	return hashOf(string(l.with("y").with(label("abc"[:n%4]))))
}
