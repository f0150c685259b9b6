package corpus

// Algorithms whose loops end by what they find, nested in each other.

func bubbleSort(values [10]int16) (rounds int, _ [10]int16) {
	for swapped := true; swapped; rounds++ {
		swapped = false
		for i := 1; i < len(values); i++ {
			if values[i-1] > values[i] {
				values[i-1], values[i] = values[i], values[i-1]
				swapped = true
			}
		}
	}
	return rounds, values
}

func siftDown(heap []int16, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && heap[child] < heap[child+1] {
			child++
		}
		if heap[i] >= heap[child] {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

func heapSort(n uint8, values [13]int16) [13]int16 {
	s := values[:n%14]
	for i := len(s)/2 - 1; i >= 0; i-- {
		siftDown(s, i)
	}
	for i := len(s) - 1; i > 0; i-- {
		s[0], s[i] = s[i], s[0]
		siftDown(s[:i], 0)
	}
	return values
}

func quickSort(values [12]int16) [12]int16 {
	var todo [12][2]int
	todo[0] = [2]int{0, len(values) - 1}
	for n := 1; n > 0; {
		n--
		lo, hi := todo[n][0], todo[n][1]
		for lo < hi {
			pivot, i := values[hi], lo
			for j := lo; j < hi; j++ {
				if values[j] < pivot {
					values[i], values[j] = values[j], values[i]
					i++
				}
			}
			values[i], values[hi] = values[hi], values[i]
			todo[n] = [2]int{i + 1, hi}
			n++
			hi = i - 1
		}
	}
	return values
}

func mergeSort(values [16]int16) [16]int16 {
	var other [16]int16
	from, to := values[:], other[:]
	for width := 1; width < len(values); width *= 2 {
		for lo := 0; lo < len(values); lo += 2 * width {
			mid, hi := min(lo+width, len(values)), min(lo+2*width, len(values))
			i, j := lo, mid
			for k := lo; k < hi; k++ {
				if i < mid && (j >= hi || from[i] <= from[j]) {
					to[k] = from[i]
					i++
				} else {
					to[k] = from[j]
					j++
				}
			}
		}
		from, to = to, from
	}
	return [16]int16(from)
}

func shellSort(n uint8, values [14]int16) [14]int16 {
	s := values[:n%15]
	for gap := len(s) / 2; gap > 0; gap /= 2 {
		for i := gap; i < len(s); i++ {
			v, j := s[i], i
			for ; j >= gap && s[j-gap] > v; j -= gap {
				s[j] = s[j-gap]
			}
			s[j] = v
		}
	}
	return values
}

func nextPermutation(p [6]uint8) (steps int, _ [6]uint8) {
	for ; steps < 20; steps++ {
		i := len(p) - 2
		for i >= 0 && p[i] >= p[i+1] {
			i--
		}
		if i < 0 {
			break
		}
		j := len(p) - 1
		for p[j] <= p[i] {
			j--
		}
		p[i], p[j] = p[j], p[i]
		for lo, hi := i+1, len(p)-1; lo < hi; lo, hi = lo+1, hi-1 {
			p[lo], p[hi] = p[hi], p[lo]
		}
	}
	return steps, p
}

func substring(text [24]byte, pattern [4]byte, n uint8) (at, compared int) {
	for i := range text {
		text[i] &= 1
	}
	for i := range pattern {
		pattern[i] &= 1
	}
	p := pattern[:1+n%4]
	var back [4]int
	for i, k := 1, 0; i < len(p); i++ {
		for k > 0 && p[k] != p[i] {
			k = back[k-1]
		}
		if p[k] == p[i] {
			k++
		}
		back[i] = k
	}
	k := 0
	for i, c := range text {
		for k > 0 && p[k] != c {
			k = back[k-1]
			compared++
		}
		if p[k] == c {
			k++
		}
		if k == len(p) {
			return i - k + 1, compared
		}
	}
	return -1, compared
}

func treeWalk(n uint8, values [12]int16) (sum, depth int) {
	type node struct {
		value       int16
		left, right int8
	}
	var tree [12]node
	for i := range int(n % 13) {
		tree[i] = node{values[i], -1, -1}
		for at := int8(0); i > 0; {
			next := &tree[at].left
			if values[i] > tree[at].value {
				next = &tree[at].right
			}
			if *next < 0 {
				*next = int8(i)
				break
			}
			at = *next
		}
	}
	if n%13 == 0 {
		return
	}
	var stack [12]int8
	sp, at := 0, int8(0)
	for sp > 0 || at >= 0 {
		for at >= 0 {
			stack[sp] = at
			sp++
			depth = max(depth, sp)
			at = tree[at].left
		}
		sp--
		sum = sum*3 + int(tree[stack[sp]].value)
		at = tree[stack[sp]].right
	}
	return sum, depth
}

func shortestPath(edges [6][6]uint8, from, to uint8) int {
	const far = 1 << 20
	dist := [6]int{far, far, far, far, far, far}
	var done [6]bool
	dist[from%6] = 0
	for {
		best := -1
		for i, d := range dist {
			if !done[i] && d < far && (best < 0 || d < dist[best]) {
				best = i
			}
		}
		if best < 0 || best == int(to%6) {
			return dist[to%6]
		}
		done[best] = true
		for i, w := range edges[best] {
			if w != 0 {
				dist[i] = min(dist[i], dist[best]+int(w))
			}
		}
	}
}

func domainName(msg [32]byte, at uint8) (labels, sum int) {
	for i := range msg {
		if msg[i]&0xc0 != 0xc0 {
			msg[i] &= 7
		}
	}
	off := int(at) & 31
	for jumps := 0; jumps < 5; {
		if off >= len(msg) {
			return -1, sum
		}
		l := int(msg[off])
		switch {
		case l == 0:
			return labels, sum
		case l&0xc0 == 0xc0:
			off = l & 31
			jumps++
			continue
		}
		if off+1+l > len(msg) {
			return -2, sum
		}
		for _, c := range msg[off+1 : off+1+l] {
			sum = sum*5 + int(c)
		}
		labels++
		off += 1 + l
	}
	return -3, sum
}

func inflate(in [12]byte) (out [64]byte, n int) {
	for i := 0; i+1 < len(in); {
		if c := in[i]; c&1 == 0 {
			out[n&63] = c
			n++
			i++
		} else {
			back, length := int(in[i]>>4)+1, int(in[i+1]&15)
			i += 2
			for ; length > 0 && n < len(out) && back <= n; length-- {
				out[n] = out[n-back]
				n++
			}
		}
	}
	return out, n
}

func brackets(text [24]byte, n uint8) int {
	var stack [8]byte
	open := stack[:0]
	for i, c := range text[:n%25] {
		switch c = "()[]{}.."[c&7]; c {
		case '(', '[', '{':
			if len(open) == cap(open) {
				return -1 - i
			}
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1]+c&^3 == 0 {
				return i
			}
			open = open[:len(open)-1]
		}
	}
	return len(open) + 100
}

func powers(base, exp, mod uint32) (r uint64) {
	m := uint64(mod | 1)
	b := uint64(base) % m
	r = 1 % m
	for e := exp; e != 0; e >>= 1 {
		if e&1 != 0 {
			r = r * b % m
		}
		b = b * b % m
	}
	return r
}

func primeFactors(n uint16) (sum, count int) {
	k := n
	for p := uint16(2); p*p <= k && p < 200; p++ {
		for k%p == 0 && k > 0 {
			k /= p
			sum += int(p)
			count++
		}
	}
	return sum + int(k), count
}

func flood(rows [8]uint8, x, y uint8) (size int) {
	var todo [64][2]uint8
	x, y = x&7, y&7
	if rows[y]>>x&1 == 0 {
		return 0
	}
	rows[y] &^= 1 << x
	todo[0] = [2]uint8{x, y}
	for n := 1; n > 0; {
		n--
		x, y := todo[n][0], todo[n][1]
		size++
		for _, d := range [...][2]uint8{{1, 0}, {255, 0}, {0, 1}, {0, 255}} {
			nx, ny := x+d[0], y+d[1]
			if nx < 8 && ny < 8 && rows[ny]>>nx&1 != 0 {
				rows[ny] &^= 1 << nx
				todo[n] = [2]uint8{nx, ny}
				n++
			}
		}
	}
	return size
}
