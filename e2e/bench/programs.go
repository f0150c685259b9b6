package bench

import "github.com/undergo-ebpf/undergo/ebpf"

// The programs, each with its twin of the same name in testdata/programs.c.

//ebpf:section xdp
func empty(ctx *ebpf.XDP) uint32 { return 0 }

//ebpf:section xdp
func parse(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 34 {
		return 1
	}
	if ebpf.Overlay[ebpf.Ethernet](pkt).Type.Uint16() != ebpf.EtherTypeIPv4 {
		return 2
	}
	ip := ebpf.Overlay[ebpf.IPv4](pkt[14:])
	hl := ip.HeaderLen()
	if hl < 20 || len(pkt) < 14+hl+8 {
		return 3
	}
	if ip.Protocol != ebpf.ProtocolUDP && ip.Protocol != ebpf.ProtocolTCP {
		return 4
	}
	ports := ebpf.Overlay[ebpf.UDP](pkt[14+hl:])
	return uint32(ports.SrcPort.Uint16())<<16 | uint32(ports.DstPort.Uint16())
}

//ebpf:section xdp
func router(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 34 {
		return 1
	}
	eth, ip := ebpf.Overlay[ebpf.Ethernet](pkt), ebpf.Overlay[ebpf.IPv4](pkt[14:])
	if eth.Type.Uint16() != ebpf.EtherTypeIPv4 || ip.TTL <= 1 {
		return 2
	}
	ip.TTL--
	sum := uint32(ip.Checksum.Uint16()) + 0x100
	ip.Checksum.Set(uint16(sum + sum>>16))
	eth.Src, eth.Dst = eth.Dst, eth.Src
	return 3
}

type flow struct {
	src, dst          uint32
	sport, dport      uint16
	protocol, _, _, _ uint8
}

var flows = ebpf.NewHash[flow, uint32](1024)

//ebpf:section xdp
func balance(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 42 {
		return 1
	}
	ip, udp := ebpf.Overlay[ebpf.IPv4](pkt[14:]), ebpf.Overlay[ebpf.UDP](pkt[34:])
	key := flow{src: ebpf.Be32(ip.Src).Uint32(), dst: ebpf.Be32(ip.Dst).Uint32(), sport: udp.SrcPort.Uint16(), dport: udp.DstPort.Uint16(), protocol: ip.Protocol}
	var backend uint32
	if v := flows.Lookup(key); v != nil {
		backend = *v
	} else {
		backend = (key.src*31+uint32(key.sport))%7 + 0x0a000001
		flows.Set(key, backend)
	}
	old := ebpf.Be32(ip.Dst)
	ip.Dst = ebpf.ToBe32(backend)
	ip.Checksum = ebpf.ChecksumReplace32(ip.Checksum, old, ebpf.Be32(ip.Dst))
	return backend
}

type bucket struct{ tokens, last uint64 }

var buckets = ebpf.NewArray[bucket](256)

//ebpf:section xdp
func limit(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	now := uint64(be32(pkt[40:44]))
	b := buckets.Lookup(uint32(pkt[29]))
	if b == nil {
		return 2
	}
	if now > b.last {
		b.tokens += (now - b.last) * 3
		if b.tokens > 1000 {
			b.tokens = 1000
		}
		b.last = now
	}
	if b.tokens < 10 {
		return 3
	}
	b.tokens -= 10
	return uint32(b.tokens)
}

var counts [4 * 256]uint32

//ebpf:section xdp
func sketch(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	key := be32(pkt[26:30])
	least := ^uint32(0)
	for row := uint32(0); row < 4; row++ {
		h := (key ^ row*0x9e3779b9) * 0x85ebca6b
		h ^= h >> 13
		n := &counts[row<<8|h&255]
		*n++
		if *n < least {
			least = *n
		}
	}
	return least
}

func be32(p []byte) uint32 {
	_ = p[3]
	return uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])
}

