package opt

import (
	"fmt"
	"slices"

	"github.com/undergo-ebpf/undergo/lower/internal/diag"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file finds where pointers into a packet are not valid any more.
//
// Helpers that change the size of a packet may move it. After such a call all
// pointers into it, and to its end, are worthless, and the verifier does not let
// them be used. Go has no notion of it: a slice that a program has kept would still
// refer to what the packet was. So using it is an error that names the call.
//
// Method: a forward data flow of the set of pointers that may be out of date: a call
// adds all, the definition of a pointer removes it.

// A staleness is where which pointers may be out of date.
type staleness struct {
	f *ir.Func
	// in is the call after which a value is out of date at the beginning of a
	// block, by Block.ID and Value.ID; nil if no call moves packets.
	in [][]*ir.Value
}

// newStaleness analyses f.
func newStaleness(f *ir.Func) *staleness {
	s := &staleness{f: f}
	moves := slices.ContainsFunc(f.Blocks, func(b *ir.Block) bool { return slices.ContainsFunc(b.Instrs, movesPacket) })
	if !moves {
		return s
	}
	s.in = make([][]*ir.Value, f.NumBlocks())
	order := ir.RPO(f)
	for _, b := range order {
		s.in[b.ID] = make([]*ir.Value, f.NumValues())
	}
	for changed := true; changed; {
		changed = false
		for _, b := range order {
			state := slices.Clone(s.in[b.ID])
			s.through(b, len(b.Instrs), state)
			for _, e := range b.Term.Succs {
				to := s.in[e.To.ID]
				for i, call := range state {
					if call != nil && to[i] == nil {
						to[i], changed = call, true
					}
				}
			}
		}
	}
	return s
}

// through advances state from the beginning of b over n instructions.
func (s *staleness) through(b *ir.Block, n int, state []*ir.Value) {
	for _, p := range b.Params {
		state[p.ID] = nil
	}
	for _, v := range b.Instrs[:n] {
		s.after(v, state)
	}
}

// after advances state over v.
func (s *staleness) after(v *ir.Value, state []*ir.Value) {
	if movesPacket(v) {
		for i := range state {
			state[i] = v
		}
	}
	if int(v.ID) < len(state) {
		state[v.ID] = nil
	}
}

// at returns the state at the beginning of b, for through and after; nil if nothing is
// ever out of date.
func (s *staleness) at(b *ir.Block) []*ir.Value {
	if s.in == nil {
		return nil
	}
	return slices.Clone(s.in[b.ID])
}

// isStale reports whether v is out of date at the beginning of b.
func (s *staleness) isStale(v *ir.Value, b *ir.Block) bool {
	return s.in != nil && int(v.ID) < len(s.in[b.ID]) && s.in[b.ID][v.ID] != nil
}

// report reports the uses of pointers that are out of date.
func (s *staleness) report(cfg *Config) {
	if s.in == nil {
		return
	}
	reported := make(map[ir.Pos]bool)
	for _, b := range ir.RPO(s.f) {
		state := s.at(b)
		use := func(args []*ir.Value, pos ir.Pos) {
			for _, a := range args {
				if call := state[a.ID]; call != nil && isPacketPointer(a) && !reported[pos] {
					reported[pos] = true
					s.fail(cfg, call, pos)
				}
			}
		}
		for _, p := range b.Params {
			state[p.ID] = nil
		}
		for _, v := range b.Instrs {
			use(v.Args, v.Pos)
			s.after(v, state)
		}
		use(b.Term.Args, b.Term.Pos)
		for _, e := range b.Term.Succs {
			use(e.Args, b.Term.Pos)
		}
	}
}

func isPacketPointer(v *ir.Value) bool { return v.Type == ir.PtrPacket || v.Type == ir.PtrPacketEnd }

func (s *staleness) fail(cfg *Config, call *ir.Value, pos ir.Pos) {
	name := ""
	if call.Op == ir.OpHelper {
		name = "bpf_" + call.Helper().Name
	} else {
		name = call.Callee().Name
	}
	where, at := "", cfg.position(call.Pos)
	if use := cfg.position(pos); at.Filename == use.Filename {
		where = fmt.Sprintf(" in line %d", at.Line)
	}
	cfg.Diags.Add(diag.StalePacket, cfg.position(pos), "call Data again after it, and make new slices of that",
		"use of packet data after the call of %s%s, which may move it", name, where)
}
