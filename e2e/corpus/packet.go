package corpus

// Functions of packets. They take a packet, may change it, and return a number; those
// that read beyond its end panic.

func be16(p []byte) uint16 { _ = p[1]; return uint16(p[0])<<8 | uint16(p[1]) }

func be32(p []byte) uint32 {
	_ = p[3]
	return uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])
}

func put16(p []byte, v uint16) { _ = p[1]; p[0], p[1] = byte(v>>8), byte(v) }

func pktEthertype(p []byte) uint32 {
	if len(p) < 14 {
		return 1
	}
	return uint32(be16(p[12:14]))
}

func pktUnchecked(p []byte) uint32 {
	ip := p[14:34]
	l4 := p[14+int(ip[0]&15)*4:]
	return uint32(be16(l4[2:4])) + uint32(ip[9])
}

func pktChecked(p []byte) uint32 {
	if len(p) < 34 || p[12] != 8 || p[13] != 0 {
		return 1
	}
	hl := int(p[14]&15) * 4
	if hl < 20 || len(p) < 14+hl+8 {
		return 2
	}
	udp := p[14+hl : 14+hl+8]
	return uint32(be16(udp))<<16 | uint32(be16(udp[4:6]))
}

func pktOptions(p []byte) uint32 {
	n := uint32(0)
	for i := 0; i < 10 && len(p) >= 2; i++ {
		l := int(p[1])
		if l < 2 {
			break
		}
		n += uint32(p[0])
		p = p[l:]
	}
	return n
}

func pktSwap(p []byte) uint32 {
	if len(p) < 14 {
		return 0
	}
	a, b := [6]byte(p[0:6]), [6]byte(p[6:12])
	copy(p[0:6], b[:])
	copy(p[6:12], a[:])
	put16(p[12:], 0x1234)
	return 1
}

func pktVariable(p []byte) uint32 {
	i, j := int(p[0]), int(be32(p[1:5])%97)
	return uint32(p[i]) + uint32(p[j])<<8
}

func pktLast(p []byte) uint32 { return uint32(p[len(p)-1]) + uint32(be16(p[len(p)-4:]))<<8 }

func pktSum(p []byte) uint32 {
	n := uint32(0)
	for i := 0; i < 256 && i < len(p); i++ {
		n += uint32(p[i])
	}
	return n
}

func pktChecksum(p []byte) uint32 {
	if len(p) < 34 {
		return 0
	}
	ip := p[14:34]
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(be16(ip[i : i+2]))
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	return ^sum & 0xffff
}

func pktVLAN(p []byte) uint32 {
	off := 14
	proto := be16(p[12:])
	for i := 0; i < 3 && (proto == 0x8100 || proto == 0x88a8 || proto&1 == 1); i++ {
		if len(p) < off+4 {
			return 7
		}
		proto = be16(p[off+2:])
		off += 4
	}
	return uint32(proto) + uint32(off)<<16
}

func pktExtensions(p []byte) uint32 {
	if len(p) < 54 {
		return 0
	}
	next, rest := p[20], p[54:]
	n := uint32(0)
	for range 8 {
		switch next & 3 {
		case 0:
			return n<<8 | uint32(next)
		case 1:
			next, rest = rest[0], rest[8:]
		default:
			if len(rest) < 8 {
				return 0xff00 + n
			}
			next, rest = rest[0], rest[8+int(rest[1])*8:]
		}
		n++
	}
	return 0xfff0
}

type pktCursor struct {
	p   []byte
	off int
	err bool
}

func (c *pktCursor) u8() byte {
	if c.off >= len(c.p) {
		c.err = true
		return 0
	}
	v := c.p[c.off]
	c.off++
	return v
}

func (c *pktCursor) u16() uint16 {
	if c.off < 0 || len(c.p)-c.off < 2 {
		c.err = true
		return 0
	}
	v := be16(c.p[c.off:])
	c.off += 2
	return v
}

