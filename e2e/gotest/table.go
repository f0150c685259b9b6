package gotest

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// A Row of a table says what becomes of a program.
type Row struct {
	Name, Sum string
	// Outcome is Pass, the code of the diagnostic that refuses the program, or
	// Deviation and why it fails.
	Outcome string
}

// Outcomes, besides the codes of diagnostics.
const (
	Pass      = "pass"
	Deviation = "deviation:"
)

// ReadTable reads a table: a row in each line, and comments that begin with #.
func ReadTable(file string) ([]Row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows []Row
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := lines.Text(); !strings.HasPrefix(line, "#") {
			fields := strings.SplitN(line, " ", 3)
			if len(fields) < 3 {
				return nil, fmt.Errorf("%s: %q is not a name, a sum and an outcome", file, line)
			}
			rows = append(rows, Row{fields[0], fields[1], fields[2]})
		}
	}
	return rows, lines.Err()
}

// WriteTable writes a table with a comment.
func WriteTable(file, comment string, rows []Row) error {
	var b strings.Builder
	for line := range strings.Lines(comment) {
		b.WriteString("# " + line)
	}
	b.WriteByte('\n')
	for _, r := range rows {
		fmt.Fprintf(&b, "%s %s %s\n", r.Name, r.Sum, r.Outcome)
	}
	return os.WriteFile(file, []byte(b.String()), 0o666)
}
