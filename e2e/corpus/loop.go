package corpus

// Loops that end by what the data says: no bound of them is in the source.

func squares(n uint8) (a [24]int16) {
	for i := range a {
		a[i] = int16(i*i) - int16(n)
	}
	return a
}

func sliceTail(n, from, to uint8) (sum int) {
	a := squares(n)
	s := a[from%24 : to%25]
	for len(s) != 1 {
		sum = sum*3 + int(s[0])
		s = s[1:]
	}
	return sum + int(s[0])
}

func sliceHalves(n, from, to uint8) (sum int) {
	a := squares(n)
	s := a[from%24 : to%25]
	for len(s) > 1 {
		sum = sum*3 + int(s[len(s)/2])
		if n&1 == 0 {
			s = s[len(s)/2:]
		} else {
			s = s[:len(s)/2]
		}
		n >>= 1
	}
	return sum
}

func sliceHalving(n, from, to uint8) (sum int) {
	a := squares(n)
	s := a[from%24 : to%25]
	for len(s) != 1 {
		sum = sum*3 + int(s[0])
		s = s[len(s)/2:]
	}
	return sum
}

func sliceEnds(n, from, to uint8) (sum int) {
	a := squares(n)
	for s := a[from%24 : to%25]; len(s) > 1; s = s[1 : len(s)-1] {
		sum = sum*5 + int(s[0]) - int(s[len(s)-1])
	}
	return sum
}

func search(s []int16, v int16) int {
	if len(s) == 0 {
		return 0
	}
	m := len(s) / 2
	if s[m] < v {
		return m + 1 + searchRest(s[m+1:], v)
	}
	return searchRest(s[:m], v)
}

func searchRest(s []int16, v int16) (n int) {
	for len(s) > 0 {
		m := len(s) / 2
		if s[m] < v {
			n += m + 1
			s = s[m+1:]
		} else {
			s = s[:m]
		}
	}
	return n
}

func searchTail(s []int16, v int16, base int) int {
	if len(s) == 0 {
		return base
	}
	m := len(s) / 2
	if s[m] < v {
		return searchTail(s[m+1:], v, base+m+1)
	}
	return searchTail(s[:m], v, base)
}

func searchSlices(n, from, to uint8, v int16) (int, int) {
	a := squares(n)
	s := a[from%24 : to%25]
	return search(s, v%600), searchTail(s, v%600, 0)
}

func euclid(a, b uint64) (steps int, d uint64) {
	for b != 0 {
		a, b = b, a%b
		steps++
	}
	return steps, a
}

func euclidMinus(a, b uint16) uint16 {
	for a != b {
		switch {
		case a == 0 || b == 0:
			return a | b
		case a > b:
			a -= b
		default:
			b -= a
		}
	}
	return a
}

func collatzMax(n uint16) (steps int, top uint64) {
	for k := uint64(n); k > 1; steps++ {
		if k&1 == 0 {
			k /= 2
		} else {
			k = 3*k + 1
		}
		top = max(top, k)
	}
	return steps, top
}

func listWalk(start, other uint8, next [16]uint8) (sum int) {
	for i := start & 15; i != 0 && sum < 1000; i = next[i] & 15 {
		sum += int(i)
	}
	for i, n := other&15, 0; n < 40; n++ {
		if next[i]&15 == i {
			break
		}
		i = next[i] & 15
		sum += int(i) << 1
	}
	return sum
}

type cell struct {
	value int32
	next  int8
}

func listReverse(n uint8, values [10]int32) (sum int) {
	var cells [10]cell
	head := int8(-1)
	for i := range int8(n % 11) {
		cells[i] = cell{values[i], head}
		head = i
	}
	prev := int8(-1)
	for head >= 0 {
		cells[head].next, prev, head = prev, head, cells[head].next
	}
	for i := prev; i >= 0; i = cells[i].next {
		sum = sum*7 + int(cells[i].value)
	}
	return sum
}

func listPointers(n uint8) (sum int) {
	type node struct {
		v    int
		next *node
	}
	c := node{v: 3}
	b := node{v: int(n), next: &c}
	a := node{v: 1, next: &b}
	for p := &a; p != nil; p = p.next {
		sum = sum*10 + p.v
	}
	return sum
}

func parseNumbers(text [20]byte, n uint8) (sum int64, err bool) {
	s := text[:n%21]
	for i := range s {
		s[i] = "0123456789,,-  +"[s[i]&15]
	}
	for len(s) > 0 {
		for len(s) > 0 && s[0] == ' ' {
			s = s[1:]
		}
		sign := int64(1)
		if len(s) > 0 && s[0] == '-' {
			sign, s = -1, s[1:]
		}
		v := int64(0)
		digits := 0
		for len(s) > 0 && s[0] >= '0' && s[0] <= '9' {
			v = v*10 + int64(s[0]-'0')
			s = s[1:]
			digits++
		}
		if digits == 0 {
			return sum, true
		}
		sum += sign * v
		if len(s) > 0 && s[0] != ',' {
			return sum, true
		}
		if len(s) > 0 {
			s = s[1:]
		}
	}
	return sum, false
}

