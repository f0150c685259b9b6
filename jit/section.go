package jit

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/lower"
)

// This file decides what kind of program a function is.
//
// The first that says so decides: the option As, the directive
// //ebpf:section NAME, the type of the context parameter, and the form of the function's name,
// Group_EventName for a tracepoint. All but the last end up as a section name in libbpf's notation.

// A section is a row of the table of section names: what a program in it is for the kernel.
type section struct {
	name   string
	target targetRule // whether /TARGET follows name
	kind   string     // program type as in BPF_PROG_TYPE_*, in lower case
	typ    cebpf.ProgramType
	attach cebpf.AttachType
	flags  uint32 // BPF_F_* of BPF_PROG_LOAD
}

type targetRule uint8

const (
	noTarget targetRule = iota
	mayTarget
	mustTarget
)

// Flags of BPF_PROG_LOAD in include/uapi/linux/bpf.h.
const (
	sleepable = 1 << 4 // BPF_F_SLEEPABLE
	hasFrags  = 1 << 5 // BPF_F_XDP_HAS_FRAGS
)

// fragsKernel is the release with c2f2cdbeffda "bpf: introduce BPF_F_XDP_HAS_FRAGS flag in
// prog_flags loading the ebpf program".
var fragsKernel = lower.Version{Major: 5, Minor: 18}

