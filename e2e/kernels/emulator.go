package kernels

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// An Emulator is a qemu-system program that can be run.
type Emulator struct {
	Path string
	// Args come before all others; Env is added to the environment.
	Args []string
	Env  []string
}

// minEmulator is the oldest major version of QEMU used: older ones corrupt
// memory in guests that use cmpxchg16b, as Linux 6.12 does.
const minEmulator = 8

// emulators gives, for each architecture, QEMU's name for it and the package
// that has it.
var emulators = map[string]struct{ program, pkg string }{
	"amd64": {"qemu-system-x86_64", "qemu-system-x86"},
	"arm64": {"qemu-system-aarch64", "qemu-system-arm"},
}

// Emulator returns a QEMU for the given guest architecture: the machine's own if
// it is recent enough, else one fetched into the cache.
func (s *Store) Emulator(ctx context.Context, arch string) (*Emulator, error) {
	e, ok := emulators[arch]
	if !ok {
		return nil, fmt.Errorf("no emulator for %s", arch)
	}
	if path, err := exec.LookPath(e.program); err == nil {
		if major, err := version(ctx, path); err == nil && major >= minEmulator {
			return &Emulator{Path: path}, nil
		}
	}
	dir := filepath.Join(s.Dir, e.program)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := s.fetchEmulator(ctx, e.pkg, dir); err != nil {
			return nil, fmt.Errorf("%w: install QEMU %d or newer (package %s)", err, minEmulator, e.pkg)
		}
	}
	libs, err := filepath.Glob(filepath.Join(dir, "usr/lib/*-linux-gnu*"))
	if err != nil {
		return nil, err
	}
	env := "LD_LIBRARY_PATH="
	for _, l := range libs {
		env += l + ":" + filepath.Join(dir, "lib", filepath.Base(l)) + ":"
	}
	return &Emulator{
		Path: filepath.Join(dir, "usr/bin", e.program),
		Args: []string{"-L", filepath.Join(dir, "usr/share/qemu"), "-L", filepath.Join(dir, "usr/share/seabios")},
		Env:  []string{env},
	}, nil
}

var versionNumber = regexp.MustCompile(`version ([0-9]+)\.`)

// version returns the major version of a QEMU program.
func version(ctx context.Context, path string) (int, error) {
	text, err := output(exec.CommandContext(ctx, path, "-version"))
	if err != nil {
		return 0, err
	}
	m := versionNumber.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%s prints no version", path)
	}
	return strconv.Atoi(m[1])
}

// fetchEmulator unpacks QEMU, and the libraries that the machine lacks, into
// dir.
func (s *Store) fetchEmulator(ctx context.Context, pkg, dir string) error {
	host, err := output(exec.CommandContext(ctx, "dpkg", "--print-architecture"))
	if err != nil {
		return err
	}
	a, err := openArchive(filepath.Join(s.Dir, "apt", "qemu"), strings.TrimSpace(host), true, "bookworm", "bookworm-backports")
	if err != nil {
		return err
	}
	defer a.close()
	if _, err := os.Stat(dir); err == nil {
		return nil // somebody else has fetched it
	}
	fmt.Fprintf(s.Log, "fetching %s\n", pkg)
	if err := a.update(ctx); err != nil {
		return err
	}
	if _, err := a.run(ctx, "apt-get", "install", "-y", "--no-install-recommends", "--download-only", "-t", "bookworm-backports", pkg); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(a.dir, "cache/archives/*.deb"))
	if err != nil {
		return err
	}
	tmp, err := TempDir(s.Dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, deb := range debs {
		if err := unpack(ctx, deb, tmp); err != nil {
			return err
		}
	}
	return os.Rename(tmp, dir)
}
