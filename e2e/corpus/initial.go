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
