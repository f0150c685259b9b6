package jit

import (
	"go/token"
	"go/types"
	"strings"
	"time"

	"golang.org/x/tools/go/ssa"

	"github.com/undergo-ebpf/undergo/ebpf/bind"
	"github.com/undergo-ebpf/undergo/lower"
)

// A front is the state of one compilation up to go/ssa.
type front struct {
	opts  *options
	lib   *importer
	fset  *token.FileSet
	texts map[string][]byte // of the user's files, by what positions call them
	diags lower.DiagnosticList
	mode  ssa.BuilderMode // tests add ssa.SanityCheckFunctions
	pure  bool            // for Func: not a program, any signature
	value *funcValue      // whose declaration is compiled, or nil
	// sections is the section names of functions that something else than the source
	// gives, see CheckFiles.
	sections map[string]string
	// checking says that the result is thrown away: the source is that of some process,
	// and what only a kernel knows is as the program needs it.
	checking bool

	used    map[string]bool        // values of WithConst that found their variable
	globals map[*ssa.Global][]byte // values of package-level variables given with WithConst
	// hostVars is the variables that stand for memory of this process, by name, and
	// snapshots what is there, without the fields that are unavailable; keep is its maps.
	hostVars    map[string]hostVar
	snapshots   map[*ssa.Global]*lower.Snapshot
	unavailable map[*types.Var]string
	keep        []*bind.Map
	stages      []lower.StageTime
	since       time.Time
	stage       string   // being done
	busy        []string // the programs that it is being done for, once they are known
}

// A source is a function that is to be a program, in go/ssa's form.
type source struct {
	decl    *decl
	fn      *ssa.Function
	section *section
	name    string // of the section, with target
	target  string
	// unsuitable says that the function's signature is not that of such a program.
	unsuitable bool
}

const (
	ebpfPath   = "github.com/undergo-ebpf/undergo/ebpf"
	jitPath    = "github.com/undergo-ebpf/undergo/jit"
	attachPath = "github.com/undergo-ebpf/undergo/attach"
)

func newFront(opts []Option) *front {
	f := &front{
		opts:        newOptions(opts),
		fset:        token.NewFileSet(),
		texts:       make(map[string][]byte),
		used:        make(map[string]bool),
		hostVars:    make(map[string]hostVar),
		snapshots:   make(map[*ssa.Global]*lower.Snapshot),
		unavailable: make(map[*types.Var]string),
		since:       time.Now(),
		stage:       "parse",
	}
	f.fset.AddFile("", userBase, 0)
	f.lib = newImporter(f)
	return f
}

// enter ends the current stage and begins another.
func (f *front) enter(stage string) {
	now := time.Now()
	f.stages = append(f.stages, lower.StageTime{Stage: f.stage, Time: now.Sub(f.since)})
	f.stage, f.since = stage, now
}

// programs type-checks the roots and all that they need, and builds SSA. It
// returns nil if there were errors.
func (f *front) programs(roots []*decl) []*source {
	if f.diags.Len() > 0 || len(roots) == 0 {
		return nil
	}
	for _, d := range roots {
		f.busy = append(f.busy, d.fn.Name.Name)
	}
	f.enter("check")
	c, k := f.checkProgram(roots[0].file.pkg, roots)
	if k == nil {
		return nil
	}
	if f.value != nil && f.opts.source == nil {
		f.checkAges(c)
	}
	values := f.constVars(k)
	for _, name := range sortedKeys(f.opts.consts) {
		if !f.used[name] {
			f.diags.Add(lower.UnknownConst, token.Position{}, "", "WithConst: the program has no variable %s", name)
		}
	}
	sources := make([]*source, 0, len(roots))
	for _, d := range roots {
		if obj, ok := k.info.Defs[d.fn.Name].(*types.Func); ok {
			sources = append(sources, f.classify(d, obj))
		}
	}
	if f.diags.Len() > 0 {
		if !f.pure && len(sources) > 0 {
			f.salvage(c, sources)
		}
		return nil
	}
	if c.tooManyInstances() {
		return nil
	}
	f.enter("ssa")
	prog := buildSSA(c, f.mode)
	f.globals = make(map[*ssa.Global][]byte)
	for v, mem := range values {
		f.globals[prog.Package(k.types).Var(v.Name())] = mem
	}
	f.takeHostVars(prog, k, c.r)
	f.takeGivenMaps(prog, k)
	if f.diags.Len() > 0 {
		return nil
	}
	for _, s := range sources {
		s.fn = prog.FuncValue(k.info.Defs[s.decl.fn.Name].(*types.Func))
	}
	f.enter("lower")
	return sources
}

// classify finds out what type of program a function is.
func (f *front) classify(d *decl, obj *types.Func) *source {
	s := &source{decl: d}
	if f.value != nil {
		f.checkType(f.value, obj)
	}
	name, pos := f.sectionOf(d, obj)
	if name == "" {
		return s
	}
	var problem string
	if s.section, s.target, problem = findSection(name); s.section == nil {
		f.diags.Add(lower.UnknownSection, f.fset.Position(pos), "names are libbpf's, such as tracepoint/GROUP/NAME, raw_tracepoint/NAME or xdp",
			"section %q: %s", name, problem)
		return s
	}
	s.name = name
	before := f.diags.Len()
	if f.pure {
		f.checkPure(d, obj)
	} else {
		f.checkSignature(d, obj, s.section)
	}
	s.unsuitable = f.diags.Len() > before
	return s
}

// valueRoots returns the declaration of a func value.
func (f *front) valueRoots(fn any) ([]*decl, error) {
	v, err := inspect(fn)
	if err != nil {
		return nil, err
	}
	f.value = v
	if d := f.entryOf(v); d != nil {
		return []*decl{d}, nil
	}
	return nil, nil
}

// sourceRoots parses Go source text and returns its programs.
func (f *front) sourceRoots(name, src string) []*decl {
	if strings.TrimSpace(src) == "" {
		f.diags.Add(lower.NoProgram, token.Position{Filename: name}, "", "the source is empty")
		return nil
	}
	p := newPkg("", "")
	file := f.parse(p, name, []byte(src))
	if file == nil {
		return nil
	}
	return f.packageRoots(p, name)
}

// programsOf returns the functions of p that say that they are programs.
func programsOf(p *pkg) []*decl {
	var roots []*decl
	for _, file := range p.files {
		for _, d := range file.syntax.Decls {
			if d := file.funcs[d]; d != nil && looksLikeProgram(d.fn) {
				roots = append(roots, d)
			}
		}
	}
	return roots
}

// packageRoots returns the programs of a package, in source order.
func (f *front) packageRoots(p *pkg, name string) []*decl {
	roots := programsOf(p)
	if len(roots) == 0 && f.diags.Len() == 0 {
		f.diags.Add(lower.NoProgram, token.Position{Filename: name}, "write //ebpf:section NAME above the functions that are programs",
			"no function is a program")
	}
	return roots
}
