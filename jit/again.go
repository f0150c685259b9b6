package jit

import "github.com/undergo-ebpf/undergo/lower"

// This file is the second attempt at a program that is too complex for the verifier.

// leastLoopWork makes the compiler limit every loop that it can.
const leastLoopWork = 1

// compileAgain sets how p is compiled once more, if the kernel finds it too complex: with
// every loop limited that can be. The verifier has the least work then, and the
// program is somewhat slower.
func (p *Program) compileAgain(in lower.Input, target lower.Target, o lower.Options) {
	o.LoopWork = leastLoopWork
	first := len(p.dumps) // those before lower
	p.again = func() (*lower.Unit, error) {
		p.dumps = p.dumps[:first]
		return lower.Compile(in, target, o)
	}
}

// load loads the program, and one compiled again if it has loops and is too complex.
func (p *Program) load(o *options, c *Collection) error {
	again := p.again
	p.again = nil // and what it refers to
	err := p.loadUnit(o, c)
	if !tooComplex(err) || again == nil {
		return err
	}
	unit, compileErr := again()
	if compileErr != nil || !limitsLoops(unit) {
		return err
	}
	p.unit = unit
	return p.loadUnit(o, c)
}

// limitsLoops reports whether some loop of the program is ended by the kernel when it
// takes too long.
func limitsLoops(u *lower.Unit) bool {
	for _, s := range u.Panics {
		if s.Kind == lower.PanicLoop {
			return true
		}
	}
	return false
}
