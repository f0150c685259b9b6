package stdlib

import "encoding/binary"

func bigEndian(b [16]byte, n uint8) (uint16, uint32, uint64, uint16) {
	o := binary.BigEndian
	return o.Uint16(b[1:]), o.Uint32(b[4:]), o.Uint64(b[8:]), o.Uint16(b[n:])
}

func littleEndian(b [16]byte, n uint8) (uint16, uint32, uint64, uint32) {
	o := binary.LittleEndian
	return o.Uint16(b[3:]), o.Uint32(b[2:]), o.Uint64(b[:8]), o.Uint32(b[n:])
}

func nativeEndian(b [16]byte, x uint64) (uint16, uint32, uint64, [16]byte) {
	o := binary.NativeEndian
	x16, x32, x64 := o.Uint16(b[3:]), o.Uint32(b[2:]), o.Uint64(b[8:])
	o.PutUint64(b[4:], x)
	return x16, x32, x64, b
}

func putBig(b [16]byte, x uint64, n uint8) [16]byte {
	binary.BigEndian.PutUint64(b[8:], x)
	binary.BigEndian.PutUint32(b[2:], uint32(x))
	binary.BigEndian.PutUint16(b[n:], uint16(x>>16))
	return b
}

func putLittle(b [16]byte, x uint64, n uint8) [16]byte {
	binary.LittleEndian.PutUint64(b[:8], x)
	binary.LittleEndian.PutUint32(b[9:], uint32(x+1))
	binary.LittleEndian.PutUint16(b[n:], uint16(x>>16))
	return b
}

func appendOrder(x uint64) (b [16]byte, n int) {
	p := binary.BigEndian.AppendUint16(b[:0], uint16(x))
	p = binary.LittleEndian.AppendUint32(p, uint32(x))
	p = binary.BigEndian.AppendUint64(p, x)
	return b, len(p)
}

func orderValue(b [8]byte) (uint32, uint32) {
	read := func(o binary.ByteOrder) uint32 { return o.Uint32(b[2:]) }
	return read(binary.BigEndian), read(binary.LittleEndian)
}

func varints(x int64, b [12]byte) (u uint64, s int64, n, m int, c [10]byte) {
	n = binary.PutVarint(c[:], x)
	s, m = binary.Varint(c[:])
	u, k := binary.Uvarint(b[:])
	return u, s, n + m, k, c
}
