package progen

// This file runs generated programs as Go means them: compiled by the Go
// toolchain, many to a binary.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// An Outcome is what a program did with one input: its results, or the kind of
// run-time panic that ended it.
type Outcome struct {
	Out   [4]uint64
	Panic string // "", "index", "slice", "convert", "assert", "divide", "shift", "nil" or "explicit"
}

// A Case is a program and the inputs to run it with.
type Case struct {
	// Source is a file whose function Name is of type Signature.
	Name, Source string
	Inputs       [][6]uint64
	// Unique says that the names the source declares occur in no other case, so that
	// the native build, which is slow for many packages, can put it in a common one.
	Unique bool
}

// Case returns the program with n inputs of its seed.
func (p *Program) Case(n int) Case {
	return Case{Name: p.Name, Source: p.Source(), Inputs: Inputs(p.Seed, n), Unique: true}
}

// Native compiles programs with the go command, runs each with its inputs, and
// returns the outcomes of case i at index i.
func Native(cases []Case) ([][]Outcome, error) {
	dir, err := os.MkdirTemp("", "progen-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "native")
	if err := Build(bin, "", cases); err != nil {
		return nil, err
	}
	return Run(bin)
}

// Again asks the Go compiler again about a case with outcomes by [Native] that differ from those of
// undergo: as users compile it, and then for an equal program (see opaque). If agree accepts the
// outcomes of one of these, the Go compiler gives equal programs unequal results, so it is wrong,
// and Again returns a description of where; otherwise "".
//
// Without optimisations Go 1.26 for amd64 does not clear the upper half of
// uint64(uint32(x) &^ (uint32(x) ^ uint32(x))), which is golang.org/issue/36897. With and without
// them, the variable x is {1, 0} after x = T{1, a[i]} has panicked and was recovered, whatever it was
// before: golang.org/issue/4608.
func Again(c Case, agree func([]Outcome) bool) (wrong string, err error) {
	ask := func(c Case) (bool, error) {
		dir, err := os.MkdirTemp("", "progen-")
		if err != nil {
			return false, err
		}
		defer os.RemoveAll(dir)
		bin := filepath.Join(dir, "native")
		if err := build(bin, "", "", []Case{c}); err != nil {
			return false, err
		}
		all, err := Run(bin)
		return err == nil && agree(all[0]), err
	}
	if ok, err := ask(c); ok || err != nil {
		return "without optimisations", err
	}
	if c.Source, err = opaque(c.Source); err != nil {
		return "", err
	}
	ok, err := ask(c)
	if !ok || err != nil {
		return "", err
	}
	return "unless operations are hidden from it", nil
}

// fastBuild is the flags of the compiler for many programs: its optimisations and debug information
// take half the time of a build.
const fastBuild = "-N -l -dwarf=false"

// Build is the first half of [Native]: it makes a static binary that runs the
// programs, for the architecture with Go's name arch, or the host's if that is
// empty.
//
// Without optimisations Go 1.26 for amd64 cannot build programs with a constant index so large that the
// offset does not fit into an instruction ("offset too large").
func Build(binary, arch string, cases []Case) error {
	err := build(binary, arch, fastBuild, cases)
	if err != nil && strings.Contains(err.Error(), "offset too large") {
		return build(binary, arch, "-dwarf=false", cases)
	}
	return err
}

// build is Build with the given flags of the compiler.
func build(binary, arch, flags string, cases []Case) error {
	dir, err := os.MkdirTemp("", "progen-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files := map[string]string{
		"go.mod":  "module native\n\ngo 1.26\n",
		"main.go": nativeMain(cases),
	}
	for i, c := range cases {
		if c.Unique {
			files[fmt.Sprintf("p%d.go", i)] = "package main" + strings.TrimPrefix(c.Source, "package p")
			continue
		}
		files[fmt.Sprintf("p%d/p.go", i)] = c.Source
		files[fmt.Sprintf("p%d/run.go", i)] = fmt.Sprintf("package p\n\nvar Run = %s\n", c.Name)
	}
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-gcflags="+flags, "-ldflags=-s -w", "-o", binary, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if arch != "" {
		cmd.Env = append(cmd.Env, "GOARCH="+arch)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %d programs: %w: %s", len(cases), err, out)
	}
	return nil
}

// Run is the second half of [Native]: it runs what [Build] has made.
func Run(binary string) ([][]Outcome, error) {
	var stdout, stderr bytes.Buffer
	run := exec.Command(binary)
	run.Stdout, run.Stderr = &stdout, &stderr
	if err := run.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w: %s", filepath.Base(binary), err, stderr.Bytes())
	}
	var all [][]Outcome
	if err := json.Unmarshal(stdout.Bytes(), &all); err != nil {
		return nil, err
	}
	for _, outcomes := range all {
		for i := range outcomes {
			outcomes[i].Panic = PanicKind(outcomes[i].Panic)
		}
	}
	return all, nil
}

// PanicKind names the kind of a run-time panic with the given message.
func PanicKind(message string) string {
	for _, k := range []struct{ part, kind string }{
		{"index out of range", "index"},
		{"slice bounds out of range", "slice"},
		{"makeslice: ", "slice"},
		{"cannot convert slice", "convert"},
		{"interface conversion", "assert"},
		{"divide by zero", "divide"},
		{"negative shift amount", "shift"},
		{"nil pointer dereference", "nil"},
	} {
		if strings.Contains(message, k.part) {
			return k.kind
		}
	}
	if message == "" {
		return ""
	}
	return "explicit"
}

// nativeMain is the main file of a binary that runs cases and prints the
// outcomes as JSON.
func nativeMain(cases []Case) string {
	var imports, programs, inputs strings.Builder
	for i, c := range cases {
		name := c.Name
		if !c.Unique {
			fmt.Fprintf(&imports, "\tp%d \"native/p%d\"\n", i, i)
			name = fmt.Sprintf("p%d.Run", i)
		}
		fmt.Fprintf(&programs, "\t%s,\n", name)
		inputs.WriteString("\t{")
		for _, in := range c.Inputs {
			fmt.Fprintf(&inputs, "{%d, %d, %d, %d, %d, %d}, ", in[0], in[1], in[2], in[3], in[4], in[5])
		}
		inputs.WriteString("},\n")
	}
	return fmt.Sprintf(nativeText, imports.String(), programs.String(), inputs.String())
}

const nativeText = `package main

import (
	"encoding/json"
	"fmt"
	"os"

%s)

type outcome struct {
	Out   [4]uint64
	Panic string
}

func run(f func([6]uint64) [4]uint64, in [6]uint64) (o outcome) {
	defer func() {
		if v := recover(); v != nil {
			o.Panic = fmt.Sprint(v)
		}
	}()
	o.Out = f(in)
	return
}

func main() {
	var all [][]outcome
	for i, f := range programs {
		var outcomes []outcome
		for _, in := range inputs[i] {
			outcomes = append(outcomes, run(f, in))
		}
		all = append(all, outcomes)
	}
	json.NewEncoder(os.Stdout).Encode(all)
}

var programs = []func([6]uint64) [4]uint64{
%s}

var inputs = [][][6]uint64{
%s}
`
