package kernels

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Kernel is an unpacked distribution kernel.
type Kernel struct {
	Name    string // major.minor, such as 6.12
	Arch    string // Go's name
	Release string // as uname -r prints it
	Image   string // path of the boot image
	Modules string // path of the directory /lib/modules/Release
}

// source says where a kernel comes from.
type source struct {
	name  string
	suite string
	// meta is the package to resolve: a metapackage that depends on the image of
	// the day, or a pattern of image package names of which the newest is taken.
	meta string
}

// sources are the kernels of the matrix, oldest first. The cloud flavour has
// the same BPF configuration as the general one at a third of the size.
var sources = []source{
	{"5.10", "bullseye", "linux-image-cloud-%s"},
	{"6.1", "bookworm", "linux-image-cloud-%s"},
	{"6.12", "trixie", "linux-image-cloud-%s"},
	{"7.3", "trixie-backports", "linux-binary-7.3.*-cloud-%s"},
}

// Names returns the kernels there are, oldest first.
func Names() []string {
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = s.name
	}
	return names
}

// debianArch maps Go's architecture names to Debian's, which agree on those
// supported.
var debianArch = map[string]string{"amd64": "amd64", "arm64": "arm64"}

// A Store is a cache of kernels.
type Store struct {
	// Dir is the directory of the cache.
	Dir string
	// Lock is the path of the lock file.
	Lock string
	// Log receives progress.
	Log io.Writer
}

// Get returns the kernel of the given name and architecture, fetching it if
// the cache lacks it.
func (s *Store) Get(ctx context.Context, name, arch string) (*Kernel, error) {
	i := slices.IndexFunc(sources, func(src source) bool { return src.name == name })
	if i < 0 || debianArch[arch] == "" {
		return nil, fmt.Errorf("no kernel %s for %s: there are %s, for amd64 and arm64", name, arch, strings.Join(Names(), ", "))
	}
	pins, err := readLock(s.Lock)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	mine := pinsOf(pins, name, arch)
	if len(mine) > 0 {
		k, err := s.fetch(ctx, sources[i], arch, mine)
		if err == nil {
			return k, nil
		}
		// Point releases remove old versions from the archive.
		fmt.Fprintf(s.Log, "kernel %s: the pinned version cannot be had (%v); taking the newest: run 'go run ./e2e/vmrun -update' to pin it\n", name, err)
	}
	if mine, err = s.resolve(ctx, sources[i], arch); err != nil {
		return nil, fmt.Errorf("kernel %s for %s: %w", name, arch, err)
	}
	k, err := s.fetch(ctx, sources[i], arch, mine)
	if err != nil {
		return nil, fmt.Errorf("kernel %s for %s: %w", name, arch, err)
	}
	return k, nil
}

// Update pins the newest version of every kernel.
func (s *Store) Update(ctx context.Context) error {
	var pins []pin
	for _, arch := range []string{"amd64", "arm64"} {
		for _, src := range sources {
			p, err := s.resolve(ctx, src, arch)
			if err != nil {
				return fmt.Errorf("kernel %s for %s: %w", src.name, arch, err)
			}
			pins = append(pins, p...)
		}
	}
	return writeLock(s.Lock, pins)
}

func (s *Store) archive(suite, arch string) (*archive, error) {
	return openArchive(filepath.Join(s.Dir, "apt", suite+"-"+arch), debianArch[arch], false, suite)
}

// resolve finds the packages of the newest version of a kernel.
func (s *Store) resolve(ctx context.Context, src source, arch string) ([]pin, error) {
	a, err := s.archive(src.suite, arch)
	if err != nil {
		return nil, err
	}
	defer a.close()
	fmt.Fprintf(s.Log, "kernel %s for %s: reading the package lists of %s\n", src.name, arch, src.suite)
	if err := a.update(ctx); err != nil {
		return nil, err
	}
	image, err := s.imagePackage(ctx, a, fmt.Sprintf(src.meta, a.arch))
	if err != nil {
		return nil, err
	}
	pkgs := []string{image}
	if rest, ok := strings.CutPrefix(image, "linux-binary-"); ok {
		pkgs = append(pkgs, "linux-modules-"+rest) // split packages from 7.0 on
	}
	var pins []pin
	for _, pkg := range pkgs {
		recs, err := a.show(ctx, pkg)
		if err != nil {
			return nil, err
		}
		pins = append(pins, pin{src.name, src.suite, arch, pkg, recs[0]["Version"], recs[0]["SHA256"]})
	}
	return pins, nil
}

