package main

import (
	"fmt"
	goconst "go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strings"
)

// This file reads the enumerators of bpf.h that programs pass to helpers, find
// in contexts or return, and writes consts_gen.go.

// A constant is an enumerator of the header.
type constant struct {
	c     string // name in the header
	name  string // name in Go
	typ   string // Go type, "" for untyped
	value string // Go literal
	enum  int    // number of its enum: constants of one enum stand together
}

// A constPrefix selects enumerators by the start of their name and says how
// they are called in Go.
type constPrefix struct {
	c, name string
	typ     string
}

// constPrefixes is searched in order.
var constPrefixes = []constPrefix{
	{c: "BPF_F_", name: "Flag"},
	{c: "BPF_ANY", name: "UpdateAny"},
	{c: "BPF_NOEXIST", name: "UpdateNoExist"},
	{c: "BPF_EXIST", name: "UpdateExist"},
	{c: "XDP_", name: "XDP", typ: "XDPAction"},
	{c: "TCX_", name: "TCX", typ: "TCAction"},
	{c: "SK_DROP", name: "SKDrop"},
	{c: "SK_PASS", name: "SKPass"},
	{c: "BPF_ADJ_ROOM_", name: "AdjRoom"},
	{c: "BPF_CSUM_LEVEL_", name: "CsumLevel"},
	{c: "BPF_HDR_START_", name: "HdrStart"},
	{c: "BPF_LWT_ENCAP_", name: "LWTEncap"},
	{c: "BPF_RB_", name: "Ringbuf"},
	{c: "BPF_LOCAL_STORAGE_GET_F_", name: "LocalStorageGet"},
	{c: "BPF_SK_LOOKUP_F_", name: "SKLookup"},
	{c: "BPF_SKB_CLOCK_", name: "SkbClock"},
	{c: "BPF_FIB_LOOKUP_", name: "FIBLookup"},
	{c: "BPF_FIB_LKUP_RET_", name: "FIBResult"},
	{c: "BPF_MTU_CHK_RET_", name: "MTUResult"},
	{c: "BPF_MTU_CHK_", name: "MTUCheck"},
	{c: "BPF_SOCK_OPS_", name: "SockOps"},
	{c: "BPF_TCP_", name: "TCP"},
	{c: "TCP_BPF_", name: "TCPOption"},
	{c: "BPF_LOAD_HDR_OPT_", name: "LoadHdrOpt"},
	{c: "BPF_WRITE_HDR_", name: "WriteHdr"},
	{c: "BPF_DEVCG_", name: "Devcg"},
	{c: "BTF_F_", name: "BTF"},
}

// initialisms are words that Go writes in capitals. All others get one capital.
var initialisms = map[string]string{
	"CPU": "CPU", "CPUS": "CPUs", "ID": "ID", "IP": "IP", "IPV4": "IPv4", "IPV6": "IPv6",
	"TCP": "TCP", "UDP": "UDP", "TX": "TX", "GSO": "GSO", "GRE": "GRE", "NUMA": "NUMA",
	"MAC": "MAC", "SYN": "SYN", "SYNACK": "SYNACK", "MSS": "MSS", "VLAN": "VLAN", "LWT": "LWT",
	"RTO": "RTO", "RTT": "RTT", "FD": "FD", "BTF": "BTF", "IW": "IW", "CB": "CB", "TAI": "TAI",
	"TBID": "TBID", "MMAPABLE": "Mmapable", "IPXIP4": "IPXIP4", "IPXIP6": "IPXIP6",
}

var (
	comments  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	macros    = regexp.MustCompile(`(?m)^#(.*\\\n)*.*$`)
	enumForm  = regexp.MustCompile(`(?s)\benum(?:\s+\w+)?\s*\{(.*?)\}`)
	suffix    = regexp.MustCompile(`\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b`)
	nameForm  = regexp.MustCompile(`^\w+$`)
	wordInUse = regexp.MustCompile(`\b[A-Z_][A-Z0-9_]+\b`)
)

// parseConsts returns the selected constants in the order of the header.
func parseConsts(text string) ([]constant, error) {
	text = macros.ReplaceAllString(comments.ReplaceAllString(text, ""), "")
	values := make(map[string]string)
	var found []constant
	for n, m := range enumForm.FindAllStringSubmatch(text, -1) {
		if strings.Contains(m[1], "FN") {
			continue // made by a macro: enum bpf_func_id
		}
		next := "0"
		for entry := range strings.SplitSeq(m[1], ",") {
			name, expr, given := strings.Cut(strings.TrimSpace(entry), "=")
			name = strings.TrimSpace(name)
			if !nameForm.MatchString(name) {
				continue
			}
			if !given {
				expr = next
			}
			v, err := evaluate(expr, values)
			if err != nil {
				return nil, fmt.Errorf("bpf.h: %s = %s: %w", name, expr, err)
			}
			values[name] = v.ExactString()
			next = v.ExactString() + "+1"
			if c, ok := selectConst(name, v); ok {
				c.enum = n
				found = append(found, c)
			}
		}
	}
	return found, nil
}

// evaluate computes a C constant expression, which for the header's enums is a
// Go one but for the suffixes of literals.
func evaluate(expr string, values map[string]string) (goconst.Value, error) {
	expr = suffix.ReplaceAllString(expr, "$1")
	expr = wordInUse.ReplaceAllStringFunc(expr, func(w string) string {
		if v, ok := values[w]; ok {
			return "(" + v + ")"
		}
		return w
	})
	tv, err := types.Eval(token.NewFileSet(), nil, token.NoPos, strings.Join(strings.Fields(expr), " "))
	if err != nil {
		return nil, err
	}
	return tv.Value, nil
}

// selectConst makes a Go constant of an enumerator, if programs use it.
func selectConst(c string, v goconst.Value) (constant, bool) {
	if strings.HasPrefix(c, "__") || strings.HasSuffix(c, "_MAX_STATES") {
		return constant{}, false
	}
	for _, p := range constPrefixes {
		rest, ok := strings.CutPrefix(c, p.c)
		if !ok || rest != "" && !strings.HasSuffix(p.c, "_") {
			continue
		}
		var b strings.Builder
		b.WriteString(p.name)
		for w := range strings.SplitSeq(rest, "_") {
			if i, ok := initialisms[w]; ok {
				b.WriteString(i)
			} else {
				b.WriteString(capital(strings.ToLower(w)))
			}
		}
		return constant{c: c, name: b.String(), typ: p.typ, value: literal(c, v)}, true
	}
	return constant{}, false
}

// literal prints a value: flags in hexadecimal, and as the unsigned 64-bit
// number a flags argument is even where C writes -1.
func literal(c string, v goconst.Value) string {
	if !strings.HasPrefix(c, "BPF_F_") {
		return v.ExactString()
	}
	if goconst.Sign(v) < 0 {
		v = goconst.BinaryOp(goconst.Shift(goconst.MakeInt64(1), token.SHL, 64), token.ADD, v)
	}
	u, _ := goconst.Uint64Val(v)
	return fmt.Sprintf("%#x", u)
}

// emitConsts writes a const declaration for each enum.
func emitConsts(consts []constant) string {
	var b strings.Builder
	b.WriteString(generated + "\n" + licence + "\npackage ebpf\n")
	for i, c := range consts {
		if i == 0 || c.enum != consts[i-1].enum {
			b.WriteString("\nconst (\n")
		}
		fmt.Fprintf(&b, "%s %s = %s // %s\n", c.name, c.typ, c.value, c.c)
		if i == len(consts)-1 || c.enum != consts[i+1].enum {
			b.WriteString(")\n")
		}
	}
	return b.String()
}
