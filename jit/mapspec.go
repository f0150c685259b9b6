package jit

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/lower"
)

// This file describes the maps of source that is no part of this process, by the
// directive //ebpf:map of their types and the arguments of their constructors.

// sourceSpec returns the description of the map d.
func (f *front) sourceSpec(d *lower.MapDecl) (*bind.Spec, error) {
	if d.Call == nil && d.Field == "" {
		return nil, errors.New("the variable has no constructor as its initial value")
	}
	spec, err := f.typeSpec(d.Type)
	if err != nil {
		return nil, err
	}
	if spec.MaxEntries == 0 && d.Field == "" && takesSize(spec.Kind) {
		n, ok := d.ConstructorSize()
		if !ok || n <= 0 || n != int64(uint32(n)) {
			return nil, f.mapError(d, d.Site, "write a number, or declare it with const", "size of map %s, which is not a constant number of entries", d.Name)
		}
		if spec.MaxEntries = uint32(n); spec.Kind == bind.PerfEventArray {
			spec.MaxEntries, spec.Buffer = 0, int(n)
		}
	}
	if d.Field == "" {
		for _, o := range d.Options() {
			if o.Arg == nil {
				return nil, f.mapError(d, o.Pos, "call a function of package ebpf with constants, as in ebpf.MapName(\"counts\")", "option of map %s, which is not constant", d.Name)
			}
			if err := applyOption(spec, o); err != nil {
				return nil, f.mapError(d, o.Pos, "use the options of package ebpf", "%v", err)
			}
		}
	}
	if spec.Inner != nil {
		n, ok := d.InnerSize()
		if !ok && spec.Inner.MaxEntries == 0 {
			return nil, f.mapError(d, d.Site, "give the inner map a constant number of entries in the call of its constructor", "size of the inner map of map %s, which is not constant", d.Name)
		}
		if spec.Inner.MaxEntries == 0 {
			spec.Inner.MaxEntries = uint32(n)
		}
	}
	return spec, nil
}

// mapError returns a diagnostic about the declaration of d, at pos or, if that is not known, at the
// variable.
func (f *front) mapError(d *lower.MapDecl, pos token.Position, fix, format string, args ...any) error {
	if !pos.IsValid() {
		pos = d.Pos
	}
	var list lower.DiagnosticList
	list.Add(lower.UnsupportedExpr, pos, fix, format, args...)
	return f.quote(list.Err())
}

// applyOption changes spec as an option of package ebpf does.
func applyOption(spec *bind.Spec, o lower.MapOption) error {
	n, _ := constant.Int64Val(constant.ToInt(o.Arg))
	switch o.Name {
	case "MapName":
		spec.Name = constant.StringVal(o.Arg)
	case "MapPin":
		spec.Pin = constant.StringVal(o.Arg)
	case "MapFlags":
		spec.Flags |= uint32(n)
	case "MapNUMANode":
		spec.Flags |= unix.BPF_F_NUMA_NODE
		spec.NUMANode = uint32(n)
	case "BloomHashes":
		spec.Extra = uint64(n)
	case "RingPoll":
		spec.Poll = time.Duration(n)
	default:
		return fmt.Errorf("unknown option %s of a map", o.Name)
	}
	return nil
}

// takesSize reports whether maps of the kind have a number of entries, or another
// size, that their constructor takes.
func takesSize(k bind.Kind) bool {
	switch k {
	case bind.TaskStorage, bind.InodeStorage, bind.SockStorage, bind.CgroupStorage:
		return false
	}
	return true
}

// typeSpec returns what the type of a map says.
func (f *front) typeSpec(t *types.Named) (*bind.Spec, error) {
	text, params := f.mapDirective(t.Obj().Name())
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, fmt.Errorf("%s is no map type", t)
	}
	kind, ok := bind.ParseKind(words[0])
	if !ok {
		return nil, fmt.Errorf("unknown kind of map %q", words[0])
	}
	spec := &bind.Spec{Kind: kind}
	if !takesSize(kind) {
		spec.Flags = unix.BPF_F_NO_PREALLOC
		spec.Key = reflect.TypeFor[int32]() // of storages: a file descriptor
	}
	if kind == bind.LPMTrie {
		spec.Flags = unix.BPF_F_NO_PREALLOC
	}
	args := make(map[string]types.Type)
	for i, name := range params {
		args[name] = t.TypeArgs().At(i)
	}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "key":
			spec.KeySize = sumSizes(value, args)
			if t := args[value]; t != nil {
				spec.Key = reflectType(t)
			} else if value == "4" && spec.Key == nil {
				spec.Key = reflect.TypeFor[uint32]() // an index
			}
		case "value":
			spec.ValueSize = max(1, sumSizes(value, args))
			if t := args[value]; t != nil {
				spec.Value = reflectType(t)
			}
		case "entries":
			spec.MaxEntries = sumSizes(value, args)
		case "flags":
			n, err := strconv.ParseUint(value, 0, 32)
			if err != nil {
				return nil, fmt.Errorf("directive of %s: %w", t, err)
			}
			spec.Flags = uint32(n)
		case "inner":
			p, ok := args[value].Underlying().(*types.Pointer)
			if !ok {
				return nil, fmt.Errorf("%s: %s is no map", t, args[value])
			}
			inner, ok := types.Unalias(p.Elem()).(*types.Named)
			if !ok {
				return nil, fmt.Errorf("%s: %s is no map", t, args[value])
			}
			var err error
			if spec.Inner, err = f.typeSpec(inner); err != nil {
				return nil, err
			}
		}
	}
	return spec, nil
}

