package corpus

// This file has functions with more variables than fit on BPF's stack.

func bigTable(n uint16, v uint32) uint32 {
	var a [1000]uint32
	for i := range a {
		a[i] = uint32(i) ^ v
	}
	a[n%1000] += v
	return a[v%1000] + a[999]
}

// bigZero has twice the same memory: a variable is zero whenever it is declared.
func bigZero(n uint8, v uint16) (sum uint32) {
	for i := range 3 {
		var a [300]uint16
		a[(int(n)+i)%300] += v
		for _, x := range a {
			sum += uint32(x)
		}
		a[n] = ^v
	}
	return sum
}

func bigFill(a *[60]uint64, from, step uint64) {
	for i := range a {
		a[i] = from
		from += step
	}
}

func bigSum(a *[60]uint64, n uint8) (sum uint64) {
	for i := range a[:n%60] {
		sum = sum*31 + a[i]
	}
	return sum
}

func bigLocal(p *[60]uint64, n uint8) uint64 {
	q := *p
	for i := range q {
		q[i] += p[59-i]
	}
	q[n%60]++
	return bigSum(&q, n)
}

// bigNested passes memory of either kind to the same functions, which have some of
// their own.
func bigNested(n uint8, v uint64) uint64 {
	var a, b, c [60]uint64
	bigFill(&a, v, 1)
	bigFill(&b, v, 3)
	bigFill(&c, a[n%60], b[n%60])
	return bigSum(&a, n) + bigSum(&b, n+1) + bigLocal(&c, n) + bigLocal(&b, n)
}

// bigChoice reaches large variables through pointers that may be to either.
func bigChoice(n uint8, v int32, which bool) int32 {
	var a, b [100]int32
	p, q := &a, &b
	if which {
		p, q = q, p
	}
	p[n%100] = v
	q[n%99+1] = ^v
	return a[n%100] ^ b[n%98+2] ^ p[n%50]
}

type bigNode struct {
	pad  [15]uint64
	next *bigNode
}

// bigList has variables that hold pointers, and one that does not.
func bigList(n uint8, v uint64) (sum uint64) {
	var buf [200]uint64
	var a, b bigNode
	a.next = &b
	a.pad[n%15], b.pad[(n+1)%15], buf[n] = v, v+1, v+2
	p := &a
	for range 3 {
		if p == nil {
			break
		}
		sum += p.pad[n%15] + p.pad[0]
		p = p.next
	}
	return sum + buf[n/2]
}

// Results of functions that are not inlined, together larger than the stack.

type record struct{ a, b, c, d, e, f, g, h, i, j uint64 }

func (w record) mix(by uint64) record {
	w.a, w.b, w.c, w.d = w.b*by, w.c^by, w.d+by, w.a-by
	w.e, w.f, w.g, w.h = w.f*by, w.g^by, w.h+by, w.e-by
	w.i, w.j = w.j*by, w.i^by
	return w
}

func mixRecords(x, y record, by uint64) (record, record) {
	for range by & 3 {
		x, y = y.mix(by), x.mix(y.b)
	}
	if x.a > y.b {
		x, y = y, x.mix(y.d)
	}
	return x, y
}

func mixOften(x, y record, by uint64) (record, record) {
	x, y = mixRecords(x, y, by)
	if x.e > y.f {
		x, y = mixRecords(y, x, by+1)
	}
	if x.g > y.h {
		y, x = mixRecords(x, y, by+2)
	}
	if x.i > y.j {
		x, y = mixRecords(y, x, by+3)
	}
	if x.f > y.e {
		y, x = mixRecords(x, y, by+4)
	}
	return x, y
}

func wideResults(v, by uint64, n uint8) (record, uint8) {
	var table [80]uint8
	for i := range table {
		table[i] = uint8(i) * n
	}
	x, y := record{a: v, f: by}, record{e: v ^ by, j: 1}
	x, y = mixOften(x, y, by)
	if x.c > y.d {
		x, y = mixOften(y, x, by^1)
	}
	if x.b > y.c {
		y, x = mixOften(y, x, by^2)
	}
	return x, table[(y.a^x.b)%uint64(len(table))]
}
