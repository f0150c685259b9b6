typedef unsigned long long u64;
typedef unsigned u32;
static u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static u64 (*bpf_get_current_uid_gid)(void) = (void *)15;
static u32 (*bpf_get_smp_processor_id)(void) = (void *)8;
static u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static long (*bpf_trace_printk)(const char *fmt, unsigned size, ...) = (void *)6;
#define inline inline __attribute__((always_inline))

struct digest { u64 v0, v1, v2, v3; };

static inline u64 rotl(u64 x, u32 n) { return x << n | x >> (64 - n); }

static inline void sip(struct digest *d)
{
	d->v0 += d->v1; d->v2 += d->v3;
	d->v1 = rotl(d->v1, 13); d->v3 = rotl(d->v3, 16);
	d->v1 ^= d->v0; d->v3 ^= d->v2;
	d->v0 = rotl(d->v0, 32);
	d->v2 += d->v1; d->v0 += d->v3;
	d->v1 = rotl(d->v1, 17); d->v3 = rotl(d->v3, 21);
	d->v1 ^= d->v2; d->v3 ^= d->v0;
	d->v2 = rotl(d->v2, 32);
}

static inline void add(struct digest *d, u64 m)
{
	d->v3 ^= m; sip(d); sip(d); d->v0 ^= m;
}

static inline u64 sum(struct digest *d)
{
	d->v2 ^= 0xff;
	sip(d); sip(d); sip(d); sip(d);
	return d->v0 ^ d->v1 ^ d->v2 ^ d->v3;
}

struct event { u32 pid, tid, uid, gid, cpu; u64 when; u64 words[4]; };

static inline struct event collect(void)
{
	struct event e = {};
	u64 id = bpf_get_current_pid_tgid(), who;
	e.pid = id >> 32; e.tid = id;
	who = bpf_get_current_uid_gid();
	e.uid = who; e.gid = who >> 32;
	e.cpu = bpf_get_smp_processor_id();
	e.when = bpf_ktime_get_ns();
	for (int i = 0; i < 4; i++)
		e.words[i] = e.when * (i + 1) + e.pid;
	return e;
}

static inline int class(struct event *e)
{
	if (e->uid == 0) return 0;
	if (e->uid < 1000) return 1;
	if (e->pid == e->tid) return 2;
	return 3;
}

static inline int bucket(u64 x)
{
	int b = 0;
	for (u32 n = 32; n > 0; n >>= 1)
		if (x >> n) { x >>= n; b += n; }
	return b;
}

__attribute__((section("tracepoint/syscalls/sys_enter_write"), used))
int large(void *ctx)
{
	static const char fmt[] = "event %llx of %u on %u\n";
	struct event e = collect();
	struct digest d = {0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573};
	add(&d, (u64)e.pid << 32 | e.tid);
	add(&d, (u64)e.uid << 32 | e.gid);
	for (int i = 0; i < 4; i++)
		add(&d, e.words[i]);
	long counts[4] = {};
	counts[class(&e)] += bucket(e.when);
	u64 h = sum(&d);
	if (counts[0] > 40 || h % 16 == 0)
		bpf_trace_printk(fmt, sizeof(fmt), h, e.pid, e.cpu);
	return 0;
}

char _license[] __attribute__((section("license"), used)) = "GPL";
