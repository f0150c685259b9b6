package attach

import (
	"slices"
	"strings"
)

// nearest returns the up to n names closest to want by edit distance, closest
// first; names that share nothing with want are left out.
func nearest(want string, names []string, n int) []string {
	type scored struct {
		name string
		dist int
	}
	var near []scored
	limit := max(2, len(want)/3)
	for _, name := range names {
		contains := strings.Contains(name, want)
		if !contains && max(len(name)-len(want), len(want)-len(name)) > limit {
			continue // and so is the distance
		}
		if d := editDistance(want, name); contains || d <= limit {
			near = append(near, scored{name, d})
		}
	}
	slices.SortFunc(near, func(a, b scored) int {
		if a.dist != b.dist {
			return a.dist - b.dist
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, s := range near[:min(n, len(near))] {
		out = append(out, s.name)
	}
	return out
}

// editDistance is the Levenshtein distance between a and b, in bytes, by the
// usual dynamic programme over two rows.
func editDistance(a, b string) int {
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j]+cost, prev[j+1]+1, cur[j]+1)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}
