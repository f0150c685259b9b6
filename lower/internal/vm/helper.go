package vm

import "fmt"

// A Helper is a kernel helper.
type Helper struct {
	Args int // number of arguments, which must have been written
	Func func(c *Call) (uint64, error)
}

// A Call is one call of a helper.
type Call struct {
	Args [5]uint64
	m    *machine
}

// helper calls the helper that in names.
func (m *machine) helper(f *frame, in *inst) (uint64, error) {
	if in.src != 0 {
		return 0, reasonf("unknown kind of call %d", in.src)
	}
	h, ok := m.opt.Helpers[in.imm]
	if !ok {
		return 0, reasonf("unknown helper %d", in.imm)
	}
	c := &Call{m: m}
	for i := range h.Args {
		if err := f.need(1 + i); err != nil {
			return 0, err
		}
		c.Args[i] = f.regs[1+i]
	}
	r0, err := h.Func(c)
	if err != nil {
		return 0, fmt.Errorf("helper %d: %w", in.imm, err)
	}
	return r0, nil
}

// Read returns the n bytes of memory at addr, which the program must have
// written where they are on the stack.
func (c *Call) Read(addr uint64, n int) ([]byte, error) {
	_, b, err := c.m.access(addr, n, false)
	return b, err
}

// Write returns the n bytes of memory at addr for the helper to fill.
func (c *Call) Write(addr uint64, n int) ([]byte, error) {
	_, b, err := c.m.access(addr, n, true)
	return b, err
}

// Map returns the name of the map that addr refers to.
func (c *Call) Map(addr uint64) (string, error) {
	r, off, err := c.m.region(addr)
	if err == nil && (r.kind != bpfMap || off != 0) {
		err = reasonf("%#x is not a map", addr)
	}
	if err != nil {
		return "", err
	}
	return r.name, nil
}

// Section returns the address of the memory that Options.Sections has under name,
// which may also be that of a map's only value.
func (c *Call) Section(name string) (uint64, error) {
	addr, _, err := c.m.section(name)
	return addr, err
}

// Invoke calls the function of the program that fn is the address of, with up
// to five arguments.
func (c *Call) Invoke(fn uint64, args ...uint64) (uint64, error) {
	r, off, err := c.m.region(fn)
	if err == nil && (r.kind != function || off != 0) {
		err = reasonf("%#x is not a function", fn)
	}
	if err != nil {
		return 0, err
	}
	return c.m.call(r.pc, args...)
}
