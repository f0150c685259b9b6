package kernelmap

import (
	"reflect"

	cebpf "github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
)

// This file describes Go types to the kernel, which needs to know where locks and timers
// are in values, and the types of storages, and shows the others to people.

// addTypes gives m the types of its keys and values, if they have a form that the kernel
// takes.
func addTypes(m *cebpf.MapSpec, spec *bind.Spec) {
	switch spec.Kind {
	case bind.TaskStorage, bind.InodeStorage, bind.SockStorage, bind.CgroupStorage:
	default:
		if len(bind.KernelFields(spec.Value)) == 0 {
			return
		}
	}
	c := converter{named: make(map[reflect.Type]btf.Type)}
	m.Key, m.Value = c.convert(spec.Key), c.convert(spec.Value)
	if spec.Key != nil && int(spec.KeySize) != int(spec.Key.Size()) || spec.Value.Size() == 0 {
		m.Key, m.Value = nil, nil
	}
}

// A converter makes BTF of Go types.
type converter struct{ named map[reflect.Type]btf.Type }

var kernelStructs = map[string]*btf.Struct{
	"bpf_spin_lock": {Name: "bpf_spin_lock", Size: 4, Members: []btf.Member{
		{Name: "val", Type: &btf.Int{Name: "u32", Size: 4}},
	}},
	"bpf_timer": {Name: "bpf_timer", Size: 16, Members: []btf.Member{
		{Name: "__opaque", Type: &btf.Array{Index: &btf.Int{Name: "u32", Size: 4}, Type: &btf.Int{Name: "u64", Size: 8}, Nelems: 2}},
	}},
}

func (c *converter) convert(t reflect.Type) btf.Type {
	if known := c.named[t]; known != nil {
		return known
	}
	var b btf.Type
	switch t.Kind() {
	case reflect.Struct:
		if fields := bind.KernelFields(t); len(fields) == 1 && fields[0].Offset == 0 && fields[0].Size == int(t.Size()) && t.NumField() > 0 &&
			len(bind.KernelFields(t.Field(0).Type)) == 0 {
			b = kernelStructs[fields[0].Name]
			break
		}
		s := &btf.Struct{Name: t.Name(), Size: uint32(t.Size())}
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Name == "_" || f.Type.Size() == 0 {
				continue
			}
			s.Members = append(s.Members, btf.Member{Name: f.Name, Type: c.convert(f.Type), Offset: btf.Bits(8 * f.Offset)})
		}
		s.Name = symbol(s.Name)
		b = s
	case reflect.Array:
		b = &btf.Array{Index: c.convert(reflect.TypeFor[uint32]()), Type: c.convert(t.Elem()), Nelems: uint32(t.Len())}
	case reflect.Bool:
		b = &btf.Int{Name: "bool", Size: 1, Encoding: btf.Bool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		b = &btf.Int{Name: t.Kind().String(), Size: uint32(t.Size()), Encoding: btf.Signed}
	case reflect.Float32, reflect.Float64:
		b = &btf.Int{Name: map[uintptr]string{4: "uint32", 8: "uint64"}[t.Size()], Size: uint32(t.Size())}
	case reflect.Complex64, reflect.Complex128:
		b = &btf.Array{Index: c.convert(reflect.TypeFor[uint32]()), Type: c.convert(reflect.TypeFor[uint64]()), Nelems: uint32(t.Size() / 8)}
	default:
		b = &btf.Int{Name: t.Kind().String(), Size: uint32(t.Size())}
	}
	c.named[t] = b
	return b
}

// symbol makes an identifier of C of the name of a Go type, which may be an
// instance of a generic one.
func symbol(name string) string {
	s := []byte(name)
	for i, ch := range s {
		if !('a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9') {
			s[i] = '_'
		}
	}
	return string(s)
}
