package opt

import (
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file refuses what Go lets be done with the bytes of a packet, and no kernel does:
// writing to them in programs of some types, passing them to most helpers, and keeping
// them, that is a pointer to them, in memory other than the program's own variables. A
// pointer that is loaded from there is a number for the verifier, and the packet is gone by
// the time another program loads it.
//
// Precondition: functions are inlined and variables promoted, so that pointers into packets have
// their type.

// readOnlyPackets is the program types that may read packet data and not write it:
// may_access_direct_pkt_data in kernel/bpf/verifier.c.
var readOnlyPackets = []string{"lwt_in", "lwt_out", "lwt_seg6local", "sk_reuseport", "flow_dissector", "cgroup_skb"}

// checkPacketUse reports what f does with packets that the kernel refuses.
func checkPacketUse(f *ir.Func, cfg *Config) {
	u := &packetUse{cfg: cfg, readOnly: slices.Contains(readOnlyPackets, cfg.ProgramType), kept: make(map[*ir.Slot][]keptPacket)}
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			u.store(v)
		}
	}
	for _, b := range f.Blocks {
		for _, v := range b.Instrs {
			if v.Op == ir.OpHelper {
				u.helper(v)
			}
		}
	}
}

type packetUse struct {
	cfg      *Config
	readOnly bool
	// kept is where variables on the stack hold pointers into packets.
	kept map[*ir.Slot][]keptPacket
}

// A keptPacket is a store of a pointer into a packet at an offset of a variable.
type keptPacket struct {
	store *ir.Value
	off   int64
}

func (u *packetUse) fail(code diag.Code, v *ir.Value, fix, format string, args ...any) {
	u.cfg.Diags.Add(code, u.cfg.position(v.Pos), fix, format, args...)
}

// store looks at v if it writes to memory.
func (u *packetUse) store(v *ir.Value) {
	switch v.Op {
	case ir.OpStore:
		if isPacketPointer(v.Args[1]) {
			u.keep(v)
		}
	case ir.OpMemZero, ir.OpMemCopy:
	case ir.OpAtomic:
		if v.Args[0].Type == ir.PtrPacket {
			u.fail(diag.PacketWrite, v, "load, change and store it", "atomic operation on packet data, which is this program's alone")
		}
		return
	default:
		return
	}
	if u.readOnly && v.Args[0].Type == ir.PtrPacket {
		u.fail(diag.PacketWrite, v, "change a copy, or do it in a TC program", "programs of type %s cannot write to packet data", u.cfg.ProgramType)
	}
}

// keep looks at a store of a pointer into a packet.
func (u *packetUse) keep(v *ir.Value) {
	switch v.Args[0].Type {
	case ir.PtrStack:
		if s := rootSlot(v.Args[0]); s != nil {
			off, ok := constantOffset(v.Args[0])
			if off += v.Imm; !ok {
				off = s.Size // it may be anywhere
			}
			u.kept[s] = append(u.kept[s], keptPacket{v, off})
		}
	case ir.PtrAny: // the verifier shall judge
	default:
		u.failKept(v)
	}
}

func (u *packetUse) failKept(v *ir.Value) {
	u.fail(diag.KeptPacket, v, "copy the bytes that are needed to an array, or keep their offset",
		"packet data kept in memory that outlives the program, where nothing can use it")
}

// helper looks at the memory that the call v passes.
func (u *packetUse) helper(v *ir.Value) {
	h := v.Helper()
	for i, a := range v.Args {
		if i >= len(h.Args) || h.Args[i] != ir.ArgMem && h.Args[i] != ir.ArgOut {
			continue
		}
		if a.Type == ir.PtrPacket && !h.TakesPacket {
			u.fail(diag.HelperArgument, v, "copy it to a variable, and pass that", "helper bpf_%s cannot take packet data", h.Name)
		}
		s := rootSlot(a)
		if s == nil || h.Args[i] != ir.ArgMem {
			continue
		}
		from, _ := constantOffset(a) // 0 if it may be anywhere
		for _, k := range u.kept[s] {
			if k.off >= from {
				u.failKept(k.store)
			}
		}
	}
}