func pktParser(p []byte) uint32 {
	c := &pktCursor{p: p}
	a, b, d := c.u8(), c.u16(), c.u8()
	c.off += int(b & 15)
	e := c.u16()
	if c.err {
		return 0xee
	}
	return uint32(a) ^ uint32(b)<<4 ^ uint32(d)<<8 ^ uint32(e)
}

func pktArrays(p []byte) uint32 {
	src, dst := [4]byte(p[26:30]), [4]byte(p[30:34])
	if src == dst {
		return 1
	}
	key := [8]byte{src[3], src[2], src[1], src[0], dst[0], dst[1], dst[2], dst[3]}
	h := uint32(17)
	for _, b := range key {
		h = h*31 + uint32(b)
	}
	return h
}

func pktCopyOut(p []byte) uint32 {
	var buf [64]byte
	n := copy(buf[:], p)
	h := uint32(n)
	for i := range buf {
		h = h*31 + uint32(buf[i])
	}
	return h
}

func pktCopyIn(p []byte) uint32 {
	var buf [24]byte
	for i := range buf {
		buf[i] = byte(i * 7)
	}
	return uint32(copy(p[3:], buf[:])) + uint32(copy(p[1:9], buf[5:]))<<8
}

func pktOverlap(p []byte) uint32 {
	return uint32(copy(p[0:12], p[4:16])) + uint32(copy(p[2:40], p))<<8
}

func pktTTL(p []byte) uint32 {
	if len(p) < 34 || p[22] == 0 {
		return 1
	}
	p[22]--
	sum := uint32(be16(p[24:])) + 0x100
	put16(p[24:], uint16(sum+sum>>16))
	return 2
}

func pktRange(p []byte) uint32 {
	n := uint32(0)
	if len(p) > 40 {
		p = p[:40]
	}
	for i, b := range p {
		n = n*33 + uint32(i)*uint32(b)
	}
	return n
}

func pktWindow(p []byte) uint32 {
	lo, hi := int(p[0]&31), int(p[1]&63)
	w := p[lo:hi]
	return uint32(len(w)) + uint32(w[int(p[2]&7)])<<8
}

func pktMaybe(p []byte) uint32 {
	var q []byte
	if p[0]&1 == 1 {
		q = p[2:]
	}
	if len(q) < 3 {
		return 5
	}
	return uint32(q[2])
}

func pktChoice(p []byte) uint32 {
	q := p[1:]
	if p[0]&4 == 4 {
		q = p[5:20]
	}
	return uint32(q[3]) + uint32(len(q))<<8
}

func pktTwo(p []byte) uint32 {
	a, b := p, p
	for i := 0; i < 6; i++ {
		if i&1 == 0 {
			a = a[1:]
		} else {
			b = b[int(a[0]&3):]
		}
	}
	return uint32(a[0]) + uint32(b[0])<<8 + uint32(len(a)-len(b))<<16
}

func pktDNS(p []byte) uint32 {
	if len(p) < 12 {
		return 0
	}
	name := p[12:]
	h := uint32(5381)
	for range 6 {
		if len(name) == 0 {
			return 1
		}
		n := int(name[0] & 15)
		if n == 0 {
			break
		}
		if len(name) < n+1 {
			return 2
		}
		for i := 0; i < n; i++ {
			h = h*33 + uint32(name[1+i])
		}
		name = name[n+1:]
	}
	return h
}

func pktTrailer(p []byte) uint32 {
	n := len(p) - int(p[0]&15)
	return uint32(len(p[n:])) + uint32(p[n-1])<<8
}

func pktStride(p []byte) uint32 {
	n := uint32(0)
	for i := int(p[0] & 3); i+4 <= len(p) && i < 64; i += 4 {
		n ^= be32(p[i : i+4])
	}
	return n
}

func pktNested(p []byte) uint32 {
	a := p[2:]
	b := a[int(a[0]&7):]
	c := b[int(b[1]&7)+1:]
	d := c[:4]
	return uint32(d[3]) + uint32(len(d[1:3]))<<8 + uint32(cap(d)-len(c))<<16
}