var imageName = regexp.MustCompile(`linux-image-[0-9][^ ,]*`)

// imagePackage returns the package that holds the boot image.
func (s *Store) imagePackage(ctx context.Context, a *archive, meta string) (string, error) {
	if !strings.Contains(meta, "*") {
		recs, err := a.show(ctx, meta)
		if err != nil {
			return "", err
		}
		if image := imageName.FindString(recs[0]["Depends"]); image != "" {
			return image, nil
		}
		return "", fmt.Errorf("package %s depends on no kernel image", meta)
	}
	text, err := a.run(ctx, "apt-cache", "pkgnames", meta[:strings.Index(meta, "*")])
	if err != nil {
		return "", err
	}
	var names []string
	for name := range strings.Lines(text) {
		name = strings.TrimSpace(name)
		if ok, _ := filepath.Match(meta, name); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", fmt.Errorf("the archive has no package %s", meta)
	}
	slices.SortFunc(names, compareNatural)
	return names[len(names)-1], nil
}

// compareNatural orders strings with the numbers in them by value.
func compareNatural(a, b string) int {
	split := regexp.MustCompile(`[0-9]+|[^0-9]+`)
	x, y := split.FindAllString(a, -1), split.FindAllString(b, -1)
	for i := range min(len(x), len(y)) {
		if x[i] == y[i] {
			continue
		}
		if len(x[i]) != len(y[i]) && isDigit(x[i][0]) && isDigit(y[i][0]) {
			return len(x[i]) - len(y[i])
		}
		return strings.Compare(x[i], y[i])
	}
	return len(x) - len(y)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// fetch returns the kernel made of the given packages, from the cache if it is
// there.
func (s *Store) fetch(ctx context.Context, src source, arch string, pins []pin) (*Kernel, error) {
	dir := filepath.Join(s.Dir, fmt.Sprintf("linux-%s-%s-%s", src.name, arch, pins[0].sha256[:12]))
	if k, err := inspect(dir, src.name, arch); err == nil {
		return k, nil
	}
	a, err := s.archive(src.suite, arch)
	if err != nil {
		return nil, err
	}
	defer a.close()
	if k, err := inspect(dir, src.name, arch); err == nil {
		return k, nil // somebody else has fetched it
	}
	if err := a.update(ctx); err != nil {
		return nil, err
	}
	tmp, err := TempDir(s.Dir)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	root := filepath.Join(tmp, "root")
	for _, p := range pins {
		fmt.Fprintf(s.Log, "kernel %s for %s: fetching %s %s\n", src.name, arch, p.pkg, p.version)
		if err := a.download(ctx, tmp, p.pkg, p.version); err != nil {
			return nil, err
		}
		deb, err := onlyMatch(filepath.Join(tmp, "*.deb"))
		if err != nil {
			return nil, err
		}
		if err := verify(deb, p.sha256); err != nil {
			return nil, err
		}
		if err := unpack(ctx, deb, root); err != nil {
			return nil, err
		}
		if err := os.Remove(deb); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(root, dir); err != nil {
		return nil, err
	}
	return inspect(dir, src.name, arch)
}

func verify(path, sum string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("%s: checksum is %s, want %s", filepath.Base(path), got, sum)
	}
	return nil
}

// inspect finds the parts of an unpacked kernel.
func inspect(dir, name, arch string) (*Kernel, error) {
	modules, err := onlyMatch(filepath.Join(dir, "lib/modules/*"), filepath.Join(dir, "usr/lib/modules/*"))
	if err != nil {
		return nil, err
	}
	image, err := onlyMatch(filepath.Join(dir, "boot/vmlinuz-*"), filepath.Join(modules, "vmlinuz"))
	if err != nil {
		return nil, err
	}
	return &Kernel{Name: name, Arch: arch, Release: filepath.Base(modules), Image: image, Modules: modules}, nil
}

// onlyMatch returns the one file that the patterns match.
func onlyMatch(patterns ...string) (string, error) {
	var found []string
	for _, p := range patterns {
		m, err := filepath.Glob(p)
		if err != nil {
			return "", err
		}
		found = append(found, m...)
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s: %d files match, want 1", strings.Join(patterns, ", "), len(found))
	}
	return found[0], nil
}
