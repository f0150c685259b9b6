package emit

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf/btf"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// This file adds what the kernel's log and people's tools show of a program: the
// source line of each instruction and the names of functions, as metadata that
// cilium/ebpf hands to the kernel in BTF form.
//
// btf.Line cannot be made from its parts. It can be read from line records and a
// string table, though, so these are what Annotate writes first: BTF as
// Documentation/bpf/btf.rst defines it, with no types, and one record of
// struct bpf_line_info for each line.

// A SourceLine is a line of source as the kernel's log shows it.
type SourceLine struct {
	File string
	Line int    // 1-based
	Col  int    // 1-based, in bytes
	Text string // of the whole line
}

const (
	btfMagic      = 0xeb9f
	btfHeaderLen  = 24
	lineColumnMax = 1<<10 - 1 // BPF_LINE_INFO_LINE_COL
	lineNumberMax = 1<<22 - 1 // BPF_LINE_INFO_LINE_NUM
)

// Annotate adds source lines and function descriptions to the instructions as
// metadata. source gives the line that a position is on; it is called once per
// position. What the kernel executes does not change.
func (o *Output) Annotate(source func(mir.Pos) SourceLine) error {
	lines, err := o.sourceLines(source)
	if err != nil {
		return fmt.Errorf("line info: %w", err)
	}
	next, fn := 0, 0
	offset := 0
	var previous *btf.Line
	for i := range o.Insns {
		ins := &o.Insns[i]
		if next < len(o.Lines) && o.Lines[next].Offset == offset {
			line := lines[o.Lines[next].Pos]
			// A function needs a line at its start in any case.
			if line != previous || ins.Symbol() != "" {
				*ins = ins.WithSource(line)
				previous = line
			}
			next++
		}
		if fn < len(o.Funcs) && o.Funcs[fn].Offset == offset {
			*ins = btf.WithFuncMetadata(*ins, o.Funcs[fn].describe())
			fn++
		}
		offset += int(ins.Width())
	}
	return nil
}

// sourceLines returns the line of each position in o.Lines. Positions on the same
// line share the first one's, since a line is shown once.
func (o *Output) sourceLines(source func(mir.Pos) SourceLine) (map[mir.Pos]*btf.Line, error) {
	type fileLine struct {
		file string
		line int
	}
	type record struct{ Insn, File, Text, LineCol uint32 }
	table := &stringTable{index: map[string]uint32{}}
	table.add("")
	var records []record
	byLine := map[fileLine]int{} // index in records
	byPos := map[mir.Pos]int{}   // index in records
	for _, l := range o.Lines {
		if _, ok := byPos[l.Pos]; ok {
			continue
		}
		s := source(l.Pos)
		key := fileLine{s.File, s.Line}
		i, ok := byLine[key]
		if !ok {
			i = len(records)
			byLine[key] = i
			lineCol := uint32(min(s.Line, lineNumberMax))<<10 | uint32(min(s.Col, lineColumnMax))
			records = append(records, record{uint32(i), table.add(s.File), table.add(s.Text), lineCol})
		}
		byPos[l.Pos] = i
	}

	spec, err := btf.LoadSpecFromReader(bytes.NewReader(table.btf()))
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := binary.Write(&buf, binary.LittleEndian, records); err != nil {
		return nil, err
	}
	offsets, err := btf.LoadLineInfos(&buf, binary.LittleEndian, uint32(len(records)), spec)
	if err != nil {
		return nil, err
	}
	lines := make(map[mir.Pos]*btf.Line, len(byPos))
	for pos, i := range byPos {
		lines[pos] = offsets[i].Line
	}
	return lines, nil
}

// A stringTable is BTF's string section: strings that end in a zero byte, the
// first of them empty.
type stringTable struct {
	bytes []byte
	index map[string]uint32
}

// add returns the offset of s. A zero byte ends it.
func (t *stringTable) add(s string) uint32 {
	if i := bytes.IndexByte([]byte(s), 0); i >= 0 {
		s = s[:i]
	}
	offset, ok := t.index[s]
	if !ok {
		offset = uint32(len(t.bytes))
		t.index[s] = offset
		t.bytes = append(append(t.bytes, s...), 0)
	}
	return offset
}

// btf returns the strings as BTF without types.
func (t *stringTable) btf() []byte {
	b := make([]byte, 0, btfHeaderLen+len(t.bytes))
	b = binary.LittleEndian.AppendUint16(b, btfMagic)
	b = append(b, 1, 0) // version, flags
	for _, v := range []uint32{
		btfHeaderLen,
		0, 0, // types: offset, length
		0, uint32(len(t.bytes)), // strings
	} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, t.bytes...)
}

var (
	intType = &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	u64Type = &btf.Int{Name: "u64", Size: 8}
	ctxType = &btf.Pointer{Target: &btf.Void{}}
)

// describe returns the function's type. Static linkage makes the verifier follow calls
// instead of trusting the type, which therefore need not be exact.
func (f *Func) describe() *btf.Func {
	proto := &btf.FuncProto{Return: intType}
	for i := range f.Params {
		p := btf.FuncParam{Name: fmt.Sprintf("r%d", i+1), Type: u64Type}
		if f.Entry {
			p = btf.FuncParam{Name: "ctx", Type: ctxType}
		}
		proto.Params = append(proto.Params, p)
	}
	return &btf.Func{Name: f.Symbol, Type: proto, Linkage: btf.StaticFunc}
}
