package qemu

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A cpio is an archive in the format "newc", which the kernel unpacks as its
// initramfs: Documentation/driver-api/early-userspace/buffer-format.rst.
type cpio struct {
	buf  bytes.Buffer
	ino  int
	dirs map[string]bool
}

// add appends an entry, and the directories above it that are not there yet.
func (c *cpio) add(name string, mode uint32, data []byte) {
	if dir := path.Dir(name); dir != "." {
		c.mkdir(dir)
	}
	c.entry(name, mode, data)
}

func (c *cpio) mkdir(dir string) {
	if c.dirs == nil {
		c.dirs = map[string]bool{}
	}
	if dir == "." || c.dirs[dir] {
		return
	}
	c.mkdir(path.Dir(dir))
	c.dirs[dir] = true
	c.entry(dir, 0o040755, nil)
}

func (c *cpio) entry(name string, mode uint32, data []byte) {
	c.ino++
	const nlink, noTime, noOwner, noDev, noCheck = 1, 0, 0, 0, 0
	fmt.Fprintf(&c.buf, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.ino, mode, noOwner, noOwner, nlink, noTime, len(data), noDev, noDev, noDev, noDev, len(name)+1, noCheck)
	c.buf.WriteString(name)
	c.buf.WriteByte(0)
	c.pad()
	c.buf.Write(data)
	c.pad()
}

// pad aligns to four bytes.
func (c *cpio) pad() {
	for c.buf.Len()%4 != 0 {
		c.buf.WriteByte(0)
	}
}

// addFile appends a file of the host.
func (c *cpio) addFile(name, hostPath string, mode uint32) error {
	data, err := os.ReadFile(hostPath)
	if err != nil {
		return err
	}
	c.add(name, 0o100000|mode, data)
	return nil
}

// addTree appends a directory of the host with all that is below it.
func (c *cpio) addTree(name, hostDir string) error {
	return c.walk(name, hostDir, func(string, fs.DirEntry) bool { return true })
}

// addSource appends the Go source and the test data below a directory, under
// its own absolute path.
func (c *cpio) addSource(hostDir string) error {
	abs, err := filepath.Abs(hostDir)
	if err != nil {
		return err
	}
	return c.walk(strings.TrimPrefix(filepath.ToSlash(abs), "/"), abs, func(p string, d fs.DirEntry) bool {
		if d.IsDir() {
			return d.Name() == "." || !strings.HasPrefix(d.Name(), ".")
		}
		return strings.HasSuffix(p, ".go") || strings.Contains(p, "/testdata/") || d.Name() == "go.mod"
	})
}

// walk appends what keep selects of a directory.
func (c *cpio) walk(name, hostDir string, keep func(path string, d fs.DirEntry) bool) error {
	return filepath.WalkDir(hostDir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p != hostDir && !keep(p, d) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(hostDir, p)
		if err != nil {
			return err
		}
		target := path.Join(name, filepath.ToSlash(rel))
		if d.IsDir() {
			c.mkdir(target)
			return nil
		}
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		return c.addFile(target, p, uint32(info.Mode().Perm()))
	})
}

// finish ends the archive and returns it.
func (c *cpio) finish() []byte {
	c.entry("TRAILER!!!", 0, nil)
	return c.buf.Bytes()
}
