package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/undergo-ebpf/undergo/e2e/kerneltest"
)

// This file makes the README's table of features by kernel, of what kerneltest prints in
// guests.

// A column is the outcomes in one kernel.
type column struct {
	kernel, arch string
	of           map[string]kerneltest.Outcome
}

// cells is how the table shows outcomes.
var cells = map[kerneltest.Outcome]string{kerneltest.Passed: "yes", kerneltest.Absent: "–", kerneltest.Failed: "fails", "": "not run"}

// formatTable returns the table in Markdown.
func formatTable(columns []column) string {
	var b strings.Builder
	b.WriteString("| feature |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.kernel)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(columns)) + "\n")
	for _, f := range kerneltest.Features {
		fmt.Fprintf(&b, "| %s |", f.Name)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", cells[c.of[f.Name]])
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
	guestOutput := kerneltest.OutcomePrefix + "pass: " + language.Name + "\nnoise\n" + kerneltest.OutcomePrefix + "absent: " + perfLinks.Name + "\n"
	got := formatTable([]column{{"5.10", "amd64", kerneltest.ParseOutcomes(guestOutput)}, {"6.1", "amd64", map[string]kerneltest.Outcome{language.Name: kerneltest.Failed}}})
	for _, want := range []string{
		"| feature | 5.10 | 6.1 |\n| --- | --- | --- |\n",
		"| " + language.Name + " | yes | fails |\n",
		"| " + perfLinks.Name + " | – | not run |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, got)
		}
	}
}