func le32(p []byte) uint32 {
	_ = p[3]
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

func le64(p []byte) uint64 { return uint64(le32(p)) | uint64(le32(p[4:]))<<32 }

func rot32(x uint32, n int) uint32 { return x<<n | x>>(32-n) }

func rot64(x uint64, n int) uint64 { return x<<n | x>>(64-n) }

//ebpf:section xdp
func jhash(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	a, b, c := le32(pkt[26:])+0xdeadbeef, le32(pkt[30:])+0xdeadbeef, le32(pkt[34:])+0xdeadbeef
	c ^= b
	c -= rot32(b, 14)
	a ^= c
	a -= rot32(c, 11)
	b ^= a
	b -= rot32(a, 25)
	c ^= b
	c -= rot32(b, 16)
	a ^= c
	a -= rot32(c, 4)
	b ^= a
	b -= rot32(a, 14)
	c ^= b
	c -= rot32(b, 24)
	return c
}

//ebpf:section xdp
func siphash(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	v0, v1, v2, v3 := uint64(0x736f6d6570736575), uint64(0x646f72616e646f6d), uint64(0x6c7967656e657261), uint64(0x7465646279746573)
	for i := 0; i < 4; i++ {
		m := uint64(4) << 56
		if i < 2 {
			m = le64(pkt[24+8*i:])
		}
		v3 ^= m
		v0 += v1
		v1 = rot64(v1, 13) ^ v0
		v0 = rot64(v0, 32)
		v2 += v3
		v3 = rot64(v3, 16) ^ v2
		v0 += v3
		v3 = rot64(v3, 21) ^ v0
		v2 += v1
		v1 = rot64(v1, 17) ^ v2
		v2 = rot64(v2, 32)
		v0 ^= m
	}
	h := v0 ^ v1 ^ v2 ^ v3
	return uint32(h ^ h>>32)
}

// The CRC-32 of the IEEE of 4 bits.
var nibbles = [16]uint32{
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
}

//ebpf:section xdp
func crc32(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	crc := ^uint32(0)
	for i := 0; i < 32; i++ {
		crc ^= uint32(pkt[i])
		crc = crc>>4 ^ nibbles[crc&15]
		crc = crc>>4 ^ nibbles[crc&15]
	}
	return ^crc
}

//ebpf:section xdp
func fnv(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	h := uint64(14695981039346656037)
	for i := 0; i < 64; i++ {
		h = (h ^ uint64(pkt[i])) * 1099511628211
	}
	return uint32(h ^ h>>32)
}

//ebpf:section xdp
func dns(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 54 {
		return 1
	}
	name := pkt[42:]
	h := uint32(5381)
	for range 8 {
		if len(name) < 1 {
			return 2
		}
		n := int(name[0] & 15)
		if n == 0 {
			break
		}
		if len(name) < n+1 {
			return 3
		}
		for i := 1; i <= n; i++ {
			h = h*33 ^ uint32(name[i]|0x20)
		}
		name = name[n+1:]
	}
	return h
}

//ebpf:section xdp
func varint(ctx *ebpf.XDP) uint32 {
	p := ctx.Data()
	sum := uint64(0)
	for range 6 {
		v := uint64(0)
		for s := 0; s < 63; s += 7 {
			if len(p) < 1 {
				return 1
			}
			b := p[0]
			p = p[1:]
			v |= uint64(b&0x7f) << s
			if b < 0x80 {
				break
			}
		}
		sum += v
	}
	return uint32(sum ^ sum>>32)
}

//ebpf:section xdp
func hex(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	v := uint32(0)
	for i := 0; i < 8; i++ {
		c := pkt[14+i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 2
		}
		v = v<<4 | uint32(c)
	}
	return v
}

// vlan takes away the tag of a packet, or gives it one.
//
//ebpf:section xdp
func vlan(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 18 {
		return 1
	}
	addrs := [12]byte(pkt)
	if pkt[12] == 0x81 && pkt[13] == 0 {
		id := uint32(pkt[14])<<8 | uint32(pkt[15])
		if ctx.AdjustHead(4) != nil {
			return 3
		}
		if pkt = ctx.Data(); len(pkt) < 12 {
			return 4
		}
		copy(pkt, addrs[:])
		return id & 0xfff
	}
	if ctx.AdjustHead(-4) != nil {
		return 3
	}
	if pkt = ctx.Data(); len(pkt) < 16 {
		return 4
	}
	copy(pkt, addrs[:])
	pkt[12], pkt[13], pkt[14], pkt[15] = 0x81, 0, 0, 42
	return 2
}

var tunnels = ebpf.NewHash[flow, uint32](1024)

// tunnel sends a packet to the backend of its connection by a header of IPv4 in front of
// it, or takes that away.
//
//ebpf:section xdp
func tunnel(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 42 {
		return 1
	}
	eth, ip := *ebpf.Overlay[ebpf.Ethernet](pkt), ebpf.Overlay[ebpf.IPv4](pkt[14:])
	if ip.Protocol == 4 {
		if ctx.AdjustHead(20) != nil {
			return 2
		}
		if pkt = ctx.Data(); len(pkt) < 14 {
			return 3
		}
		*ebpf.Overlay[ebpf.Ethernet](pkt) = eth
		return 4
	}
	udp := ebpf.Overlay[ebpf.UDP](pkt[34:])
	key := flow{src: ebpf.Be32(ip.Src).Uint32(), dst: ebpf.Be32(ip.Dst).Uint32(), sport: udp.SrcPort.Uint16(), dport: udp.DstPort.Uint16(), protocol: ip.Protocol}
	var backend uint32
	if v := tunnels.Lookup(key); v != nil {
		backend = *v
	} else {
		backend = (key.src*31+uint32(key.sport))%7 + 0x0a000001
		tunnels.Set(key, backend)
	}
	length := ip.Length.Uint16() + 20
	if ctx.AdjustHead(-20) != nil {
		return 2
	}
	if pkt = ctx.Data(); len(pkt) < 34 {
		return 3
	}
	*ebpf.Overlay[ebpf.Ethernet](pkt) = eth
	outer := ebpf.Overlay[ebpf.IPv4](pkt[14:])
	*outer = ebpf.IPv4{VersionIHL: 0x45, Length: ebpf.ToBe16(length), TTL: 64, Protocol: 4, Src: [4]byte{10, 0, 0, 254}, Dst: ebpf.ToBe32(backend)}
	outer.Checksum = ebpf.Checksum(pkt[14:34])
	return backend
}

// Transitions of a connection by flags of TCP: FIN, SYN, RST, ACK.
var transitions = [6][4]uint8{
	{0, 1, 0, 0},
	{5, 1, 0, 2},
	{3, 2, 0, 2},
	{4, 3, 0, 4},
	{4, 4, 0, 5},
	{5, 1, 0, 5},
}

//ebpf:section xdp
func tcpstate(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	state := uint8(0)
	for i := 0; i < 16; i++ {
		flags := pkt[40+i]
		event := 3
		switch {
		case flags&4 != 0:
			event = 2
		case flags&1 != 0:
			event = 0
		case flags&2 != 0:
			event = 1
		}
		if state < 6 {
			state = transitions[state][event]
		}
	}
	return uint32(state)
}

//ebpf:section xdp
func sort(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	var a [8]uint32
	for i := range a {
		a[i] = uint32(pkt[16+i])
	}
	for i := 1; i < 8; i++ {
		for j := i; j > 0 && a[j-1] > a[j]; j-- {
			a[j-1], a[j] = a[j], a[j-1]
		}
	}
	return a[0] | a[3]<<8 | a[4]<<16 | a[7]<<24
}

//ebpf:section xdp
func matrix(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	var a, b [4][4]uint32
	for i := 0; i < 4; i++ {
		for j := 0; j < 4; j++ {
			a[i][j] = uint32(pkt[16+4*i+j])
			b[i][j] = uint32(pkt[32+4*i+j])
		}
	}
	sum := uint32(0)
	for i := 0; i < 4; i++ {
		for j := 0; j < 4; j++ {
			x := uint32(0)
			for k := 0; k < 4; k++ {
				x += a[i][k] * b[k][j]
			}
			sum = sum*31 + x
		}
	}
	return sum
}

//ebpf:section xdp
func divide(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	a, b := int64(le64(pkt[16:])), int64(le64(pkt[24:]))
	c, d := int32(le32(pkt[32:])), int32(le32(pkt[36:]))
	if b == 0 || d == 0 || b == -1 || d == -1 {
		return 2
	}
	x := a/b + a%b + int64(uint64(a)/uint64(b))
	y := c/d + c%d + int32(uint32(c)%uint32(d)) + c/10 + c%7
	return uint32(x) ^ uint32(x>>32) ^ uint32(y)
}

var seen, total, odd, largest uint64

//ebpf:section xdp
func globals(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 14 {
		return 1
	}
	seen++
	total += uint64(pkt[3])
	if pkt[5]&1 == 1 {
		odd++
	}
	if uint64(pkt[4]) > largest {
		largest = uint64(pkt[4])
	}
	return uint32(seen + total + odd + largest)
}

//go:noinline
func mix(a, b, c uint64) uint64 {
	for range 4 {
		a = (a ^ b>>7) * 0x9e3779b97f4a7c15
		b = (b + c<<3) ^ a>>11
		c = c*5 + b
	}
	return a ^ b ^ c
}

//ebpf:section xdp
func calls(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	x := mix(uint64(pkt[1]), uint64(pkt[2]), uint64(pkt[3]))
	x = mix(x, uint64(pkt[4]), uint64(pkt[5]))
	x = mix(x, uint64(pkt[6]), x>>3)
	return uint32(x ^ x>>32)
}

//ebpf:section xdp
func prefix(ctx *ebpf.XDP) uint32 {
	pkt := ctx.Data()
	if len(pkt) < 64 {
		return 1
	}
	p := pkt[14:]
	switch {
	case string(p[:4]) == "GET ":
		return 2
	case string(p[:5]) == "POST ":
		return 3
	case string(p[:8]) == "OPTIONS ":
		return 4
	case string(p[:7]) == "DELETE ":
		return 5
	}
	return 6
}
