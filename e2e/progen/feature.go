package progen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Feature is a part of the language that not all programs use. A program
// uses a random subset of them, since what is left out gives room to the rest (Groce
// et al., "Swarm Testing", ISSTA 2012).
type Feature int

const (
	Slices Feature = iota
	Strings
	Closures
	Iterators // range over functions
	Generics
	Methods
	Interfaces
	Defers
	Tables      // package-level variables that nothing changes
	Globals     // package-level variables
	NilPointers // that may be nil
	LongLoops

	numFeatures
)

var featureNames = [numFeatures]string{
	"slices", "strings", "closures", "iterators", "generics", "methods", "interfaces", "defers", "tables", "globals", "nilpointers", "longloops",
}

// Features is the chance of each feature to be in a program, in percent. It is
// a flag.Value.
type Features [numFeatures]int

// DefaultFeatures returns the chances for tests that are not told otherwise.
func DefaultFeatures() Features {
	var f Features
	for i := range f {
		f[i] = 30
	}
	return f
}

// String returns f as Set reads it.
func (f *Features) String() string {
	list := make([]string, len(f))
	for i, chance := range f {
		list[i] = fmt.Sprintf("%s=%d", featureNames[i], chance)
	}
	return strings.Join(list, ",")
}

// Set changes what it is told to: "slices=100,strings=0"; all stands for every feature.
func (f *Features) Set(s string) error {
	for item := range strings.SplitSeq(s, ",") {
		name, number, _ := strings.Cut(item, "=")
		chance, err := strconv.Atoi(number)
		if err != nil || chance < 0 || chance > 100 {
			return fmt.Errorf("%q is not a feature and its chance in percent", item)
		}
		i := slices.Index(featureNames[:], name)
		if i < 0 && name != "all" {
			return fmt.Errorf("no feature %q; there are %s", name, strings.Join(featureNames[:], ", "))
		}
		for k := range f {
			if k == i || i < 0 {
				f[k] = chance
			}
		}
	}
	return nil
}

// featureStmt generates a statement of one of the program's features, if one of them
// has any here.
func (g *gen) featureStmt() bool {
	stmts := [numFeatures]func() bool{
		Slices:      g.sliceStmt,
		Strings:     g.stringStmt,
		Closures:    g.closureStmt,
		Iterators:   g.iteratorStmt,
		Methods:     g.methodStmt,
		Interfaces:  g.interfaceStmt,
		Defers:      g.deferStmt,
		NilPointers: g.nilPointerStmt,
		LongLoops:   g.longLoopStmt,
	}
	var on []func() bool
	for f, stmt := range stmts {
		if g.on[f] && stmt != nil {
			on = append(on, stmt)
		}
	}
	return len(on) > 0 && on[g.r.IntN(len(on))]()
}
