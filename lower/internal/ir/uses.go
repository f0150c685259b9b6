package ir

// A Use is one place where a value is used: operand Index of the instruction
// User; or, where User is nil, operand Index of the terminator of Block; or,
// where Succ is not negative, argument Index of the edge to successor Succ.
type Use struct {
	Block *Block
	User  *Value
	Succ  int
	Index int
}

// Get returns the value that is used.
func (u Use) Get() *Value { return u.args()[u.Index] }

// Set makes v the value that is used.
func (u Use) Set(v *Value) { u.args()[u.Index] = v }

func (u Use) args() []*Value {
	switch {
	case u.User != nil:
		return u.User.Args
	case u.Succ >= 0:
		return u.Block.Term.Succs[u.Succ].Args
	default:
		return u.Block.Term.Args
	}
}

// UseLists holds all uses of the values of a function. It is not updated when
// the function changes.
type UseLists struct {
	start []int32 // by Value.ID: where its uses begin in uses
	uses  []Use
}

// Uses finds the uses of all values of f, in unreachable blocks too.
func Uses(f *Func) *UseLists {
	// A counting sort by the ID of the used value: two allocations, and uses
	// in the order of the function.
	l := &UseLists{start: make([]int32, f.NumValues()+1)}
	for _, b := range f.Blocks {
		b.EachUse(func(u Use) { l.start[u.Get().ID+1]++ })
	}
	for i := 1; i < len(l.start); i++ {
		l.start[i] += l.start[i-1]
	}
	l.uses = make([]Use, l.start[len(l.start)-1])
	next := append([]int32(nil), l.start...)
	for _, b := range f.Blocks {
		b.EachUse(func(u Use) {
			id := u.Get().ID
			l.uses[next[id]] = u
			next[id]++
		})
	}
	return l
}

// Of returns the uses of v in the order of Func.Blocks and of their positions
// there. The caller must not change it.
func (l *UseLists) Of(v *Value) []Use { return l.uses[l.start[v.ID]:l.start[v.ID+1]] }

// Count returns the number of uses of v.
func (l *UseLists) Count(v *Value) int { return int(l.start[v.ID+1] - l.start[v.ID]) }

// EachUse calls visit for each use of a value in b: by its instructions, then
// by its terminator, then by its edges.
func (b *Block) EachUse(visit func(Use)) {
	for _, v := range b.Instrs {
		for i := range v.Args {
			visit(Use{b, v, -1, i})
		}
	}
	for i := range b.Term.Args {
		visit(Use{b, nil, -1, i})
	}
	for s := range b.Term.Succs {
		for i := range b.Term.Succs[s].Args {
			visit(Use{b, nil, s, i})
		}
	}
}
