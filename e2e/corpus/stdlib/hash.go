package stdlib

import (
	"hash/adler32"
	"hash/crc32"
	"hash/fnv"
)

func fnv32(b [12]byte) (uint32, uint32) {
	h, g := fnv.New32(), fnv.New32a()
	h.Write(b[:])
	g.Write(b[:5])
	g.Write(b[5:])
	return h.Sum32(), g.Sum32()
}

func fnv64(b [12]byte) (uint64, uint64) {
	h, g := fnv.New64(), fnv.New64a()
	h.Write(b[:])
	g.Write(b[:5])
	g.Write(b[5:])
	return h.Sum64(), g.Sum64()
}

func crcIEEE(b [12]byte, crc uint32) (uint32, uint32) {
	return crc32.ChecksumIEEE(b[:]), crc32.Update(crc, crc32.IEEETable, b[:])
}

func crcOthers(b [12]byte) (uint32, uint32) {
	return crc32.Checksum(b[:], crc32.MakeTable(crc32.Castagnoli)), crc32.Checksum(b[3:], crc32.MakeTable(crc32.Koopman))
}

func adler(b [12]byte) (uint32, uint32) {
	return adler32.Checksum(b[:]), adler32.Checksum(b[3:])
}

func fnv128(b [12]byte) (sum, suma [16]byte) {
	h, g := fnv.New128(), fnv.New128a()
	h.Write(b[:])
	g.Write(b[:5])
	h.Sum(sum[:0])
	g.Sum(suma[:0])
	return sum, suma
}

func adlerPart(b [12]byte, n uint8) uint32 { return adler32.Checksum(b[:n]) }