// sections follows section_defs in libbpf.c, which documents the names as part
// of its interface (https://docs.kernel.org/bpf/libbpf/program_types.html). A
// name comes before those that are a prefix of it.
var sections = []section{
	{"socket", noTarget, "socket_filter", cebpf.SocketFilter, 0, 0},
	{"kprobe", mayTarget, "kprobe", cebpf.Kprobe, 0, 0},
	{"kretprobe", mayTarget, "kprobe", cebpf.Kprobe, 0, 0},
	{"kprobe.multi", mayTarget, "kprobe", cebpf.Kprobe, cebpf.AttachTraceKprobeMulti, 0},
	{"kretprobe.multi", mayTarget, "kprobe", cebpf.Kprobe, cebpf.AttachTraceKprobeMulti, 0},
	{"uprobe", mayTarget, "kprobe", cebpf.Kprobe, 0, 0},
	{"uretprobe", mayTarget, "kprobe", cebpf.Kprobe, 0, 0},
	{"uprobe.s", mayTarget, "kprobe", cebpf.Kprobe, 0, sleepable},
	{"uretprobe.s", mayTarget, "kprobe", cebpf.Kprobe, 0, sleepable},
	{"uprobe.multi", mayTarget, "kprobe", cebpf.Kprobe, cebpf.AttachTraceUprobeMulti, 0},
	{"uretprobe.multi", mayTarget, "kprobe", cebpf.Kprobe, cebpf.AttachTraceUprobeMulti, 0},
	{"ksyscall", mayTarget, "kprobe", cebpf.Kprobe, 0, 0},
	{"kretsyscall", mayTarget, "kprobe", cebpf.Kprobe, 0, 0},
	{"usdt", mayTarget, "kprobe", cebpf.Kprobe, 0, 0},
	{"tracepoint", mayTarget, "tracepoint", cebpf.TracePoint, 0, 0},
	{"tp", mayTarget, "tracepoint", cebpf.TracePoint, 0, 0},
	{"raw_tracepoint", mayTarget, "raw_tracepoint", cebpf.RawTracepoint, 0, 0},
	{"raw_tp", mayTarget, "raw_tracepoint", cebpf.RawTracepoint, 0, 0},
	{"raw_tracepoint.w", mayTarget, "raw_tracepoint_writable", cebpf.RawTracepointWritable, 0, 0},
	{"raw_tp.w", mayTarget, "raw_tracepoint_writable", cebpf.RawTracepointWritable, 0, 0},
	{"tp_btf", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachTraceRawTp, 0},
	{"fentry", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachTraceFEntry, 0},
	{"fentry.s", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachTraceFEntry, sleepable},
	{"fexit", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachTraceFExit, 0},
	{"fexit.s", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachTraceFExit, sleepable},
	{"fmod_ret", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachModifyReturn, 0},
	{"fmod_ret.s", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachModifyReturn, sleepable},
	{"iter", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachTraceIter, 0},
	{"iter.s", mustTarget, "tracing", cebpf.Tracing, cebpf.AttachTraceIter, sleepable},
	{"lsm", mustTarget, "lsm", cebpf.LSM, cebpf.AttachLSMMac, 0},
	{"lsm.s", mustTarget, "lsm", cebpf.LSM, cebpf.AttachLSMMac, sleepable},
	{"lsm_cgroup", mustTarget, "lsm", cebpf.LSM, cebpf.AttachLSMCgroup, 0},
	{"perf_event", noTarget, "perf_event", cebpf.PerfEvent, 0, 0},
	{"syscall", noTarget, "syscall", cebpf.Syscall, 0, sleepable},
	{"xdp.frags/devmap", noTarget, "xdp", cebpf.XDP, cebpf.AttachXDPDevMap, hasFrags},
	{"xdp.frags/cpumap", noTarget, "xdp", cebpf.XDP, cebpf.AttachXDPCPUMap, hasFrags},
	{"xdp.frags", mayTarget, "xdp", cebpf.XDP, cebpf.AttachXDP, hasFrags},
	{"xdp/devmap", noTarget, "xdp", cebpf.XDP, cebpf.AttachXDPDevMap, 0},
	{"xdp/cpumap", noTarget, "xdp", cebpf.XDP, cebpf.AttachXDPCPUMap, 0},
	{"xdp", mayTarget, "xdp", cebpf.XDP, cebpf.AttachXDP, 0},
	{"tcx/ingress", mayTarget, "sched_cls", cebpf.SchedCLS, cebpf.AttachTCXIngress, 0},
	{"tcx/egress", mayTarget, "sched_cls", cebpf.SchedCLS, cebpf.AttachTCXEgress, 0},
	{"tc/ingress", mayTarget, "sched_cls", cebpf.SchedCLS, cebpf.AttachTCXIngress, 0},
	{"tc/egress", mayTarget, "sched_cls", cebpf.SchedCLS, cebpf.AttachTCXEgress, 0},
	{"netkit/primary", mayTarget, "sched_cls", cebpf.SchedCLS, cebpf.AttachNetkitPrimary, 0},
	{"netkit/peer", mayTarget, "sched_cls", cebpf.SchedCLS, cebpf.AttachNetkitPeer, 0},
	{"tc", noTarget, "sched_cls", cebpf.SchedCLS, 0, 0},
	{"classifier", noTarget, "sched_cls", cebpf.SchedCLS, 0, 0},
	{"action", noTarget, "sched_act", cebpf.SchedACT, 0, 0},
	{"lwt_in", noTarget, "lwt_in", cebpf.LWTIn, 0, 0},
	{"lwt_out", noTarget, "lwt_out", cebpf.LWTOut, 0, 0},
	{"lwt_xmit", noTarget, "lwt_xmit", cebpf.LWTXmit, 0, 0},
	{"lwt_seg6local", noTarget, "lwt_seg6local", cebpf.LWTSeg6Local, 0, 0},
	{"sockops", noTarget, "sock_ops", cebpf.SockOps, cebpf.AttachCGroupSockOps, 0},
	{"sk_skb/stream_parser", noTarget, "sk_skb", cebpf.SkSKB, cebpf.AttachSkSKBStreamParser, 0},
	{"sk_skb/stream_verdict", noTarget, "sk_skb", cebpf.SkSKB, cebpf.AttachSkSKBStreamVerdict, 0},
	{"sk_skb/verdict", noTarget, "sk_skb", cebpf.SkSKB, cebpf.AttachSkSKBVerdict, 0},
	{"sk_msg", noTarget, "sk_msg", cebpf.SkMsg, cebpf.AttachSkMsgVerdict, 0},
	{"sk_lookup", noTarget, "sk_lookup", cebpf.SkLookup, cebpf.AttachSkLookup, 0},
	{"sk_reuseport/migrate", noTarget, "sk_reuseport", cebpf.SkReuseport, cebpf.AttachSkReuseportSelectOrMigrate, 0},
	{"sk_reuseport", noTarget, "sk_reuseport", cebpf.SkReuseport, cebpf.AttachSkReuseportSelect, 0},
	{"flow_dissector", noTarget, "flow_dissector", cebpf.FlowDissector, cebpf.AttachFlowDissector, 0},
	{"netfilter", noTarget, "netfilter", cebpf.Netfilter, cebpf.AttachNetfilter, 0},
	{"lirc_mode2", noTarget, "lirc_mode2", cebpf.LircMode2, cebpf.AttachLircMode2, 0},
	{"cgroup_skb/ingress", noTarget, "cgroup_skb", cebpf.CGroupSKB, cebpf.AttachCGroupInetIngress, 0},
	{"cgroup_skb/egress", noTarget, "cgroup_skb", cebpf.CGroupSKB, cebpf.AttachCGroupInetEgress, 0},
	{"cgroup/sock_create", noTarget, "cgroup_sock", cebpf.CGroupSock, cebpf.AttachCGroupInetSockCreate, 0},
	{"cgroup/sock_release", noTarget, "cgroup_sock", cebpf.CGroupSock, cebpf.AttachCgroupInetSockRelease, 0},
	{"cgroup/post_bind4", noTarget, "cgroup_sock", cebpf.CGroupSock, cebpf.AttachCGroupInet4PostBind, 0},
	{"cgroup/post_bind6", noTarget, "cgroup_sock", cebpf.CGroupSock, cebpf.AttachCGroupInet6PostBind, 0},
	{"cgroup/bind4", noTarget, "cgroup_sock_addr", cebpf.CGroupSockAddr, cebpf.AttachCGroupInet4Bind, 0},
	{"cgroup/bind6", noTarget, "cgroup_sock_addr", cebpf.CGroupSockAddr, cebpf.AttachCGroupInet6Bind, 0},
	{"cgroup/connect4", noTarget, "cgroup_sock_addr", cebpf.CGroupSockAddr, cebpf.AttachCGroupInet4Connect, 0},
	{"cgroup/connect6", noTarget, "cgroup_sock_addr", cebpf.CGroupSockAddr, cebpf.AttachCGroupInet6Connect, 0},
	{"cgroup/sendmsg4", noTarget, "cgroup_sock_addr", cebpf.CGroupSockAddr, cebpf.AttachCGroupUDP4Sendmsg, 0},
	{"cgroup/sendmsg6", noTarget, "cgroup_sock_addr", cebpf.CGroupSockAddr, cebpf.AttachCGroupUDP6Sendmsg, 0},
	{"cgroup/recvmsg4", noTarget, "cgroup_sock_addr", cebpf.CGroupSockAddr, cebpf.AttachCGroupUDP4Recvmsg, 0},
	{"cgroup/recvmsg6", noTarget, "cgroup_sock_addr", cebpf.CGroupSockAddr, cebpf.AttachCGroupUDP6Recvmsg, 0},
	{"cgroup/sysctl", noTarget, "cgroup_sysctl", cebpf.CGroupSysctl, cebpf.AttachCGroupSysctl, 0},
	{"cgroup/getsockopt", noTarget, "cgroup_sockopt", cebpf.CGroupSockopt, cebpf.AttachCGroupGetsockopt, 0},
	{"cgroup/setsockopt", noTarget, "cgroup_sockopt", cebpf.CGroupSockopt, cebpf.AttachCGroupSetsockopt, 0},
	{"cgroup/dev", noTarget, "cgroup_device", cebpf.CGroupDevice, cebpf.AttachCGroupDevice, 0},
}

