package e2e

import (
	"bytes"
	"io"
	"sync"
	"testing"
)

// turns is a writer for each of several writers at a time, the first of which writes
// through; what the others write is kept until it is their turn.
type turns struct {
	mu     sync.Mutex
	out    io.Writer
	kept   []bytes.Buffer
	closed []bool
	now    int
}

func newTurns(out io.Writer, n int) *turns {
	return &turns{out: out, kept: make([]bytes.Buffer, n), closed: make([]bool, n)}
}

// writer returns writer i, which must be closed in the end.
func (t *turns) writer(i int) io.WriteCloser { return &turn{t, i} }

type turn struct {
	of *turns
	i  int
}

func (w *turn) Write(p []byte) (int, error) {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if w.i == w.of.now {
		return w.of.out.Write(p)
	}
	return w.of.kept[w.i].Write(p)
}

// Close passes the turn on if it is this writer's.
func (w *turn) Close() error {
	t := w.of
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed[w.i] = true
	for t.now < len(t.closed) && t.closed[t.now] {
		t.now++
		if t.now < len(t.kept) {
			if _, err := t.kept[t.now].WriteTo(t.out); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestTurns(t *testing.T) {
	var out bytes.Buffer
	all := newTurns(&out, 3)
	a, b, c := all.writer(0), all.writer(1), all.writer(2)
	write := func(w io.Writer, text string) {
		t.Helper()
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	write(c, "c1 ")
	write(a, "a1 ")
	write(b, "b1 ")
	if got := out.String(); got != "a1 " {
		t.Errorf("while the first writes, the output is %q", got)
	}
	for _, w := range []io.Closer{c, a} {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(b, "b2 ")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "a1 b1 b2 c1 " {
		t.Errorf("the output is %q", got)
	}
}
