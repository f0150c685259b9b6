package lower_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/corpus/stdlib"
	"github.com/undergo-ebpf/undergo/e2e/progen"
	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
)

// This file runs calls of the standard library natively and in the interpreters. The
// half that needs a kernel is in package e2e. Such programs import packages, which package
// jit finds; what they take and return is in a packet.

// packetSource returns the source of a program that runs the call on a packet.
func packetSource(c *stdlib.Call) string {
	src := c.Source("call")
	imports := "import (\n\t\"github.com/undergo-ebpf/undergo/ebpf\"\n"
	if !strings.Contains(src, "\"encoding/binary\"") {
		imports += "\t\"encoding/binary\"\n"
	}
	src = strings.Replace(src, "import _ \"encoding/binary\"", "import \"encoding/binary\"", 1)
	return strings.Replace(src, "package p\n", "package p\n\n"+imports+")\n", 1) + `
//ebpf:section xdp
func program(ctx *ebpf.XDP) int {
	p := ctx.Data()
	if len(p) < 48 {
		return 0
	}
	var in [6]uint64
	for i := range in {
		in[i] = binary.NativeEndian.Uint64(p[8*i:])
	}
	out := F_call(in)
	for i, v := range out {
		binary.NativeEndian.PutUint64(p[8*i:], v)
	}
	return 1
}
`
}

// tooMuchBefore69 is the calls whose loops the verifier does not follow, and which Linux before
// 6.9 cannot limit: with nothing but bpf_loop.
var tooMuchBefore69 = map[string]lower.Code{
	"unicode/utf8.Valid": lower.UnboundedLoop,
}

// TestStandardCalls runs the calls of the table that compile.
func TestStandardCalls(t *testing.T) {
	var calls []stdlib.Call
	var cases []progen.Case
	for i, c := range stdlib.Calls() {
		if c.Code != "" || testing.Short() && i%16 != 0 {
			continue
		}
		suffix := fmt.Sprint(len(calls))
		calls = append(calls, c)
		cases = append(cases, progen.Case{Name: "F_" + suffix, Source: c.Source(suffix), Inputs: progen.Inputs(uint64(i), 30), Unique: true})
	}
	native, err := progen.Native(cases)
	if err != nil {
		t.Fatal(err)
	}
	targets := []lower.Target{
		lower.TargetFor(lower.Version{Major: 6, Minor: 12}, "amd64"), lower.TargetFor(lower.Version{Major: 6, Minor: 1}, "amd64"),
	}
	for i := range calls {
		target := targets[i%len(targets)]
		err := compareCall(&calls[i], target, cases[i].Inputs, native[i])
		if code, ok := tooMuchBefore69[calls[i].Package+"."+calls[i].Func]; ok && !target.Kernel.AtLeast(lower.MayGoto.MinKernel()) {
			var refused lower.DiagnosticError
			if !errors.As(err, &refused) || refused[0].Code != code {
				t.Errorf("%s.%s, linux %v: %v, want %v", calls[i].Package, calls[i].Func, target.Kernel, err, code)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s.%s, linux %v: %v", calls[i].Package, calls[i].Func, target.Kernel, err)
		}
	}
}

func compareCall(call *stdlib.Call, target lower.Target, inputs [][6]uint64, native []progen.Outcome) error {
	c, err := jit.CompileSource("p.go", packetSource(call), jit.WithTarget(target), jit.WithDumps(), jit.OnPanic(lower.Panicked))
	if err != nil {
		return err
	}
	p := c.Programs["program"]
	var modules []*ir.Module
	for _, stage := range []string{"build", lower.LastPass()} {
		text, err := p.Dump(stage)
		if err != nil {
			return err
		}
		m, err := ir.Parse(text)
		if err != nil {
			return fmt.Errorf("dump of %s: %w", stage, err)
		}
		modules = append(modules, m)
	}
	for k, in := range inputs {
		packet, want := make([]byte, 64), make([]byte, 64)
		for i, v := range in {
			binary.NativeEndian.PutUint64(packet[8*i:], v)
		}
		copy(want, packet)
		result := uint32(1)
		if native[k].Panic != "" {
			result = lower.Panicked
		} else {
			for i, v := range native[k].Out {
				binary.NativeEndian.PutUint64(want[8*i:], v)
			}
		}
		for i, run := range []func() (interface{ Result() (uint32, []byte) }, error){
			func() (interface{ Result() (uint32, []byte) }, error) {
				return lower.InterpretPacket(modules[0], packet)
			},
			func() (interface{ Result() (uint32, []byte) }, error) {
				return lower.InterpretPacket(modules[1], packet)
			},
			func() (interface{ Result() (uint32, []byte) }, error) {
				return lower.ExecutePacket(p.Unit(), target, packet)
			},
		} {
			o, err := run()
			where := []string{"interpreter after build", "interpreter after the passes", "BPF"}[i]
			if err != nil {
				return fmt.Errorf("%s, input %v: %w", where, in, err)
			}
			if got, content := o.Result(); got != result || !bytes.Equal(content, want) {
				return fmt.Errorf("%s, input %v: got %#x %x, want %#x %x", where, in, got, content, result, want)
			}
		}
	}
	return nil
}
