package emit

import (
	"fmt"

	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// A place is where an object lies.
type place struct {
	section string
	offset  int64
}

// layOutData gives the objects that the program refers to their places, in the
// order of the input, and makes the sections.
func (e *emitter) layOutData() {
	index := map[string]int{}
	var ends []int64 // of the sections with the room that their objects need
	for n, d := range e.in.Data {
		if _, used := e.data[d.Name]; !used {
			continue
		}
		i, ok := index[d.Section]
		if !ok {
			i = len(e.out.Sections)
			index[d.Section] = i
			e.out.Sections = append(e.out.Sections, Section{Name: d.Section})
			ends = append(ends, 0)
		}
		s := &e.out.Sections[i]
		offset := roundUp(int64(len(s.Bytes)), max(d.Align, 1))
		s.Bytes = append(s.Bytes, make([]byte, offset-int64(len(s.Bytes)))...)
		s.Bytes = append(s.Bytes, d.Bytes...)
		ends[i] = max(ends[i], int64(len(s.Bytes))+d.Room)
		e.data[d.Name] = place{d.Section, offset}
		e.out.Objects = append(e.out.Objects, Object{n, d.Section, offset})
	}
	// The kernel refuses the address right behind a map's value, which Go's
	// slices have a use for (array_map_direct_value_addr in kernel/bpf/arraymap.c).
	for i := range e.out.Sections {
		s := &e.out.Sections[i]
		s.Bytes = append(s.Bytes, make([]byte, max(ends[i]-int64(len(s.Bytes)), 1))...)
	}
}

// place returns where the object that sym names lies.
func (e *emitter) place(sym *mir.Sym) place {
	p := e.data[sym.Name]
	if p.section == "" {
		panic(fmt.Sprintf("BUG: emit: no data object %s", sym.Name))
	}
	return p
}

// roundUp returns the smallest multiple of align that is at least n.
func roundUp(n, align int64) int64 { return (n + align - 1) / align * align }