// findSection returns the row of a section name and the target in it.
func findSection(name string) (row *section, target string, problem string) {
	for i := range sections {
		s := &sections[i]
		if name == s.name {
			if s.target == mustTarget {
				return nil, "", s.name + " needs a target, as in " + s.name + "/NAME"
			}
			return s, "", ""
		}
		if rest, ok := strings.CutPrefix(name, s.name+"/"); ok && s.target != noTarget && rest != "" {
			return s, rest, ""
		}
	}
	return nil, "", "no such section"
}

// sectionOf returns the section name of the function that d declares and the
// position of what gives it, or reports why there is none and returns "".
func (f *front) sectionOf(d *decl, obj *types.Func) (string, token.Pos) {
	if f.opts.section != "" {
		return f.opts.section, d.pos()
	}
	if name := f.sections[d.fn.Name.Name]; name != "" {
		return name, d.pos()
	}
	if name, pos, ok := directive(d.fn.Doc, "section"); ok {
		if name == "" {
			f.diags.Add(lower.UnknownSection, f.fset.Position(pos), "write it after the directive, as in //ebpf:section xdp", "the directive names no section")
		}
		return name, pos
	}
	context := f.contextKind(d, obj)
	if context == anyContext || context == tracepointContext {
		if name, ok := sectionFromName(obj.Name()); ok {
			return name, d.pos()
		}
	}
	if name := sectionOfContext(context); name != "" {
		return name, d.pos()
	}
	f.diags.Add(lower.UnknownProgramType, f.fset.Position(d.pos()),
		"write //ebpf:section NAME above it, use jit.As, or give it the context type of its program type, such as *ebpf.XDP",
		"nothing says what type of program %s is", obj.Name())
	return "", token.NoPos
}

