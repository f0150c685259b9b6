package kernels

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestTempDir checks that what a killed process leaves behind is removed, and nothing else.
func TestTempDir(t *testing.T) {
	parent := t.TempDir()
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(parent, tempPrefix+strconv.Itoa(dead.Process.Pid)+"-1")
	other := filepath.Join(parent, tempPrefix+"jit")
	for _, dir := range []string{stale, other} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	first, err := TempDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TempDir(parent); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{first, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory of a process that is gone is still there: %v", err)
	}
}
