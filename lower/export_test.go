package lower

// This file lets the tests that need package jit, which cannot be of this package, run programs of
// packets.

var (
	InterpretPacket = interpretPacket
	ExecutePacket   = executePacket
)

// Panicked is what those programs return when they panic.
const Panicked = panicked

// LastPass is the name of the last pass.
func LastPass() string { return passes[len(passes)-1].name }

// Result returns what the program returned, and the packet.
func (o packetOutcome) Result() (uint32, []byte) { return o.result, o.packet }
