package mir

import "testing"

func TestClone(t *testing.T) {
	m, err := Parse("func f entry params=1\n\tslot s0 8 8 \"x\"\nb0:\n\tstore.8 [s0+0], r1\n\tjmp b1\nb1:\n\tpanic 1\n")
	if err != nil {
		t.Fatal(err)
	}
	f := m.Funcs[0]
	want := f.String()
	c := f.Clone()
	if got := c.String(); got != want {
		t.Errorf("clone is\n%s\nwant\n%s", got, want)
	}
	if err := VerifyFunc(c); err != nil {
		t.Errorf("clone is not a function of its own: %v", err)
	}
	c.Blocks[0].Insts[0].Src = R10
	c.NewBlock()
	c.NewSlot("y", 8, 8, 0)
	if got := f.String(); got != want {
		t.Errorf("changes of the clone changed the function to\n%s", got)
	}
}
