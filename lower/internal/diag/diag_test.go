package diag

import (
	"fmt"
	"go/token"
	"testing"
)

func TestFormat(t *testing.T) {
	at := func(line, col int) token.Position { return token.Position{Filename: "p.go", Line: line, Column: col} }
	var l List
	l.Add(UnsupportedStmt, at(7, 9), "call it", "go statement")
	l.Add(NoProgram, token.Position{Filename: "p.go"}, "", "no function is a program")
	l.Add(TypeError, at(3, 12), "", "undefined: %s", "ä")
	l.Add(TypeError, at(3, 12), "", "undefined: %s", "ä")
	e := l.Err().(Error)
	e[1].Line = "\tx := \"ä\" + ä"
	e[2].Line = "short"
	const plain = `no function is a program [U601]
p.go:3:12: undefined: ä [U202]
p.go:7:9: go statement; call it [U301]`
	if got := fmt.Sprintf("%v", e); got != plain || e.Error() != plain || fmt.Sprintf("%s", e) != plain {
		t.Errorf("got\n%s\nwant\n%s", got, plain)
	}
	const full = `no function is a program [U601]
p.go:3:12: undefined: ä [U202]
		x := "ä" + ä
		         ^
p.go:7:9: go statement; call it [U301]`
	if got := fmt.Sprintf("%+v", e); got != full {
		t.Errorf("got\n%s\nwant\n%s", got, full)
	}
	if got, want := fmt.Sprintf("%q", e[0]), fmt.Sprintf("%q", e[0].Error()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