// sleepable reports whether u may sleep, as programs that Func uses do, with the maps and
// the lock that it uses: check_map_prog_compatibility in kernel/bpf/verifier.c, and commit
// 5861d1e8dbc4 "bpf: Allow bpf_spin_{lock,unlock} in sleepable progs".
func (f *front) sleepable(u *lower.Unit, kernel lower.Version) bool {
	if !kernel.AtLeast(lower.Version{Major: 6, Minor: 6}) {
		for i := range u.Insns {
			if ins := &u.Insns[i]; ins.IsBuiltinCall() && asm.BuiltinFunc(ins.Constant) == asm.FnSpinLock {
				return false
			}
		}
	}
	for _, d := range u.Maps {
		text, _ := f.mapDirective(d.Type.Obj().Name())
		kind, _, _ := strings.Cut(text, " ")
		switch k, _ := bind.ParseKind(kind); k {
		case bind.LPMTrie, bind.BloomFilter, bind.Queue, bind.Stack, bind.StackTrace, bind.CgroupArray, bind.ProgArray, bind.PerfEventArray,
			bind.DevMap, bind.DevMapHash, bind.CPUMap, bind.XSKMap, bind.SockMap, bind.SockHash, bind.ReuseportSockArray:
			return false
		}
	}
	return true
}

// mapDirective returns the arguments of the directive //ebpf:map of a type of package
// ebpf, and the names of the type's parameters.
func (f *front) mapDirective(name string) (text string, params []string) {
	p := f.lib.find(ebpfPath)
	d := p.decls[name]
	if d == nil || d.gen == nil {
		return "", nil
	}
	s, ok := d.spec().(*ast.TypeSpec)
	if !ok {
		return "", nil
	}
	if s.TypeParams != nil {
		for _, field := range s.TypeParams.List {
			for _, id := range field.Names {
				params = append(params, id.Name)
			}
		}
	}
	for _, doc := range []*ast.CommentGroup{s.Doc, d.gen.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if text, ok := strings.CutPrefix(c.Text, "//ebpf:map "); ok {
				return text, params
			}
		}
	}
	return "", nil
}

// reflectType returns a type with the layout of t, plain data, in which the types of
// package ebpf are themselves.
func reflectType(t types.Type) reflect.Type {
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == ebpfPath {
		switch n.Obj().Name() {
		case "SpinLock":
			return reflect.TypeFor[ebpf.SpinLock]()
		case "Timer":
			return reflect.TypeFor[ebpf.Timer]()
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return reflect.ArrayOf(int(u.Len()), reflectType(u.Elem()))
	case *types.Struct:
		fields := make([]reflect.StructField, u.NumFields())
		for i := range fields {
			fields[i] = reflect.StructField{Name: "F" + strconv.Itoa(i), Type: reflectType(u.Field(i).Type())}
		}
		return reflect.StructOf(fields)
	case *types.Basic:
		if r, ok := basicTypes[u.Kind()]; ok {
			return r
		}
	}
	return reflect.ArrayOf(int(sizes.Sizeof(t)), reflect.TypeFor[byte]())
}

var basicTypes = map[types.BasicKind]reflect.Type{
	types.Bool: reflect.TypeFor[bool](),
	types.Int:  reflect.TypeFor[int](), types.Int8: reflect.TypeFor[int8](), types.Int16: reflect.TypeFor[int16](),
	types.Int32: reflect.TypeFor[int32](), types.Int64: reflect.TypeFor[int64](),
	types.Uint: reflect.TypeFor[uint](), types.Uint8: reflect.TypeFor[uint8](), types.Uint16: reflect.TypeFor[uint16](),
	types.Uint32: reflect.TypeFor[uint32](), types.Uint64: reflect.TypeFor[uint64](), types.Uintptr: reflect.TypeFor[uintptr](),
}

// sumSizes evaluates a sum of numbers and of sizes of type parameters.
func sumSizes(expr string, args map[string]types.Type) uint32 {
	var sum int64
	for term := range strings.SplitSeq(expr, "+") {
		if t := args[term]; t != nil {
			sum += sizes.Sizeof(t)
		} else if n, err := strconv.ParseInt(term, 0, 32); err == nil {
			sum += n
		}
	}
	return uint32(sum)
}
