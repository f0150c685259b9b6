// Package host is what the functions of package ebpf do when they run natively:
// under go test, in a debugger, in the race detector.
//
// A helper's body looks its behaviour up here by name at every call. A part of
// the helpers has a faithful one (see the table in defaults.go); of the rest a call
// panics, since an invented result would make a test pass for nothing. Package
// sim, which users import, replaces behaviours.
//
// The package knows nothing of package ebpf, which imports it.
package host

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

var state = struct {
	sync.RWMutex
	fakes  map[string]any // by Go name of the helper; replaces defaults
	output io.Writer
}{
	fakes:  make(map[string]any),
	output: os.Stderr,
}

// Func returns the behaviour of the named helper, which has the function type F.
// It panics if the helper has none.
func Func[F any](name string) F {
	state.RLock()
	f, ok := state.fakes[name]
	state.RUnlock()
	if !ok {
		f, ok = defaults[name]
	}
	if !ok {
		panic(fmt.Sprintf("ebpf.%s has no native behaviour: give it one with sim.Replace(ebpf.%s, ...)", name, name))
	}
	return f.(F)
}

// Define gives a helper that deals with types of package ebpf its native behaviour.
// It is called when that package is initialised.
func Define[F any](name string, f F) bool {
	defaults[name] = f
	return true
}

// Replace gives the named helper the behaviour f, a function of the helper's
// type, and returns a function that brings the former one back.
func Replace(name string, f any) (restore func()) {
	state.Lock()
	defer state.Unlock()
	old, had := state.fakes[name]
	state.fakes[name] = f
	return func() {
		state.Lock()
		defer state.Unlock()
		if had {
			state.fakes[name] = old
		} else {
			delete(state.fakes, name)
		}
	}
}

// SetOutput directs what programs print to w and returns a function that brings
// the former writer back.
func SetOutput(w io.Writer) (restore func()) {
	state.Lock()
	defer state.Unlock()
	old := state.output
	state.output = w
	return func() {
		state.Lock()
		defer state.Unlock()
		state.output = old
	}
}

// Print writes one line of trace output. Like the kernel it ends a line that
// does not end itself.
func Print(line string) {
	if !strings.HasSuffix(line, "\n") {
		line += "\n"
	}
	state.Lock()
	defer state.Unlock()
	// The kernel's buffer loses lines silently too.
	_, _ = io.WriteString(state.output, line)
}
