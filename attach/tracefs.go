package attach

// This file finds tracefs, the file system that lists trace events and carries
// the output of Printk. Where nobody has mounted it, it is reached through a
// detached mount (fsopen, fsmount), which no other process sees and which
// vanishes with its file descriptor.

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// tracefs is an open directory, the root of a tracefs.
type tracefs struct {
	dir *os.File
}

// openTracefs returns the process's tracefs. The directory stays open for the
// life of the process. Failures are not remembered, since privileges and
// mounts may change.
func openTracefs() (*tracefs, error) {
	tracefsCache.Lock()
	defer tracefsCache.Unlock()
	if tracefsCache.fs != nil {
		return tracefsCache.fs, nil
	}
	dir, err := findTracefs()
	if err != nil {
		return nil, err
	}
	tracefsCache.fs = &tracefs{dir}
	return tracefsCache.fs, nil
}

var tracefsCache struct {
	sync.Mutex
	fs *tracefs
}

func findTracefs() (*os.File, error) {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err == nil {
		defer mounts.Close()
		if dir := tracefsMount(mounts); dir != "" {
			return os.Open(dir)
		}
	}
	dir, err := mountTracefsDetached()
	if err != nil {
		return nil, fmt.Errorf("tracefs is not mounted and cannot be reached otherwise: %w: run as root, or mount it with 'mount -t tracefs nodev /sys/kernel/tracing'", err)
	}
	return dir, nil
}

// tracefsMount returns the mount point of the first tracefs in a
// /proc/PID/mountinfo, or "".
func tracefsMount(mountinfo interface{ Read([]byte) (int, error) }) string {
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		// proc_pid_mountinfo(5): fields 1-6, optional fields, "-", type, source, options.
		before, after, ok := strings.Cut(lines.Text(), " - ")
		if !ok || !strings.HasPrefix(after, "tracefs ") {
			continue
		}
		if f := strings.Fields(before); len(f) >= 5 && f[3] == "/" {
			return unescapeMount.Replace(f[4])
		}
	}
	return ""
}

// unescapeMount undoes the kernel's octal escapes in mount points.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// mountTracefsDetached makes a mount that is attached nowhere. It needs
// CAP_SYS_ADMIN and Linux 5.2.
func mountTracefsDetached() (*os.File, error) {
	fsfd, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("fsopen: %w", err)
	}
	defer unix.Close(fsfd)
	if err := unix.FsconfigCreate(fsfd); err != nil {
		return nil, fmt.Errorf("fsconfig: %w", err)
	}
	fd, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return nil, fmt.Errorf("fsmount: %w", err)
	}
	return os.NewFile(uintptr(fd), "tracefs"), nil
}

// open opens a file or directory below the root.
func (t *tracefs) open(path string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Openat(int(t.dir.Fd()), path, flags|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: "tracefs/" + path, Err: err}
		}
		return os.NewFile(uintptr(fd), "tracefs/"+path), nil
	}
}

// readFile returns the content of a small file.
func (t *tracefs) readFile(path string) (string, error) {
	f, err := t.open(path, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	buf := make([]byte, 4096)
	n, err := f.Read(buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// list returns the names in a directory.
func (t *tracefs) list(path string) ([]string, error) {
	f, err := t.open(path, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
