package kerneltest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// This file collects the outcomes of features for the README's table: the tests of each
// package print them in a guest, and the host reads what they print.

// An Outcome is that of a feature in one kernel, better ones first.
type Outcome string

const (
	Passed Outcome = "pass"
	Absent Outcome = "absent" // tests were skipped
	Failed Outcome = "fail"
)

// outcomes is the outcomes of the features tested so far; of several tests of
// a feature the worst counts.
var outcomes = outcomeTable{of: map[*Feature]Outcome{}}

type outcomeTable struct {
	sync.Mutex
	of map[*Feature]Outcome
}

func (o *outcomeTable) add(f *Feature, new Outcome) {
	o.Lock()
	defer o.Unlock()
	o.of[f] = o.of[f].worse(new)
}

// worse returns the worse of two outcomes; "" is none.
func (o Outcome) worse(p Outcome) Outcome {
	if o == "" || o == Passed || p == Failed {
		return p
	}
	return o
}

// OutcomePrefix marks the lines that Main prints.
const OutcomePrefix = "feature: "

// Main runs the tests of a package and returns their exit status; in a guest it prints the
// outcomes of the features that they are about. TestMain calls it.
func Main(m *testing.M) int {
	status := m.Run()
	outcomes.print()
	return status
}

// print prints the outcomes in a guest, a line for each feature tested.
func (o *outcomeTable) print() {
	if Guest == "" {
		return
	}
	for _, f := range Features {
		if out := o.of[f]; out != "" {
			fmt.Printf("%s%s: %s\n", OutcomePrefix, out, f.Name)
		}
	}
}

// ParseOutcomes returns the outcome of each feature in what has been printed in a
// guest; of several the worst.
func ParseOutcomes(output string) map[string]Outcome {
	of := map[string]Outcome{}
	for line := range strings.Lines(output) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), OutcomePrefix)
		if out, name, found := strings.Cut(rest, ": "); ok && found {
			of[name] = of[name].worse(Outcome(out))
		}
	}
	return of
}