func pktWide(p []byte) uint32 {
	v := uint64(p[1]) | uint64(p[2])<<8 | uint64(p[3])<<16 | uint64(p[4])<<24 | uint64(p[5])<<32 | uint64(p[6])<<40 | uint64(p[7])<<48 | uint64(p[8])<<56
	return uint32(v ^ v>>32)
}

func pktIndexOf(p []byte) uint32 {
	for i := 0; i < 100; i++ {
		if i >= len(p) {
			return 0xffff
		}
		if p[i] == 10 {
			return uint32(i)
		}
	}
	return 0xfffe
}

func pktEqual(p []byte) uint32 {
	want := [6]byte{1, 2, 3, 4, 5, 6}
	n := uint32(0)
	if [6]byte(p[:6]) == want {
		n++
	}
	if string(p[6:10]) == "GET " {
		n += 2
	}
	return n
}

func pktSigned(p []byte) uint32 {
	i := int(int8(p[0]))
	if i >= len(p) || i < -3 {
		return 1
	}
	return uint32(p[i+3])
}

func pktFill(p []byte) uint32 {
	clear(p[4:20])
	q := p[20:]
	for i := 0; i < len(q) && i < 12; i++ {
		q[i] = byte(i)
	}
	return 3
}

func pktTable(p []byte) uint32 {
	if len(p) < 20 {
		return 0
	}
	var a [4][]byte
	for i := range a {
		a[i] = p[3*i:]
	}
	j := int(p[0] & 3)
	if len(a[j]) > 40 {
		return uint32(a[j][40]) + uint32(len(a[j]))<<8
	}
	return uint32(a[j][int(p[1]&15)])
}

type pktHeaders struct {
	layers  [3][]byte
	n       int
	payload []byte
}

func (h *pktHeaders) push(p []byte, n int) []byte {
	h.layers[h.n%3] = p[:n]
	h.n++
	h.payload = p[n:]
	return h.payload
}

func pktLayers(p []byte) uint32 {
	var h pktHeaders
	rest := h.push(h.push(p, 14), 20)
	if len(rest) > 8 {
		h.push(rest, 8)
	}
	n := uint32(h.n) << 24
	for i, l := range h.layers {
		if len(l) > 4 {
			n += uint32(l[4]) << (8 * i)
		}
	}
	return n + uint32(len(h.payload))
}

type pktParts struct {
	eth *[14]byte
	tag *[4]byte
	l4  *[8]byte
}

func (h *pktParts) parse(p []byte) {
	if len(p) < 22 {
		return
	}
	h.eth = (*[14]byte)(p)
	if p[12]&1 != 0 {
		h.tag = (*[4]byte)(p[12:])
		p = p[4:]
	}
	if len(p) >= 22 {
		h.l4 = (*[8]byte)(p[14:])
	}
}

// pktAsked asks pointers that may be nil.
func pktAsked(p []byte) uint32 {
	var h pktParts
	h.parse(p)
	if h.eth == nil {
		return 1
	}
	n := uint32(h.eth[0])
	if h.tag != nil {
		n += uint32(h.tag[3]) << 8
	}
	if h.l4 == nil || h.l4[7] == 3 {
		return n | 1<<31
	}
	return n + uint32(h.l4[1])<<16
}

// pktNil follows pointers that may be nil.
func pktNil(p []byte) uint32 {
	var h pktParts
	h.parse(p)
	if p[0]&1 != 0 {
		return uint32(h.tag[0])
	}
	return uint32(h.l4[2])
}

func pktRest(p []byte, n int) []byte {
	if n > len(p) {
		return nil
	}
	return p[n:]
}

// pktNilSlice tells slices that are nil from those that are empty.
func pktNilSlice(p []byte) uint32 {
	q := pktRest(p, 16)
	for range 4 {
		if q == nil {
			return 1
		}
		if len(q) == 0 {
			return 2
		}
		if q[0]&1 == 0 {
			return 3 + uint32(len(q))
		}
		q = pktRest(q, int(q[0]))
	}
	if q != nil {
		return 4
	}
	return 5
}
