package kernels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// keyring holds the archive's signing keys; the package debian-archive-keyring
// of Debian and Ubuntu puts it there.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// mirrors are where Debian serves packages from: the second has the suites that
// have left the first.
var mirrors = []string{"http://deb.debian.org/debian", "http://archive.debian.org/debian"}

// An archive is a private apt for some suites and one architecture. Its directory is locked
// from openArchive to close: guests that are started together on a new machine all fetch
// what they need, and apt refuses to run twice.
type archive struct {
	lock   *os.File
	dir    string
	arch   string // Debian's name
	suites []string
	status string // dpkg status file: what counts as installed
}

// openArchive prepares an archive below dir. With system, packages that the
// machine has installed count as such; otherwise nothing does.
func openArchive(dir, arch string, system bool, suites ...string) (*archive, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("%w: kernels are fetched with apt, which Debian and Ubuntu have", err)
	}
	if _, err := os.Stat(keyring); err != nil {
		return nil, fmt.Errorf("%w: install the package debian-archive-keyring", err)
	}
	a := &archive{dir: dir, arch: arch, suites: suites, status: "/var/lib/dpkg/status"}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if a.lock, err = lock(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	if !system {
		a.status = filepath.Join(dir, "status")
		if err := os.WriteFile(a.status, nil, 0o644); err != nil {
			a.close()
			return nil, err
		}
	}
	return a, nil
}

// close lets others have the archive.
func (a *archive) close() { a.lock.Close() }

// lock waits until no process, and no other call in this one, holds the lock that is the file
// at path, and holds it until the file is closed or the process ends.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// command returns one of apt's programs, told to use the archive's own state.
func (a *archive) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	opts := []string{
		"-o", "Dir::Etc::sourcelist=" + filepath.Join(a.dir, "sources.list"),
		"-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::State::lists=" + filepath.Join(a.dir, "lists"),
		"-o", "Dir::State::status=" + a.status,
		"-o", "Dir::Cache=" + filepath.Join(a.dir, "cache"),
		"-o", "APT::Architecture=" + a.arch,
		"-o", "APT::Architectures=" + a.arch,
		"-o", "APT::Sandbox::User=root",
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::Retries=3",
		"-o", "IndexTargets::deb::DEP-11::DefaultEnabled=false",
	}
	return exec.CommandContext(ctx, name, append(opts, args...)...)
}

// run runs one of apt's programs and returns what it prints.
func (a *archive) run(ctx context.Context, name string, args ...string) (string, error) {
	return output(a.command(ctx, name, args...))
}

// output runs cmd and returns its standard output; its standard error is part
// of the error.
func output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			err = errors.Join(err, errors.New(text))
		}
		return "", fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return stdout.String(), nil
}

// update fetches the package lists, from the first mirror that has the suites.
func (a *archive) update(ctx context.Context) error {
	var errs []error
	for _, mirror := range mirrors {
		var sources strings.Builder
		for _, s := range a.suites {
			fmt.Fprintf(&sources, "deb [arch=%s signed-by=%s] %s %s main\n", a.arch, keyring, mirror, s)
		}
		if err := os.WriteFile(filepath.Join(a.dir, "sources.list"), []byte(sources.String()), 0o644); err != nil {
			return err
		}
		// What is archived has not been signed anew.
		_, err := a.run(ctx, "apt-get", "-o", "Acquire::Check-Valid-Until=false", "update")
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// show returns the records of a package, newest first, as maps of their fields.
func (a *archive) show(ctx context.Context, pkg string) ([]map[string]string, error) {
	text, err := a.run(ctx, "apt-cache", "show", pkg)
	if err != nil {
		return nil, err
	}
	var records []map[string]string
	for para := range strings.SplitSeq(text, "\n\n") {
		rec := map[string]string{}
		for line := range strings.SplitSeq(para, "\n") {
			if key, value, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
				rec[key] = value
			}
		}
		if rec["Package"] != "" {
			records = append(records, rec)
		}
	}
	return records, nil
}

// download fetches pkg=version into the current directory of the command,
// dir.
func (a *archive) download(ctx context.Context, dir, pkg, version string) error {
	cmd := a.command(ctx, "apt-get", "download", pkg+"="+version)
	cmd.Dir = dir
	_, err := output(cmd)
	return err
}

// unpack unpacks a .deb below dir.
func unpack(ctx context.Context, deb, dir string) error {
	_, err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", deb, dir))
	return err
}
