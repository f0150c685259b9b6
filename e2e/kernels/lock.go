package kernels

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
)

// A pin is one package of one kernel: a line of the lock file.
type pin struct {
	kernel, suite, arch, pkg, version, sha256 string
}

const lockHeader = `# Kernels of the test matrix, as fetched from Debian's archive.
# Written by: go run ./e2e/vmrun -update
# kernel suite arch package version sha256
`

// readLock reads the lock file.
func readLock(path string) ([]pin, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var pins []pin
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		w := strings.Fields(line)
		if len(w) != 6 {
			return nil, fmt.Errorf("%s:%d: want 6 fields, have %d", path, n, len(w))
		}
		pins = append(pins, pin{w[0], w[1], w[2], w[3], w[4], w[5]})
	}
	return pins, lines.Err()
}

// writeLock writes the lock file.
func writeLock(path string, pins []pin) error {
	var b strings.Builder
	b.WriteString(lockHeader)
	for _, p := range pins {
		fmt.Fprintln(&b, p.kernel, p.suite, p.arch, p.pkg, p.version, p.sha256)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// pinsOf returns the pins of one kernel.
func pinsOf(pins []pin, kernel, arch string) []pin {
	return slices.DeleteFunc(slices.Clone(pins), func(p pin) bool { return p.kernel != kernel || p.arch != arch })
}
