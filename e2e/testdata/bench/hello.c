typedef unsigned long long u64;
static u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_trace_printk)(const char *fmt, unsigned size, ...) = (void *)6;

__attribute__((section("tracepoint/syscalls/sys_enter_write"), used))
int hello(void *ctx)
{
	static const char fmt[] = "BPF triggered sys_enter_write from PID %llu.\n";
	u64 pid = bpf_get_current_pid_tgid() >> 32;
	if (pid)
		bpf_trace_printk(fmt, sizeof(fmt), pid);
	return 0;
}

char _license[] __attribute__((section("license"), used)) = "GPL";
