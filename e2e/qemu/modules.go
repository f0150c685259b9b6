package qemu

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A module is a kernel module ready to be loaded.
type module struct {
	name string
	data []byte
}

// loadModules returns the named modules and those they depend on, in the order
// in which they can be loaded. Names the kernel has no module for are left
// out: the code may be built in, and a test that needs it will say so.
func loadModules(dir string, names []string) ([]module, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if name, ok := moduleName(p); ok && err == nil {
			files[name] = p
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []module
	done := map[string]bool{}
	var load func(name string) error
	load = func(name string) error {
		name = strings.ReplaceAll(name, "-", "_")
		file := files[name]
		if done[name] || file == "" {
			return nil
		}
		done[name] = true
		data, err := readModule(file)
		if err != nil {
			return err
		}
		deps, err := dependencies(data)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, d := range deps {
			if err := load(d); err != nil {
				return err
			}
		}
		out = append(out, module{name, data})
		return nil
	}
	for _, n := range names {
		if err := load(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// moduleName returns the name of the module in file p.
func moduleName(p string) (string, bool) {
	base := strings.TrimSuffix(filepath.Base(p), ".xz")
	name, ok := strings.CutSuffix(base, ".ko")
	return strings.ReplaceAll(name, "-", "_"), ok
}

// readModule returns the object file of a module; some distributions compress
// them.
func readModule(file string) ([]byte, error) {
	if !strings.HasSuffix(file, ".xz") {
		return os.ReadFile(file)
	}
	data, err := exec.Command("xz", "-dc", file).Output()
	if err != nil {
		return nil, fmt.Errorf("xz %s: %w: install the package xz-utils", file, err)
	}
	return data, nil
}

// dependencies returns the names in the depends= entry of section .modinfo.
func dependencies(object []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(object))
	if err != nil {
		return nil, err
	}
	sec := f.Section(".modinfo")
	if sec == nil {
		return nil, nil
	}
	info, err := sec.Data()
	if err != nil {
		return nil, err
	}
	for entry := range bytes.SplitSeq(info, []byte{0}) {
		if deps, ok := strings.CutPrefix(string(entry), "depends="); ok && deps != "" {
			return strings.Split(deps, ","), nil
		}
	}
	return nil, nil
}