func parseTLV(data [32]byte, n uint8) (types uint64, last int) {
	b := data[:n%33]
	for len(b) >= 2 {
		t, l := b[0], int(b[1]&7)
		if len(b) < 2+l {
			return types, -1
		}
		types |= 1 << (t & 63)
		for _, c := range b[2 : 2+l] {
			last = last*3 + int(c)
		}
		b = b[2+l:]
	}
	return types, last
}

func parseVarints(data [24]byte) (sum uint64, n int) {
	b := data[:]
	for len(b) > 0 {
		v, shift := uint64(0), 0
		for {
			if len(b) == 0 {
				return sum, n
			}
			c := b[0]
			b = b[1:]
			v |= uint64(c&0x7f) << shift
			if c < 0x80 {
				break
			}
			if shift += 7; shift > 63 {
				return sum, -n
			}
		}
		sum = sum*31 + v
		n++
	}
	return sum, n
}

func compress(data [16]byte) (out [32]byte, n int) {
	for i := 0; i < len(data); {
		j := i + 1
		for j < len(data) && data[j]&3 == data[i]&3 {
			j++
		}
		out[n], out[n+1] = data[i]&3, byte(j-i)
		n += 2
		i = j
	}
	return out, n
}

func insertionSort(n uint8, values [12]int16) [12]int16 {
	s := values[:n%13]
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && s[j-1] > s[j]; j-- {
			s[j-1], s[j] = s[j], s[j-1]
		}
	}
	return values
}

func quickSelect(k uint8, values [14]int16) int16 {
	lo, hi := 0, len(values)-1
	want := int(k % 14)
	for lo < hi {
		pivot, i, j := values[(lo+hi)/2], lo, hi
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for pivot < values[j] {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i++
				j--
			}
		}
		if want <= j {
			hi = j
		} else if want >= i {
			lo = i
		} else {
			break
		}
	}
	return values[want]
}

func ringQueue(n uint8, steps [24]uint8) (sum int) {
	var queue [8]uint8
	head, size := 0, 0
	for _, s := range steps {
		if s&1 != 0 && size < len(queue) {
			queue[(head+size)%len(queue)] = s
			size++
		} else {
			for size > 0 && queue[head] < s {
				sum = sum*3 + int(queue[head])
				head = (head + 1) % len(queue)
				size--
			}
		}
	}
	return sum + size + int(n)
}

func stackMachine(code [16]uint8, arg int32) (int32, int) {
	var stack [8]int32
	sp, pc, steps := 0, 0, 0
	push := func(v int32) { stack[sp] = v; sp++ }
	pop := func() int32 { sp--; return stack[sp] }
	for pc < len(code) && steps < 100 {
		c := code[pc]
		pc++
		steps++
		switch c & 7 {
		case 0, 1, 2:
			push(int32(c>>3) + arg)
		case 3:
			push(pop() + pop())
		case 4:
			push(pop() * 3)
		case 5:
			push(-pop())
		case 6:
			if pop() > 0 {
				pc = int(c>>3) & 15
			}
		case 7:
			return pop(), steps
		}
	}
	return int32(sp), steps
}

func findRoot(links [16]uint8, i uint8) (uint8, int) {
	parent := [16]uint8{}
	for k := range parent {
		parent[k] = min(uint8(k), links[k]&15)
	}
	n := 0
	i &= 15
	for parent[i] != i {
		parent[i] = parent[parent[i]]
		i = parent[i]
		n++
	}
	return i, n
}

func squareRoot(n uint64) uint64 {
	if n < 2 {
		return n
	}
	x := n
	y := x/2 + 1
	for y < x {
		x = y
		y = (x + n/x) / 2
	}
	return x
}

func stringFields(n uint8, text [24]byte) (fields, longest int) {
	for i := range text {
		text[i] = "ab  c\td\n"[text[i]&7]
	}
	s := string(text[:n%25])
	for {
		for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\n') {
			s = s[1:]
		}
		if s == "" {
			return fields, longest
		}
		i := 0
		for i < len(s) && s[i] > ' ' {
			i++
		}
		fields++
		longest = max(longest, i)
		s = s[i:]
	}
}

// storeElement stores only by the address of an element that is not constant.
func storeElement(n uint16, at uint8) (changes int, sum uint64) {
	var list [8]uint64
	p := &list[at&7]
	for k := uint64(n); k > 1; {
		if *p != 0 {
			changes++
		}
		*p += k
		if k&1 == 0 {
			k /= 2
		} else {
			k = 3*k + 1
		}
	}
	return changes, list[0] + list[7]
}

// storeEither stores to one of two variables, or panics for want of one.
func storeEither(n uint16, which uint8) (changes int, first, second uint64) {
	var p *uint64
	switch which & 3 {
	case 1:
		p = &first
	case 2:
		p = &second
	}
	for k := uint64(n); k > 1; {
		if k == 5 {
			if *p != 0 {
				changes++
			}
			*p += uint64(which)
		}
		if k&1 == 0 {
			k /= 2
		} else {
			k = 3*k + 1
		}
		if second > first {
			first = 1
		}
	}
	return changes, first, second
}
