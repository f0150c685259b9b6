package jit

import (
	"bytes"
	"go/printer"

	"golang.org/x/tools/go/ssa"
)

// FrontText compiles fn as far as go/ssa and returns the declaration that is
// compiled, as far as it gets.
func FrontText(fn any, opts ...Option) (text string, err error) {
	f := newFront(opts)
	f.mode = ssa.SanityCheckFunctions
	defer f.rescue(&err)
	roots, err := f.valueRoots(fn)
	if err != nil {
		return "", err
	}
	f.programs(roots)
	var b bytes.Buffer
	for _, d := range roots {
		if err := printer.Fprint(&b, f.fset, d.fn); err != nil {
			return "", err
		}
	}
	return b.String(), f.diags.Err()
}

// Verify turns on the compiler's verifiers.
func Verify() Option { return func(o *options) { o.verify = true } }

// Registers cuts the registers that the compiler may use.
func Registers(n int) Option { return func(o *options) { o.registers = n } }

// Live cuts the values that may live across a call; others are in memory.
func Live(n int) Option { return func(o *options) { o.live = n } }

// Doubt makes the compiler check all offsets again, as for a program that was refused.
func Doubt() Option { return func(o *options) { o.doubt = true } }

// ViaPacket makes Func use a packet, as it does before Linux 5.14.
func ViaPacket() Option { return func(o *options) { o.packet = true } }
