package host

import (
	"math"
	"strconv"
	"syscall"
)

// This file has the helpers that parse numbers: bpf_strtol and bpf_strtoul in kernel/bpf/helpers.c.

// maxNumber is how many bytes of a number the kernel looks at: str in __bpf_strtoull.
const maxNumber = 63

// number parses the number that buf begins with, and returns the bytes that it takes.
func number(buf []byte, base uint64) (magnitude uint64, negative bool, n int, err error) {
	if len(buf) == 0 || base != 0 && base != 8 && base != 10 && base != 16 {
		return 0, false, 0, syscall.EINVAL
	}
	s := buf[:min(len(buf), maxNumber)]
	at := func(i int) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	for c := at(n); c == ' ' || '\t' <= c && c <= '\r' || c == 0xa0; c = at(n) {
		n++
	}
	if at(n) == '-' {
		negative = true
		n++
	}
	hex := at(n) == '0' && at(n+1)|0x20 == 'x' && digit(at(n+2)) < 16
	switch {
	case base == 0 && hex:
		base = 16
	case base == 0 && at(n) == '0':
		base = 8
	case base == 0:
		base = 10
	}
	if base == 16 && at(n) == '0' && at(n+1)|0x20 == 'x' {
		n += 2
	}
	first := n
	for uint64(digit(at(n))) < base {
		n++
	}
	if n == first {
		return 0, false, 0, syscall.EINVAL
	}
	magnitude, parseErr := strconv.ParseUint(string(s[first:n]), int(base), 64)
	if parseErr != nil {
		return 0, false, 0, syscall.ERANGE
	}
	return magnitude, negative, n, nil
}

// digit returns the value of a digit, or 255.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

func parseInt(buf []byte, base uint64) (value int64, n int, err error) {
	m, negative, n, err := number(buf, base)
	switch {
	case err != nil:
		return 0, 0, err
	case negative && m <= -math.MinInt64:
		return -int64(m), n, nil
	case negative || m > math.MaxInt64:
		return 0, 0, syscall.ERANGE
	}
	return int64(m), n, nil
}

func parseUint(buf []byte, base uint64) (value uint64, n int, err error) {
	m, negative, n, err := number(buf, base)
	if err == nil && negative {
		err = syscall.EINVAL
	}
	if err != nil {
		return 0, 0, err
	}
	return m, n, nil
}
