package progen

import "strings"

// Reduce removes lines from a source text for as long as fails says that the rest,
// which may be no valid program, fails still: the algorithm ddmin of Zeller and
// Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 2002.
func Reduce(src string, fails func(src string) bool) string {
	lines := strings.Split(src, "\n")
	for size := len(lines) / 2; size > 0; {
		removed := false
		for at := 0; at+size <= len(lines); {
			rest := append(append([]string{}, lines[:at]...), lines[at+size:]...)
			if fails(strings.Join(rest, "\n")) {
				lines, removed = rest, true
			} else {
				at++
			}
		}
		if !removed || size > len(lines) {
			size /= 2
		}
	}
	return strings.Join(lines, "\n")
}
