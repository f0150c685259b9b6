package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// This file makes the README's table of features by kernel: a guest prints the
// outcome of each feature when its tests are done, and the host collects them.

// outcomePrefix marks the lines that print prints.
const outcomePrefix = "feature: "

// print prints the outcomes in a guest, a line for each feature tested.
func (o *outcomeTable) print() {
	if guest == "" {
		return
	}
	for _, f := range features {
		if out := o.of[f]; out != "" {
			fmt.Printf("%s%s: %s\n", outcomePrefix, out, f.name)
		}
	}
}

// parseOutcomes returns the outcome of each feature in a guest's output.
func parseOutcomes(output string) map[string]outcome {
	of := map[string]outcome{}
	for line := range strings.Lines(output) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), outcomePrefix)
		if out, name, found := strings.Cut(rest, ": "); ok && found {
			of[name] = outcome(out)
		}
	}
	return of
}

// A column is the outcomes in one kernel.
type column struct {
	kernel, arch string
	of           map[string]outcome
}

// cells is how the table shows outcomes.
var cells = map[outcome]string{passed: "yes", absent: "–", failed: "fails", "": "not run"}

// formatTable returns the table in Markdown.
func formatTable(columns []column) string {
	var b strings.Builder
	b.WriteString("| feature |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.kernel)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(columns)) + "\n")
	for _, f := range features {
		fmt.Fprintf(&b, "| %s |", f.name)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", cells[c.of[f.name]])
		}
		b.WriteString("\n")
	}
	return b.String()
}

// writeTable replaces the table for the columns' architecture in a Markdown
// file, which is between two comments.
func writeTable(path string, columns []column) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin := fmt.Appendf(nil, "<!-- table %s: go test ./e2e -kernel=all -arch=%[1]s -table -timeout 60m -->\n", columns[0].arch)
	end := []byte("<!-- end of table -->")
	before, rest, ok := bytes.Cut(text, begin)
	_, after, ok2 := bytes.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s: no table between the lines %q and %q", path, begin, end)
	}
	text = append(before[:len(before):len(before)], begin...)
	text = append(text, "\n"+formatTable(columns)+"\n"...)
	text = append(append(text, end...), after...)
	return os.WriteFile(path, text, 0o644)
}

func TestFormatTable(t *testing.T) {
	guestOutput := outcomePrefix + "pass: " + language.name + "\nnoise\n" + outcomePrefix + "absent: " + perfLinks.name + "\n"
	got := formatTable([]column{{"5.10", "amd64", parseOutcomes(guestOutput)}, {"6.1", "amd64", map[string]outcome{language.name: failed}}})
	for _, want := range []string{
		"| feature | 5.10 | 6.1 |\n| --- | --- | --- |\n",
		"| " + language.name + " | yes | fails |\n",
		"| " + perfLinks.name + " | – | not run |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, got)
		}
	}
}
