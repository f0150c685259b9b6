package e2e

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

type partsValue struct {
	N     uint32
	Bytes [24]byte
	Words [5]uint64
}

var (
	partsArray = ebpf.NewArray[partsValue](2)
	partsHash  = ebpf.NewHash[uint8, partsValue](8)
	partsRing  = ebpf.NewRingBuf[partsValue](1 << 20) // nobody reads what is discarded
)

// partsOf reads and writes parts of arrays with variable ends, by variable indices.
func partsOf(v *partsValue, i, j, k uint8) (sum uint64) {
	for n := range v.Bytes {
		v.Bytes[n] = byte(n * 7)
	}
	for n := range v.Words {
		v.Words[n] = uint64(n)<<8 | 1
	}
	s := v.Bytes[i:j]
	for n := range s {
		sum = sum*3 + uint64(s[n])
	}
	s = s[k:]
	if len(s) > 2 {
		s[1] ^= 0xff
		sum += uint64(s[2])
	}
	var to [24]byte
	sum = sum*31 + uint64(copy(to[2:], s))
	words := v.Words[i&3:]
	words[k&3] += uint64(j)
	for _, w := range words {
		sum = sum*31 + w
	}
	return sum*31 + uint64(to[3]) + uint64(v.Bytes[9])
}

func partsOfArray(i, j, k uint8) uint64 {
	if v := partsArray.Lookup(1); v != nil {
		return partsOf(v, i, j, k)
	}
	return 0
}

func partsOfHash(i, j, k uint8) uint64 {
	return partsOf(partsHash.LookupOrInit(k&7, partsValue{}), i, j, k)
}

func partsOfEither(i, j, k uint8) uint64 {
	v := partsArray.Lookup(uint32(i & 1))
	if j&1 != 0 {
		v = partsHash.LookupOrInit(j&7, partsValue{})
	}
	return partsOf(v, i, j, k)
}

func partsOfRecord(i, j, k uint8) uint64 {
	r := partsRing.Reserve()
	if r == nil {
		return 0
	}
	sum := partsOf(r, i, j, k)
	partsRing.Discard(r)
	return sum
}

// TestMapParts compares what functions do with parts of values of maps and of records with what one does
// natively with a variable.
func TestMapParts(t *testing.T) {
	language.test(t)
	native := reflect.ValueOf(func(i, j, k uint8) uint64 { return partsOf(new(partsValue), i, j, k) })
	for name, fn := range map[string]func(i, j, k uint8) uint64{
		"array": partsOfArray, "hash": partsOfHash, "either": partsOfEither, "record": partsOfRecord,
	} {
		t.Run(name, func(t *testing.T) {
			inKernel, err := jit.Func(fn)
			language.require(t, err)
			for i := range uint8(26) {
				for j := max(i, 1) - 1; j < 26; j++ {
					for _, k := range []uint8{0, 1, 2, 3, 9, 23, 24, 255} {
						compareCalls(t, native, reflect.ValueOf(inKernel), []reflect.Value{reflect.ValueOf(i), reflect.ValueOf(j), reflect.ValueOf(k)})
					}
				}
			}
		})
	}
}

// halveHeld has a loop that ends because x gets smaller, while a record is held.
func halveHeld(n uint64) (sum uint64) {
	r := partsRing.Reserve()
	if r == nil {
		return 0
	}
	for x := n; x > 0; x /= 2 {
		sum = sum*3 + x
	}
	partsRing.Discard(r)
	return sum
}

// collatzHeld has a loop that ends for all that anybody knows.
func collatzHeld(n uint64) (steps uint64) {
	r := partsRing.Reserve()
	if r == nil {
		return 0
	}
	for x := n; x > 1; steps++ {
		if x&1 == 0 {
			x /= 2
		} else {
			x = 3*x + 1
		}
	}
	partsRing.Discard(r)
	return steps
}

// Where a record is held, the kernel cannot end a loop. One that is known to end is counted
// instead, others are refused.
func TestHeldLoops(t *testing.T) {
	language.test(t)
	halve, err := jit.Func(halveHeld)
	language.require(t, err)
	for _, n := range []uint64{0, 1, 2, 7, 1000, 1<<63 + 5, 1<<64 - 1} {
		want := uint64(0)
		for x := n; x > 0; x /= 2 {
			want = want*3 + x
		}
		if got := halve(n); got != want {
			t.Errorf("halve %d: %d, want %d", n, got, want)
		}
	}
	_, err = jit.Func(collatzHeld)
	wantError(t, err, "this loop, in which a record, a socket or a lock is held, has no bound", "give back what is held before the loop", "[U505]")
}

// storeValuePart passes a part of a map's value to a helper.
func storeValuePart(ctx *ebpf.SKB) ebpf.TCAction {
	v := partsArray.Lookup(0)
	i, j := ctx.Mark&31, ctx.Mark>>5&31
	if v == nil || ebpf.SkbStoreBytes(ctx, 20, v.Bytes[i:j], 0) != nil {
		return ebpf.TCShot
	}
	return ebpf.TCOK
}

// storeCopied passes the same bytes.
func storeCopied(ctx *ebpf.SKB) ebpf.TCAction {
	v := partsArray.Lookup(0)
	i, j := ctx.Mark&31, ctx.Mark>>5&31
	if v == nil {
		return ebpf.TCShot
	}
	var part [24]byte
	n := copy(part[:], v.Bytes[i:j])
	if ebpf.SkbStoreBytes(ctx, 20, part[:n], 0) != nil {
		return ebpf.TCShot
	}
	return ebpf.TCOK
}

// The verifier can follow only one of the ends of a part that a helper is passed of a map's value, and
// what the diagnostic tells to write instead works.
func TestMapPartOfHelper(t *testing.T) {
	language.test(t)
	refused := storeValuePart // undergo-vet checks functions that jit.Compile is passed by name
	_, err := jit.Compile(refused, jit.As("tc"))
	wantError(t, err, "part of a map's value or of a large variable", "copy the bytes to the beginning of a local array", "[U407]")
	p := language.compile(t, storeCopied, jit.As("tc"), jit.OnPanic(77))
	value := partsValue{Bytes: [24]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}}
	if err := partsArray.Set(0, value); err != nil {
		t.Fatal(err)
	}
	for _, mark := range []uint32{0 | 9<<5, 3 | 5<<5, 2 | 24<<5, 5 | 3<<5, 1 | 25<<5} {
		packet := bytes.Repeat([]byte{8, 0, 0x45, 7}, 16)
		want, result := bytes.Clone(packet), int32(ebpf.TCOK)
		if i, j := mark&31, mark>>5; i <= j && j <= 24 {
			copy(want[20:], value.Bytes[i:j])
		} else {
			result = 77
		}
		got, err := p.TestContext(&ebpf.SKB{Mark: mark}, packet)
		if err != nil {
			t.Fatal(err)
		}
		if got.Result != result || !bytes.Equal(got.Packet, want) {
			t.Errorf("mark %#x: %d, % x; want %d, % x", mark, got.Result, got.Packet, result, want)
		}
	}
}
