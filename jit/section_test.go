package jit

import (
	"testing"

	cebpf "github.com/cilium/ebpf"
)

func TestFindSection(t *testing.T) {
	tests := []struct {
		name   string
		typ    cebpf.ProgramType
		attach cebpf.AttachType
		target string
		fails  bool
	}{
		{name: "tracepoint/syscalls/sys_enter_write", typ: cebpf.TracePoint, target: "syscalls/sys_enter_write"},
		{name: "tp/sched/sched_switch", typ: cebpf.TracePoint, target: "sched/sched_switch"},
		{name: "tracepoint", typ: cebpf.TracePoint},
		{name: "raw_tp/sys_enter", typ: cebpf.RawTracepoint, target: "sys_enter"},
		{name: "xdp", typ: cebpf.XDP, attach: cebpf.AttachXDP},
		{name: "xdp/eth0", typ: cebpf.XDP, attach: cebpf.AttachXDP, target: "eth0"},
		{name: "xdp.frags/eth0", typ: cebpf.XDP, attach: cebpf.AttachXDP, target: "eth0"},
		{name: "xdp.frags/devmap", typ: cebpf.XDP, attach: cebpf.AttachXDPDevMap},
		{name: "xdp/devmap", typ: cebpf.XDP, attach: cebpf.AttachXDPDevMap},
		{name: "fentry/vfs_read", typ: cebpf.Tracing, attach: cebpf.AttachTraceFEntry, target: "vfs_read"},
		{name: "lsm.s/file_open", typ: cebpf.LSM, attach: cebpf.AttachLSMMac, target: "file_open"},
		{name: "uprobe//bin/bash:readline", typ: cebpf.Kprobe, target: "/bin/bash:readline"},
		{name: "kprobe.multi/tcp_*", typ: cebpf.Kprobe, attach: cebpf.AttachTraceKprobeMulti, target: "tcp_*"},
		{name: "cgroup/connect4", typ: cebpf.CGroupSockAddr, attach: cebpf.AttachCGroupInet4Connect},
		{name: "fentry", fails: true},
		{name: "fentry/", fails: true},
		{name: "syscall/x", fails: true},
		{name: "tracepoints/a/b", fails: true},
		{name: "", fails: true},
	}
	for _, test := range tests {
		row, target, problem := findSection(test.name)
		if test.fails {
			if row != nil || problem == "" {
				t.Errorf("%q: got %v, want a problem", test.name, row)
			}
			continue
		}
		if row == nil || row.typ != test.typ || row.attach != test.attach || target != test.target {
			t.Errorf("%q: got %+v, target %q, %s", test.name, row, target, problem)
		}
	}
}

// TestSectionTable checks the order of the table and the names of the types.
func TestSectionTable(t *testing.T) {
	for _, s := range sections {
		name := s.name
		if s.target == mustTarget {
			name += "/x"
		}
		if row, _, _ := findSection(name); row == nil || row.name != s.name {
			t.Errorf("section %s is found as %+v", s.name, row)
		}
	}
}

func TestSectionFromName(t *testing.T) {
	for name, want := range map[string]string{
		"Syscalls_SysEnterWrite":      "tracepoint/syscalls/sys_enter_write",
		"Syscalls_SysEnterPread64":    "tracepoint/syscalls/sys_enter_pread64",
		"Sched_SchedProcessExec":      "tracepoint/sched/sched_process_exec",
		"TCP_TCPProbe":                "tracepoint/tcp/tcp_probe",
		"Sock_InetSockSet_state":      "tracepoint/sock/inet_sock_set_state",
		"ExtFilemap_MmFilemapAddPage": "tracepoint/ext_filemap/mm_filemap_add_page",
		"syscalls_SysEnterWrite":      "",
		"Syscalls_":                   "",
		"Syscalls":                    "",
		"Syscalls_sys":                "",
	} {
		if got, ok := sectionFromName(name); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
