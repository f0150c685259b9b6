// The twins of programs.go, as a programmer of C writes them.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

struct xdp_md { u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex; };

#define SEC(name) __attribute__((section(name), used))
#define inline inline __attribute__((always_inline))
#define DATA(min, otherwise) \
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end; \
	if (p + (min) > end) \
		return otherwise

// keep stops clang from computing what x is used for from something else than x, of which the
// verifier then knows nothing.
#define keep(x) asm volatile("" : "+r"(x))

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*adjust_head)(struct xdp_md *ctx, int delta) = (void *)44;
static long (*map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;

struct eth { u8 dst[6], src[6]; u16 type; };
struct ip { u8 vihl, tos; u16 len, id, frag; u8 ttl, proto; u16 check; u32 src, dst; };

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("xdp") int empty(struct xdp_md *ctx) { return 0; }

SEC("xdp") int parse(struct xdp_md *ctx)
{
	DATA(34, 1);
	struct eth *eth = (void *)p;
	if (eth->type != __builtin_bswap16(0x800))
		return 2;
	struct ip *ip = (void *)(p + 14);
	u32 hl = (ip->vihl & 15) * 4;
	if (hl < 20 || p + 14 + hl + 8 > end)
		return 3;
	if (ip->proto != 17 && ip->proto != 6)
		return 4;
	u16 *ports = (void *)(p + 14 + hl);
	return __builtin_bswap16(ports[0]) << 16 | __builtin_bswap16(ports[1]);
}

SEC("xdp") int router(struct xdp_md *ctx)
{
	DATA(34, 1);
	struct eth *eth = (void *)p;
	struct ip *ip = (void *)(p + 14);
	if (eth->type != __builtin_bswap16(0x800) || ip->ttl <= 1)
		return 2;
	ip->ttl--;
	u32 sum = __builtin_bswap16(ip->check) + 0x100;
	ip->check = __builtin_bswap16(sum + (sum >> 16));
	u8 mac[6];
	__builtin_memcpy(mac, eth->src, 6);
	__builtin_memcpy(eth->src, eth->dst, 6);
	__builtin_memcpy(eth->dst, mac, 6);
	return 3;
}

struct flow { u32 src, dst; u16 sport, dport; u8 proto, pad[3]; };

struct {
	int (*type)[1];
	struct flow *key;
	u32 *value;
	int (*max_entries)[1024];
} flows SEC(".maps");

static inline u16 fold(u32 sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

SEC("xdp") int balance(struct xdp_md *ctx)
{
	DATA(42, 1);
	struct ip *ip = (void *)(p + 14);
	u16 *udp = (void *)(p + 34);
	struct flow key = {};
	key.src = __builtin_bswap32(ip->src);
	key.dst = __builtin_bswap32(ip->dst);
	key.sport = __builtin_bswap16(udp[0]);
	key.dport = __builtin_bswap16(udp[1]);
	key.proto = ip->proto;
	u32 backend, *v = map_lookup(&flows, &key);
	if (v) {
		backend = *v;
	} else {
		backend = (key.src * 31 + key.sport) % 7 + 0x0a000001;
		map_update(&flows, &key, &backend, 0);
	}
	u32 old = __builtin_bswap32(ip->dst);
	ip->dst = __builtin_bswap32(backend);
	u32 sum = (u16)~__builtin_bswap16(ip->check);
	sum += (~old >> 16) + (~old & 0xffff) + (backend >> 16) + (backend & 0xffff);
	ip->check = __builtin_bswap16(fold(sum));
	return backend;
}

struct bucket { u64 tokens, last; };

struct {
	int (*type)[2];
	u32 *key;
	struct bucket *value;
	int (*max_entries)[256];
} buckets SEC(".maps");

SEC("xdp") int limit(struct xdp_md *ctx)
{
	DATA(64, 1);
	u64 now = __builtin_bswap32(*(u32 *)(p + 40));
	u32 i = p[29];
	struct bucket *b = map_lookup(&buckets, &i);
	if (!b)
		return 2;
	if (now > b->last) {
		b->tokens += (now - b->last) * 3;
		if (b->tokens > 1000)
			b->tokens = 1000;
		b->last = now;
	}
	if (b->tokens < 10)
		return 3;
	b->tokens -= 10;
	return b->tokens;
}

static u32 counts[4 * 256];

SEC("xdp") int sketch(struct xdp_md *ctx)
{
	DATA(64, 1);
	u32 key = __builtin_bswap32(*(u32 *)(p + 26)), least = ~0u;
	for (u32 row = 0; row < 4; row++) {
		u32 h = (key ^ row * 0x9e3779b9) * 0x85ebca6b;
		h ^= h >> 13;
		u32 *n = &counts[row << 8 | (h & 255)];
		++*n;
		if (*n < least)
			least = *n;
	}
	return least;
}

static inline u32 rot32(u32 x, int n) { return x << n | x >> (32 - n); }
static inline u64 rot64(u64 x, int n) { return x << n | x >> (64 - n); }

SEC("xdp") int jhash(struct xdp_md *ctx)
{
	DATA(64, 1);
	u32 a = *(u32 *)(p + 26) + 0xdeadbeef, b = *(u32 *)(p + 30) + 0xdeadbeef, c = *(u32 *)(p + 34) + 0xdeadbeef;
	c ^= b; c -= rot32(b, 14);
	a ^= c; a -= rot32(c, 11);
	b ^= a; b -= rot32(a, 25);
	c ^= b; c -= rot32(b, 16);
	a ^= c; a -= rot32(c, 4);
	b ^= a; b -= rot32(a, 14);
	c ^= b; c -= rot32(b, 24);
	return c;
}

SEC("xdp") int siphash(struct xdp_md *ctx)
{
	DATA(64, 1);
	u64 v0 = 0x736f6d6570736575, v1 = 0x646f72616e646f6d, v2 = 0x6c7967656e657261, v3 = 0x7465646279746573;
	for (int i = 0; i < 4; i++) {
		u64 m = 4ull << 56;
		if (i < 2)
			m = *(u64 *)(p + 24 + 8 * i);
		v3 ^= m;
		v0 += v1; v1 = rot64(v1, 13) ^ v0; v0 = rot64(v0, 32);
		v2 += v3; v3 = rot64(v3, 16) ^ v2;
		v0 += v3; v3 = rot64(v3, 21) ^ v0;
		v2 += v1; v1 = rot64(v1, 17) ^ v2; v2 = rot64(v2, 32);
		v0 ^= m;
	}
	u64 h = v0 ^ v1 ^ v2 ^ v3;
	return h ^ h >> 32;
}

static const u32 nibbles[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

SEC("xdp") int crc32(struct xdp_md *ctx)
{
	DATA(64, 1);
	u32 crc = ~0u;
	for (int i = 0; i < 32; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}

SEC("xdp") int fnv(struct xdp_md *ctx)
{
	DATA(64, 1);
	u64 h = 14695981039346656037ull;
	for (int i = 0; i < 64; i++)
		h = (h ^ p[i]) * 1099511628211ull;
	return h ^ h >> 32;
}

SEC("xdp") int dns(struct xdp_md *ctx)
{
	DATA(54, 1);
	u32 off = 42, h = 5381;
	for (int l = 0; l < 8; l++) {
		u8 *name = p + off;
		if (name + 1 > end)
			return 2;
		u32 n = name[0] & 15;
		if (n == 0)
			break;
		off += n + 1;
		for (u32 i = 1; i <= 15 && i <= n; i++) {
			u8 *c = name + i;
			keep(c);
			if (c + 1 > end)
				return 3;
			h = h * 33 ^ (*c | 0x20);
		}
	}
	return h;
}

SEC("xdp") int varint(struct xdp_md *ctx)
{
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	u64 sum = 0;
	for (int n = 0; n < 6; n++) {
		u64 v = 0;
		for (int s = 0; s < 63; s += 7) {
			if (p + 1 > end)
				return 1;
			u8 b = *p++;
			v |= (u64)(b & 0x7f) << s;
			if (b < 0x80)
				break;
		}
		sum += v;
	}
	return sum ^ sum >> 32;
}

SEC("xdp") int hex(struct xdp_md *ctx)
{
	DATA(64, 1);
	u32 v = 0;
	for (int i = 0; i < 8; i++) {
		u8 c = p[14 + i];
		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return 2;
		v = v << 4 | c;
	}
	return v;
}

// BOUNDS sets p and end anew after a call of adjust_head.
#define BOUNDS(min, otherwise) \
	p = (u8 *)(long)ctx->data, end = (u8 *)(long)ctx->data_end; \
	if (p + (min) > end) \
		return otherwise

SEC("xdp") int vlan(struct xdp_md *ctx)
{
	DATA(18, 1);
	u8 addrs[12];
	__builtin_memcpy(addrs, p, 12);
	if (p[12] == 0x81 && p[13] == 0) {
		u32 id = p[14] << 8 | p[15];
		if (adjust_head(ctx, 4))
			return 3;
		BOUNDS(12, 4);
		__builtin_memcpy(p, addrs, 12);
		return id & 0xfff;
	}
	if (adjust_head(ctx, -4))
		return 3;
	BOUNDS(16, 4);
	__builtin_memcpy(p, addrs, 12);
	p[12] = 0x81; p[13] = 0; p[14] = 0; p[15] = 42;
	return 2;
}

struct {
	int (*type)[1];
	struct flow *key;
	u32 *value;
	int (*max_entries)[1024];
} tunnels SEC(".maps");

SEC("xdp") int tunnel(struct xdp_md *ctx)
{
	DATA(42, 1);
	struct eth eth = *(struct eth *)p;
	struct ip *ip = (void *)(p + 14);
	if (ip->proto == 4) {
		if (adjust_head(ctx, 20))
			return 2;
		BOUNDS(14, 3);
		*(struct eth *)p = eth;
		return 4;
	}
	u16 *udp = (void *)(p + 34);
	struct flow key = {};
	key.src = __builtin_bswap32(ip->src);
	key.dst = __builtin_bswap32(ip->dst);
	key.sport = __builtin_bswap16(udp[0]);
	key.dport = __builtin_bswap16(udp[1]);
	key.proto = ip->proto;
	u32 backend, *v = map_lookup(&tunnels, &key);
	if (v) {
		backend = *v;
	} else {
		backend = (key.src * 31 + key.sport) % 7 + 0x0a000001;
		map_update(&tunnels, &key, &backend, 0);
	}
	u16 length = __builtin_bswap16(ip->len) + 20;
	if (adjust_head(ctx, -20))
		return 2;
	BOUNDS(34, 3);
	*(struct eth *)p = eth;
	struct ip *outer = (void *)(p + 14);
	outer->vihl = 0x45;
	outer->tos = 0;
	outer->len = __builtin_bswap16(length);
	outer->id = 0;
	outer->frag = 0;
	outer->ttl = 64;
	outer->proto = 4;
	outer->check = 0;
	outer->src = __builtin_bswap32(0x0a0000fe);
	outer->dst = __builtin_bswap32(backend);
	u16 *words = (void *)outer;
	u32 sum = 0;
	for (int i = 0; i < 10; i++)
		sum += words[i];
	outer->check = fold(sum);
	return backend;
}

static const u8 transitions[6][4] = {
	{0, 1, 0, 0}, {5, 1, 0, 2}, {3, 2, 0, 2}, {4, 3, 0, 4}, {4, 4, 0, 5}, {5, 1, 0, 5},
};

SEC("xdp") int tcpstate(struct xdp_md *ctx)
{
	DATA(64, 1);
	u8 state = 0;
	for (int i = 0; i < 16; i++) {
		u8 flags = p[40 + i];
		int event = 3;
		if (flags & 4)
			event = 2;
		else if (flags & 1)
			event = 0;
		else if (flags & 2)
			event = 1;
		if (state < 6)
			state = transitions[state][event];
	}
	return state;
}

SEC("xdp") int sort(struct xdp_md *ctx)
{
	DATA(64, 1);
	u32 a[8];
	for (int i = 0; i < 8; i++)
		a[i] = p[16 + i];
	for (int i = 1; i < 8; i++)
		for (int j = i; j > 0 && a[j - 1] > a[j]; j--) {
			u32 t = a[j - 1];
			a[j - 1] = a[j];
			a[j] = t;
		}
	return a[0] | a[3] << 8 | a[4] << 16 | a[7] << 24;
}

SEC("xdp") int matrix(struct xdp_md *ctx)
{
	DATA(64, 1);
	u32 a[4][4], b[4][4], sum = 0;
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			a[i][j] = p[16 + 4 * i + j];
			b[i][j] = p[32 + 4 * i + j];
		}
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			u32 x = 0;
			for (int k = 0; k < 4; k++)
				x += a[i][k] * b[k][j];
			sum = sum * 31 + x;
		}
	return sum;
}

#if __BPF_CPU_VERSION__ >= 4 // before, clang refuses to divide signed numbers
SEC("xdp") int divide(struct xdp_md *ctx)
{
	DATA(64, 1);
	s64 a = *(s64 *)(p + 16), b = *(s64 *)(p + 24);
	s32 c = *(s32 *)(p + 32), d = *(s32 *)(p + 36);
	if (b == 0 || d == 0 || b == -1 || d == -1)
		return 2;
	s64 x = a / b + a % b + (s64)((u64)a / (u64)b);
	s32 y = c / d + c % d + (s32)((u32)c % (u32)d) + c / 10 + c % 7;
	return (u32)x ^ (u32)(x >> 32) ^ (u32)y;
}
#endif

static u64 seen, total, odd, largest;

SEC("xdp") int globals(struct xdp_md *ctx)
{
	DATA(14, 1);
	seen++;
	total += p[3];
	if (p[5] & 1)
		odd++;
	if (p[4] > largest)
		largest = p[4];
	return seen + total + odd + largest;
}

static __attribute__((noinline)) u64 mix(u64 a, u64 b, u64 c)
{
	for (int i = 0; i < 4; i++) {
		a = (a ^ b >> 7) * 0x9e3779b97f4a7c15;
		b = (b + (c << 3)) ^ a >> 11;
		c = c * 5 + b;
	}
	return a ^ b ^ c;
}

SEC("xdp") int calls(struct xdp_md *ctx)
{
	DATA(64, 1);
	u64 x = mix(p[1], p[2], p[3]);
	x = mix(x, p[4], p[5]);
	x = mix(x, p[6], x >> 3);
	return x ^ x >> 32;
}

SEC("xdp") int prefix(struct xdp_md *ctx)
{
	DATA(64, 1);
	p += 14;
	if (!__builtin_memcmp(p, "GET ", 4))
		return 2;
	if (!__builtin_memcmp(p, "POST ", 5))
		return 3;
	if (!__builtin_memcmp(p, "OPTIONS ", 8))
		return 4;
	if (!__builtin_memcmp(p, "DELETE ", 7))
		return 5;
	return 6;
}
