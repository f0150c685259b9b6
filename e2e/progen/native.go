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
	Panic string // "", "index", "divide", "shift", "nil" or "explicit"
}

// Native compiles programs with the go command, runs each with n inputs of its
// seed, and returns the outcomes of program i at index i.
func Native(programs []*Program, n int) ([][]Outcome, error) {
	dir, err := os.MkdirTemp("", "progen-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	files := map[string]string{
		"go.mod":  "module native\n\ngo 1.26\n",
		"main.go": nativeMain(programs, n),
	}
	for _, p := range programs {
		files[fmt.Sprintf("p%d.go", p.Seed)] = "package main\n\n" + p.Decls
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	bin := filepath.Join(dir, "native")
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %d programs: %w: %s", len(programs), err, out)
	}
	var stdout, stderr bytes.Buffer
	run := exec.Command(bin)
	run.Stdout, run.Stderr = &stdout, &stderr
	if err := run.Run(); err != nil {
		return nil, fmt.Errorf("run %d programs: %w: %s", len(programs), err, stderr.Bytes())
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

// nativeMain is the main file of a binary that runs programs and prints the
// outcomes as JSON.
func nativeMain(programs []*Program, n int) string {
	var b strings.Builder
	b.WriteString(`package main

import (
	"encoding/json"
	"fmt"
	"os"
)

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
`)
	for _, p := range programs {
		fmt.Fprintf(&b, "\t%s,\n", p.Name)
	}
	b.WriteString("}\n\nvar inputs = [][][6]uint64{\n")
	for _, p := range programs {
		b.WriteString("\t{")
		for _, in := range Inputs(p.Seed, n) {
			fmt.Fprintf(&b, "{%d, %d, %d, %d, %d, %d}, ", in[0], in[1], in[2], in[3], in[4], in[5])
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n")
	return b.String()
}
