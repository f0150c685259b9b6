package corpus

func addInt8(a, b int8) int8    { return a + b }
func addUint8(a, b uint8) uint8 { return a + b }

func arith[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | uintptr](a, b T) (T, T, T, T, T, T, T, T, T) {
	return a + b, a - b, a * b, a & b, a | b, a ^ b, a &^ b, -a, ^b
}

func arithInt8(a, b int8) (x1, x2, x3, x4, x5, x6, x7, x8, x9 int8)          { return arith(a, b) }
func arithInt16(a, b int16) (x1, x2, x3, x4, x5, x6, x7, x8, x9 int16)       { return arith(a, b) }
func arithInt32(a, b int32) (x1, x2, x3, x4, x5, x6, x7, x8, x9 int32)       { return arith(a, b) }
func arithInt64(a, b int64) (x1, x2, x3, x4, x5, x6, x7, x8, x9 int64)       { return arith(a, b) }
func arithUint8(a, b uint8) (x1, x2, x3, x4, x5, x6, x7, x8, x9 uint8)       { return arith(a, b) }
func arithUint16(a, b uint16) (x1, x2, x3, x4, x5, x6, x7, x8, x9 uint16)    { return arith(a, b) }
func arithUint32(a, b uint32) (x1, x2, x3, x4, x5, x6, x7, x8, x9 uint32)    { return arith(a, b) }
func arithUint64(a, b uint64) (x1, x2, x3, x4, x5, x6, x7, x8, x9 uint64)    { return arith(a, b) }
func arithUintptr(a, b uintptr) (x1, x2, x3, x4, x5, x6, x7, x8, x9 uintptr) { return arith(a, b) }

func divInt8(a, b int8) (int8, int8)         { return a / b, a % b }
func divInt16(a, b int16) (int16, int16)     { return a / b, a % b }
func divInt32(a, b int32) (int32, int32)     { return a / b, a % b }
func divInt64(a, b int64) (int64, int64)     { return a / b, a % b }
func divUint8(a, b uint8) (uint8, uint8)     { return a / b, a % b }
func divUint16(a, b uint16) (uint16, uint16) { return a / b, a % b }
func divUint32(a, b uint32) (uint32, uint32) { return a / b, a % b }
func divUint64(a, b uint64) (uint64, uint64) { return a / b, a % b }

func divConst(a int8, b int64, c uint32) (int8, int8, int64, int64, uint32, uint32) {
	return a / -1, a % -1, b / -1, b % 10, c / 7, c % 16
}

func shiftInt8(a int8, n uint64) (int8, int8)       { return a << n, a >> n }
func shiftInt16(a int16, n uint32) (int16, int16)   { return a << n, a >> n }
func shiftInt32(a int32, n uint64) (int32, int32)   { return a << n, a >> n }
func shiftInt64(a int64, n uint8) (int64, int64)    { return a << n, a >> n }
func shiftUint8(a uint8, n uint16) (uint8, uint8)   { return a << n, a >> n }
func shiftUint16(a uint16, n uint) (uint16, uint16) { return a << n, a >> n }
func shiftUint32(a, n uint32) (uint32, uint32)      { return a << n, a >> n }
func shiftUint64(a, n uint64) (uint64, uint64)      { return a << n, a >> n }
func shiftSigned8(a int16, n int8) (int16, int16)   { return a << n, a >> n }
func shiftSigned64(a uint64, n int) (uint64, uint64) {
	return a << n, a >> n
}
func shiftBy8(a int64, n int8) (int64, uint8) { return a << n, uint8(a) >> n }

func shiftConst(a int8, b uint16, c int32, d uint64) (int8, int8, uint16, uint16, int32, int32, uint64, uint64, int8, uint16) {
	n8, n9, n16, n17, n40, n64 := 8, 9, 16, 17, 40, uint8(64) // constants, but not to vet
	return a << 3, a >> n9, b << 15, b >> n16, c << 31, c >> n40, d << 63, d >> n64, a << n8, b << n17
}

type orders [6]bool

func order[T int8 | uint16 | int32 | uint64](a, b T) orders {
	return orders{a == b, a != b, a < b, a <= b, a > b, a >= b}
}

func compareInt8(a, b int8) orders     { return order(a, b) }
func compareUint16(a, b uint16) orders { return order(a, b) }
func compareInt32(a, b int32) orders   { return order(a, b) }
func compareUint64(a, b uint64) orders { return order(a, b) }
func compareBool(a, b bool) (bool, bool, bool, bool) {
	return a == b, a != b, a && b, a || !b
}

type ints struct {
	i8  int8
	u8  uint8
	i16 int16
	u16 uint16
	i32 int32
	u32 uint32
	i64 int64
	u64 uint64
	up  uintptr
}

func conv[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64](v T) ints {
	return ints{int8(v), uint8(v), int16(v), uint16(v), int32(v), uint32(v), int64(v), uint64(v), uintptr(v)}
}

func convFromInt8(v int8) ints     { return conv(v) }
func convFromUint8(v uint8) ints   { return conv(v) }
func convFromInt16(v int16) ints   { return conv(v) }
func convFromUint16(v uint16) ints { return conv(v) }
func convFromInt32(v int32) ints   { return conv(v) }
func convFromUint32(v uint32) ints { return conv(v) }
func convFromInt64(v int64) ints   { return conv(v) }
func convFromUint64(v uint64) ints { return conv(v) }

const (
	first = iota + 1
	second
	huge = 1 << 100
)

func constants(a uint32) (uint64, int8, uint32, int64, rune, uint16) {
	const top = 0xffffffff
	return uint64(a) + top, -128, a ^ top, huge >> 90, 'ä' + second, uint16(a) | 0x8000
}

func bools(a, b bool, n int) (bool, bool, int) {
	c := a != b
	if c && n > 3 || !a {
		n++
	}
	return !c, a == (n > 5), n
}

func minMax(a, b int8, c, d uint64) (int8, int8, uint64, uint64, int8) {
	return min(a, b), max(a, b), min(c, d, 100), max(c, d, 7), max(a, min(b, 3))
}

func negate(a int8, b uint8, c int64) (int8, uint8, int64, int16) {
	return -a, -b, -c, -int16(a) * int16(b)
}
