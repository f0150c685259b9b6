package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// This file reads helpers.tsv and checks it against the header.

// A row is what the header does not say of a helper. The columns are described
// at the head of helpers.tsv.
type row struct {
	kernel  string
	gpl     bool
	types   []string
	args    []string
	ret     string
	effects []string
}

// programTypes are libbpf's names of the program types: enum bpf_prog_type in
// lower case without BPF_PROG_TYPE_. "ext" is missing since an extension has
// the helpers of the program it extends.
var programTypes = []string{
	"socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp", "perf_event",
	"cgroup_skb", "cgroup_sock", "lwt_in", "lwt_out", "lwt_xmit", "sock_ops", "sk_skb",
	"cgroup_device", "sk_msg", "raw_tracepoint", "cgroup_sock_addr", "lwt_seg6local",
	"lirc_mode2", "sk_reuseport", "flow_dissector", "cgroup_sysctl", "raw_tracepoint_writable",
	"cgroup_sockopt", "tracing", "struct_ops", "lsm", "sk_lookup", "syscall", "netfilter",
}

var (
	kernelForm = regexp.MustCompile(`^[3-9]\.\d+$`)
	argForm    = regexp.MustCompile(`^(scalar|const|size0?|ctx\??|ctx\|sock\??|map|key|value\??|outvalue|` +
		`(in|out|inout)(:[2-5]\??|=\d+)|str|fn|fnctx\?|sock[?!]?|btf(:\w+)?\??!?|percpu|ringmem!|kptr|` +
		`spinlock|timer|dynptr!?|outdynptr)$`)
	retForm    = regexp.MustCompile(`^(scalar|void|mapvalue\??|sock\?|tcpsock\?|btf(:\w+)?\??|percpu\??|ringmem\?|dynmem\?)$`)
	effectForm = regexp.MustCompile(`^(pkt|pktmem|sleep|acquire)$`)
)

// readTable returns the rows of a table file by helper name.
func readTable(path string) (map[string]row, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows := make(map[string]row)
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, r, err := parseRow(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if _, dup := rows[name]; dup {
			return nil, fmt.Errorf("%s:%d: second row for %s", path, n, name)
		}
		rows[name] = r
	}
	return rows, nil
}

func parseRow(line string) (name string, r row, err error) {
	col := strings.Split(line, "\t")
	if len(col) != 7 {
		return "", row{}, fmt.Errorf("%d columns, want 7", len(col))
	}
	list := func(s string) []string {
		if s == "-" {
			return nil
		}
		return strings.Split(s, ",")
	}
	r = row{
		kernel:  col[1],
		gpl:     col[2] == "gpl",
		types:   list(col[3]),
		args:    list(col[4]),
		ret:     col[5],
		effects: list(col[6]),
	}
	if !kernelForm.MatchString(r.kernel) {
		return "", row{}, fmt.Errorf("kernel %q", r.kernel)
	}
	if col[2] != "gpl" && col[2] != "-" {
		return "", row{}, fmt.Errorf("gpl %q", col[2])
	}
	for _, t := range r.types {
		if t != "all" && !slices.Contains(programTypes, t) {
			return "", row{}, fmt.Errorf("program type %q", t)
		}
	}
	for i, a := range r.args {
		if !argForm.MatchString(a) {
			return "", row{}, fmt.Errorf("argument kind %q", a)
		}
		if err := checkSize(r.args, i); err != nil {
			return "", row{}, err
		}
	}
	if !retForm.MatchString(r.ret) {
		return "", row{}, fmt.Errorf("result kind %q", r.ret)
	}
	for _, e := range r.effects {
		if !effectForm.MatchString(e) {
			return "", row{}, fmt.Errorf("effect %q", e)
		}
	}
	return col[0], r, nil
}

// checkSize checks that a memory argument names a size argument.
func checkSize(args []string, i int) error {
	_, n, ok := strings.Cut(strings.TrimSuffix(args[i], "?"), ":")
	if !ok || strings.HasPrefix(args[i], "btf") {
		return nil
	}
	at := int(n[0] - '1')
	if at >= len(args) || !strings.HasPrefix(args[at], "size") {
		return fmt.Errorf("argument %s: argument %s is not a size", args[i], n)
	}
	return nil
}

// join gives every helper its row and its shape, and reports helpers without them,
// and those without a helper.
func join(helpers []*helper, rows map[string]row, shapes map[string]shape) error {
	known := make(map[string]bool)
	for _, h := range helpers {
		r, ok := rows[h.name]
		if !ok {
			return fmt.Errorf("helpers.tsv: no row for helper %s (%d)", h.name, h.id)
		}
		s, ok := shapes[h.name]
		if !ok {
			return fmt.Errorf("helpers.txt: no entry for helper %s (%d)", h.name, h.id)
		}
		known[h.name] = true
		h.row, h.shape = r, s
		if h.varied {
			for i := len(h.params); i < len(r.args); i++ {
				h.params = append(h.params, param{ctype: "u64", name: fmt.Sprintf("arg%d", i+1)})
			}
		}
		if len(r.args) != len(h.params) {
			return fmt.Errorf("helpers.tsv: %s: %d argument kinds, %d parameters in bpf.h", h.name, len(r.args), len(h.params))
		}
		if err := h.check(); err != nil {
			return err
		}
	}
	var stray []string
	for name := range rows {
		if !known[name] {
			stray = append(stray, name)
		}
	}
	for name := range shapes {
		if !known[name] {
			stray = append(stray, name)
		}
	}
	if len(stray) > 0 {
		slices.Sort(stray)
		return fmt.Errorf("helpers.tsv, helpers.txt: not in bpf.h: %s", strings.Join(slices.Compact(stray), ", "))
	}
	return nil
}