// Arguments of //ebpf:context: for the context of all program types, and for one of trace events.
const (
	anyContext        = "any"
	tracepointContext = "tracepoint"
)

// contextKind returns the argument of the directive //ebpf:context of the type
// of the function's first parameter, which is a list of program types, or
// anyContext. That of a single type is also the name of its section.
func (f *front) contextKind(d *decl, obj *types.Func) string {
	params := obj.Signature().Params()
	if params.Len() == 0 {
		return ""
	}
	t := types.Unalias(params.At(0).Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	p := d.file.pkg // of the function's own package the path may be unknown
	if named.Obj().Pkg() != obj.Pkg() {
		p = f.lib.find(named.Obj().Pkg().Path())
	}
	if p == nil || p.decls[named.Obj().Name()] == nil {
		return ""
	}
	td := p.decls[named.Obj().Name()]
	doc := td.gen.Doc
	if s, ok := td.spec().(*ast.TypeSpec); ok && s.Doc != nil {
		doc = s.Doc
	}
	kind, _, _ := directive(doc, "context")
	return kind
}

// sectionOfContext returns the section of programs that have the context of a program type, if there
// is only one: that of this name, or that of this program type. Otherwise it returns "".
func sectionOfContext(kind string) string {
	if row, _, _ := findSection(kind); row != nil {
		return kind
	}
	name := ""
	for i := range sections {
		if s := &sections[i]; s.kind == kind && s.target != mustTarget {
			if name != "" {
				return ""
			}
			name = s.name
		}
	}
	return name
}

// sectionFromName returns the tracepoint that a function called Group_EventName
// is for: group and event_name.
func sectionFromName(name string) (string, bool) {
	group, event, ok := strings.Cut(name, "_")
	if !ok || event == "" || !ast.IsExported(group) || !ast.IsExported(event) {
		return "", false
	}
	return "tracepoint/" + snakeCase(group) + "/" + snakeCase(event), true
}

// snakeCase turns SysEnterWrite into sys_enter_write and TCPProbe into tcp_probe.
func snakeCase(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && runes[i-1] != '_' &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// looksLikeProgram reports, without types, whether a function is a program of
// its file: it has a section directive, or the name and the parameter of a tracepoint program.
func looksLikeProgram(fn *ast.FuncDecl) bool {
	if fn.Recv != nil || fn.Body == nil {
		return false
	}
	if _, _, ok := directive(fn.Doc, "section"); ok {
		return true
	}
	if _, ok := sectionFromName(fn.Name.Name); !ok || fn.Type.Params.NumFields() != 1 {
		return false
	}
	t := fn.Type.Params.List[0].Type
	contexts := []string{"Context"}
	if p, ok := t.(*ast.StarExpr); ok {
		t, contexts = p.X, []string{"SysEnter", "SysExit"}
	}
	switch t := t.(type) {
	case *ast.SelectorExpr:
		return slices.Contains(contexts, t.Sel.Name)
	case *ast.Ident:
		return slices.Contains(contexts, t.Name)
	}
	return false
}

// checkSignature makes sure that a function can be a program in a section.
func (f *front) checkSignature(d *decl, obj *types.Func, s *section) {
	sig := obj.Signature()
	pos := f.fset.Position(d.pos())
	if sig.TypeParams() != nil {
		f.diags.Add(lower.UnsuitableSignature, pos, "instantiate it, as in jit.Compile("+obj.Name()+"[T])", "generic function %s cannot be a program", obj.Name())
		return
	}
	want := "write func " + obj.Name() + "(ctx ebpf.Context) int"
	switch {
	case sig.Params().Len() > 1:
		f.diags.Add(lower.UnsuitableSignature, pos, want, "%s has more than one parameter, %s programs have the context only", obj.Name(), s.kind)
	case sig.Params().Len() == 1:
		kind := f.contextKind(d, obj)
		switch {
		case kind == "" && s.typ == cebpf.Syscall && isStructPointer(sig.Params().At(0).Type()):
			// Its context is what it is called with.
		case kind != "" && kind != anyContext && !isPointer(sig.Params().At(0).Type()):
			param := sig.Params().At(0)
			f.diags.Add(lower.UnsuitableSignature, f.fset.Position(param.Pos()), "take the context itself: "+param.Name()+" *"+typeName(param.Type()),
				"parameter %s of %s is a copy of the context", param.Name(), obj.Name())
		case kind == "":
			f.diags.Add(lower.UnsuitableSignature, pos, want, "parameter %s of %s is of type %s, which is not a context",
				sig.Params().At(0).Name(), obj.Name(), typeName(sig.Params().At(0).Type()))
		case kind != anyContext && !slices.Contains(strings.Split(kind, ","), s.kind):
			f.diags.Add(lower.UnsuitableSignature, pos, "use ebpf.Context, or another section", "%s has the context of %s programs, but its section makes it a %s program",
				obj.Name(), kind, s.kind)
		}
	}
	if !isIntegerResult(sig.Results()) {
		f.diags.Add(lower.UnsuitableSignature, pos, want, "%s programs return one integer, %s returns %s", s.kind, obj.Name(), results(sig.Results()))
	}
}

// isStructPointer reports whether t is a pointer to a struct.
func isStructPointer(t types.Type) bool {
	p, ok := t.Underlying().(*types.Pointer)
	if !ok {
		return false
	}
	_, ok = p.Elem().Underlying().(*types.Struct)
	return ok
}

func isIntegerResult(results *types.Tuple) bool {
	if results.Len() != 1 {
		return false
	}
	b, ok := results.At(0).Type().Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

func results(t *types.Tuple) string {
	if t.Len() == 0 {
		return "nothing"
	}
	names := make([]string, t.Len())
	for i := range names {
		names[i] = typeName(t.At(i).Type())
	}
	return strings.Join(names, ", ")
}

// typeName returns t as a user writes it.
func typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}
