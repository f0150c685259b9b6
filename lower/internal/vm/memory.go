package vm

import (
	"encoding/binary"
	"strings"
)

// A region is an object in memory. Addresses are made of a region's number in
// the upper bits and an offset; offset 0 lies in the middle of the range, so that
// stepping out of a region on either side does not lead into another.
type region struct {
	kind      kind
	bytes     []byte
	written   []bool // for stack
	varying   []bool // for stack with Options.StrictStack
	packet    uint64 // for packetCtx: bounds of the packet
	packetEnd uint64
	pc        int    // for function
	name      string // for bpfMap
}

type kind int

const (
	memory    kind = iota // any alignment
	readOnly              // memory that cannot be written
	stack                 // aligned accesses of bytes that were written
	context               // aligned accesses
	packetCtx             // struct xdp_md
	bpfMap                // a reference to a map, not accessible
	function              // an address of a function, not accessible
)

const (
	regionShift = 40
	regionBias  = 1 << (regionShift - 1)
)

// add returns the address of a new region.
func (m *machine) add(r *region) uint64 {
	m.regions = append(m.regions, r)
	return uint64(len(m.regions))<<regionShift + regionBias
}

// region returns the region that addr points into and the offset.
func (m *machine) region(addr uint64) (*region, int64, error) {
	i := addr >> regionShift
	if i == 0 || i > uint64(len(m.regions)) {
		return nil, 0, reasonf("invalid mem access at %#x: not a pointer", addr)
	}
	return m.regions[i-1], int64(addr&(1<<regionShift-1)) - regionBias, nil
}

// access returns the n bytes at addr for reading or writing.
func (m *machine) access(addr uint64, n int, write bool) (*region, []byte, error) {
	r, off, err := m.region(addr)
	if err != nil {
		return nil, nil, err
	}
	if off < 0 || off+int64(n) > int64(len(r.bytes)) {
		return nil, nil, reasonf("invalid access of %d bytes at offset %d of a region of %d bytes", n, off, len(r.bytes))
	}
	if write && r.kind == readOnly {
		return nil, nil, reasonf("write to read-only section")
	}
	if r.kind == stack {
		for i := off; i < off+int64(n); i++ {
			if !write && !r.written[i] {
				return nil, nil, reasonf("invalid read from stack off %d: not written", i-stackSize)
			}
			r.written[i] = r.written[i] || write
		}
	}
	return r, r.bytes[off : off+int64(n)], nil
}

// aligned fails for an access that the kernel would call misaligned.
func (m *machine) aligned(r *region, addr uint64, n int) error {
	if (r.kind == stack || r.kind == context) && addr%uint64(n) != 0 {
		return reasonf("misaligned access of %d bytes at %#x", n, addr)
	}
	return nil
}

// width returns the number of bytes that a memory instruction accesses.
func (in *inst) width() int {
	switch in.op & sizeMask {
	case 0x00:
		return 4
	case 0x08:
		return 2
	case 0x10:
		return 1
	}
	return 8
}

// load executes a load.
func (m *machine) load(f *frame, in *inst) error {
	if err := f.need(in.src); err != nil {
		return err
	}
	n := in.width()
	addr := f.regs[in.src] + uint64(int64(in.off))
	if r, off, err := m.region(addr); err == nil && r.kind == packetCtx {
		return r.loadBound(f, in, off)
	}
	r, b, err := m.access(addr, n, false)
	if err != nil {
		return err
	}
	if err := m.aligned(r, addr, n); err != nil {
		return err
	}
	x := get(b)
	switch in.op & modeMask {
	case modeMem:
	case modeMemSX:
		if n == 8 {
			return reasonf("sign-extending load of 8 bytes")
		}
		x = signExtend(x, int16(8*n))
	default:
		return reasonf("unknown mode of a load")
	}
	f.set(in.dst, x)
	return nil
}

// loadBound loads a field of struct xdp_md, which holds 32-bit numbers that the
// kernel turns into pointers.
func (r *region) loadBound(f *frame, in *inst, off int64) error {
	switch {
	case in.width() == 4 && off == 0:
		f.set(in.dst, r.packet)
	case in.width() == 4 && off == 4:
		f.set(in.dst, r.packetEnd)
	default:
		return reasonf("invalid context access of %d bytes at offset %d", in.width(), off)
	}
	return nil
}

// store executes a store of x.
func (m *machine) store(f *frame, in *inst, x uint64) error {
	if err := f.need(in.dst); err != nil {
		return err
	}
	if in.op&modeMask != modeMem {
		return reasonf("unknown mode of a store")
	}
	n := in.width()
	addr := f.regs[in.dst] + uint64(int64(in.off))
	r, b, err := m.access(addr, n, true)
	if err != nil {
		return err
	}
	put(b, x)
	return m.aligned(r, addr, n)
}

// get returns the little-endian number in b.
func get(b []byte) uint64 {
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:])
}

// put stores the low bytes of x in b.
func put(b []byte, x uint64) {
	var full [8]byte
	binary.LittleEndian.PutUint64(full[:], x)
	copy(b, full[:])
}

// section returns the address and size of a data section.
func (m *machine) section(name string) (uint64, int, error) {
	b, ok := m.opt.Sections[name]
	if !ok {
		return 0, 0, reasonf("no section %q", name)
	}
	addr, ok := m.symbols[name]
	if !ok {
		r := &region{kind: memory, bytes: b}
		if name == ".rodata" || strings.HasPrefix(name, ".rodata.") {
			r.kind = readOnly
		}
		addr = m.add(r)
		m.symbols[name] = addr
	}
	return addr, len(b), nil
}

// mapAddress returns what stands for a reference to a map.
func (m *machine) mapAddress(name string) uint64 {
	// Sections are named like map values; a map's own address is another one.
	key := "map " + name
	addr, ok := m.symbols[key]
	if !ok {
		addr = m.add(&region{kind: bpfMap, name: name})
		m.symbols[key] = addr
	}
	return addr
}
