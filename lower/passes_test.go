package lower

import (
	"strings"
	"testing"
)

// rows returns the positions in the table of what name means in passOrder.
func rows(name string) []int {
	var list []int
	for i, p := range passes {
		base, _, _ := strings.Cut(p.name, "/")
		if p.name == name || base == name {
			list = append(list, i)
		}
	}
	return list
}

func TestPassOrder(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range passes {
		if seen[p.name] {
			t.Errorf("two passes are named %s", p.name)
		}
		seen[p.name] = true
	}
	for _, o := range passOrder {
		before, after := rows(o.before), rows(o.after)
		if len(before) == 0 || len(after) == 0 {
			t.Errorf("%s before %s: no such pass", o.before, o.after)
			continue
		}
		if before[len(before)-1] > after[0] {
			t.Errorf("%s must run before %s: %s", o.before, o.after, o.why)
		}
	}
}
