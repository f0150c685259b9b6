// Command gen writes the generated files of package ebpf from the kernel's own
// header (bpf.h, pinned here with its licence note), a table of what the header does
// not say (helpers.tsv), and the signatures and comments of the helpers in Go (helpers.txt).
//
//	helpers_gen.go  one documented Go function per helper, with its native body
//	stub_gen.go     the same declarations, and those of every intrinsic, as the
//	                in-process compiler reads them: directives, no text, no bodies
//	consts_gen.go   the header's constants that programs use
//
// It is run by go generate in package ebpf. The test of this package runs it
// again and fails if the checked-in files differ.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	var (
		in  = flag.String("in", "internal/gen", "directory of bpf.h, helpers.tsv and helpers.txt")
		pkg = flag.String("pkg", ".", "directory of package ebpf, searched for intrinsics")
		out = flag.String("out", ".", "directory to write to")
	)
	flag.Parse()
	if err := run(*in, *pkg, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run generates all files into the directory out.
func run(in, pkg, out string) error {
	text, err := os.ReadFile(filepath.Join(in, "bpf.h"))
	if err != nil {
		return err
	}
	helpers, err := parseHelpers(string(text))
	if err != nil {
		return err
	}
	table, err := readTable(filepath.Join(in, "helpers.tsv"))
	if err != nil {
		return err
	}
	shapes, err := readShapes(filepath.Join(in, "helpers.txt"))
	if err != nil {
		return err
	}
	if err := join(helpers, table, shapes); err != nil {
		return err
	}
	consts, err := parseConsts(string(text))
	if err != nil {
		return err
	}
	intrinsics, err := findIntrinsics(pkg)
	if err != nil {
		return err
	}
	native, err := emitHelpers(helpers)
	if err != nil {
		return err
	}
	files := []struct {
		name string
		src  string
	}{
		{"helpers_gen.go", native},
		{"stub_gen.go", emitStub(helpers, intrinsics)},
		{"consts_gen.go", emitConsts(consts)},
	}
	for _, f := range files {
		src, err := formatSource(f.src)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := os.WriteFile(filepath.Join(out, f.name), src, 0o644); err != nil {
			return err
		}
	}
	return nil
}
