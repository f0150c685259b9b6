package kernels

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// tempPrefix begins the names of temporary directories, before the number of the process
// that they belong to.
const tempPrefix = "undergo-"

// TempDir makes a temporary directory below parent, or below the system's directory for
// them if that is empty. The caller removes it; those of processes that have been
// killed before they could are removed here.
func TempDir(parent string) (string, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	old, err := filepath.Glob(filepath.Join(parent, tempPrefix+"[0-9]*-*"))
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		var pid int
		if n, _ := fmt.Sscanf(strings.TrimPrefix(filepath.Base(dir), tempPrefix), "%d-", &pid); n == 1 && pid > 0 &&
			errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			os.RemoveAll(dir)
		}
	}
	return os.MkdirTemp(parent, fmt.Sprintf("%s%d-", tempPrefix, os.Getpid()))
}
