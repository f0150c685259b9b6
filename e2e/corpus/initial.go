package corpus

func makeTable(poly uint32) (t [64]uint32) {
	for i := range t {
		c := uint32(i)
		for range 8 {
			if c&1 == 1 {
				c = c>>1 ^ poly
			} else {
				c >>= 1
			}
		}
		t[i] = c
	}
	return t
}

var crcTable = makeTable(0xEDB88320)

var half = square1(half2) / 2

var half2 = double(21)

var grid = func() (g [4][5]int8) {
	for i := range g {
		for j := range g[i] {
			g[i][j] = int8(i*j) - 3
		}
	}
	return g
}()

type limits struct {
	low, high int16
	odd       bool
}

var computed = limits{low: -int16(half2), high: int16(half), odd: half&1 == 1}

var counterStart = double(4)

func initialTables(i, j uint8) (uint32, int8) { return crcTable[i%64], grid[i%4][j%6] }

func initialValues(n int) (int, limits) {
	k := counterStart
	k += n
	return k + half, computed
}

// Variables that hold addresses.

var eleven, twentyTwo = 11, 22

var chosen = &twentyTwo

var pair = [...]*int{&eleven, &twentyTwo, nil}

var protocols = [...]string{1: "icmp", 6: "tcp", 17: "udp"}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

type route struct {
	name string
	hops []uint8
	next *[3]uint8
}

var routes = []route{{"a", []uint8{1, 2}, nil}, {"bb", []uint8{3}, &lastHops}, {name: "ccc"}}

var lastHops = [3]uint8{7, 8, 9}

var ragged = rows{{1, 2}, {3}, nil, {4, 5, 6}}

type rows [][]int16

func pointersInitial(i uint8, n int8) (int, int) {
	p := pair[i%3]
	if n > 3 {
		p = chosen
	}
	return *p, twentyTwo
}

func protocolNames(i uint8) (n int, tcp bool, c byte) {
	s := protocols[i%18]
	n = len(s)
	if n > 2 {
		c = s[n-2]
	}
	return n, s == "tcp", c
}

func weekdayOf(a [3]byte, i uint8) (at int, c byte) {
	at = -1
	for k, d := range weekdays {
		if d == string(a[:]) {
			at = k
		}
	}
	return at, weekdays[i%7][i%4]
}

func routesInitial(i, j uint8) (sum int) {
	r := &routes[i%3]
	for _, h := range r.hops {
		sum += int(h)
	}
	sum = sum*10 + len(r.name)
	if r.next != nil {
		sum = sum*10 + int(r.next[j%3])
	}
	return sum
}

func slicesInitial(i, j uint8) int16 { return ragged[i%4][j%3] }

// Literals that have no name but are only read where they are passed on.

var (
	opening  = []byte{'<', '!'}
	piDigits = []uint16{3, 1, 4, 1, 5, 9}
)

func beginsWith(s, prefix []byte) bool {
	return len(s) >= len(prefix) && sameBytes(s[:len(prefix)], prefix)
}

func sameBytes(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if c != b[i] {
			return false
		}
	}
	return true
}

func thirdOrFirst(s []uint16, third bool) uint16 {
	if third {
		s = s[2:]
	}
	return s[0]
}

func slicesPassed(text [4]byte, i uint8) (begins bool, digit uint16) {
	return beginsWith(text[i&1:], opening), thirdOrFirst(piDigits, i > 3) + thirdOrFirst(piDigits[i%6:], i > 9)
}

// Variables that functions named init set.

var (
	squareTable [8]int
	lookup      []int16
	listHead    *listNode
	byInit      = 5
	backing     [6]int16
)

func init() {
	for i := range squareTable {
		squareTable[i] = i * i
	}
	byInit *= squareTable[3]
}

func init() {
	lookup = backing[1:4:5]
	for i := range lookup {
		lookup[i] = int16(byInit + i)
	}
	list := &listHead
	for i := range int8(2) {
		*list = &listNode{value: i*4 + 1}
		list = &(*list).next
	}
	assignInt(&byInit, 100+byInit)
}

func assignInt(p *int, n int) { *p = n }

func initFuncs(i uint8) (int, int, int16) {
	return squareTable[i%8] + byInit, len(lookup)*10 + cap(lookup), lookup[i%4]
}

func initList() (r int) {
	return int(listHead.value)*10 + int(listHead.next.value)
}
