package corpus

// This file has more values that wait to be used than there is stack for.

// scramble has a loop.
func scramble(x uint64, rounds uint8) uint64 {
	for range rounds%4 + 1 {
		x ^= x >> 31
		x *= 0x9e3779b97f4a7c15
		if x&64 != 0 {
			x += uint64(rounds)
		}
		x ^= x<<13 | x>>51
	}
	return x
}

// liveAtOnce computes each value from the one before, and uses them in the opposite order.
func liveAtOnce(seed uint64, rounds uint8) (sum uint64, odd uint8) {
	v0 := (seed ^ seed>>29) * 0x9e3779b97f4a7c15
	v1 := (v0 ^ v0>>29) * 0x9e3779b97f4a7c15
	v2 := (v1 ^ v1>>29) * 0x9e3779b97f4a7c15
	v3 := (v2 ^ v2>>29) * 0x9e3779b97f4a7c15
	v4 := (v3 ^ v3>>29) * 0x9e3779b97f4a7c15
	v5 := (v4 ^ v4>>29) * 0x9e3779b97f4a7c15
	v6 := (v5 ^ v5>>29) * 0x9e3779b97f4a7c15
	v7 := (v6 ^ v6>>29) * 0x9e3779b97f4a7c15
	v8 := (v7 ^ v7>>29) * 0x9e3779b97f4a7c15
	v9 := (v8 ^ v8>>29) * 0x9e3779b97f4a7c15
	v10 := (v9 ^ v9>>29) * 0x9e3779b97f4a7c15
	v11 := (v10 ^ v10>>29) * 0x9e3779b97f4a7c15
	v12 := (v11 ^ v11>>29) * 0x9e3779b97f4a7c15
	v13 := (v12 ^ v12>>29) * 0x9e3779b97f4a7c15
	v14 := (v13 ^ v13>>29) * 0x9e3779b97f4a7c15
	v15 := (v14 ^ v14>>29) * 0x9e3779b97f4a7c15
	v16 := (v15 ^ v15>>29) * 0x9e3779b97f4a7c15
	v17 := (v16 ^ v16>>29) * 0x9e3779b97f4a7c15
	v18 := (v17 ^ v17>>29) * 0x9e3779b97f4a7c15
	v19 := (v18 ^ v18>>29) * 0x9e3779b97f4a7c15
	v20 := (v19 ^ v19>>29) * 0x9e3779b97f4a7c15
	v21 := (v20 ^ v20>>29) * 0x9e3779b97f4a7c15
	v22 := (v21 ^ v21>>29) * 0x9e3779b97f4a7c15
	v23 := (v22 ^ v22>>29) * 0x9e3779b97f4a7c15
	v24 := (v23 ^ v23>>29) * 0x9e3779b97f4a7c15
	v25 := (v24 ^ v24>>29) * 0x9e3779b97f4a7c15
	v26 := (v25 ^ v25>>29) * 0x9e3779b97f4a7c15
	v27 := (v26 ^ v26>>29) * 0x9e3779b97f4a7c15
	v28 := (v27 ^ v27>>29) * 0x9e3779b97f4a7c15
	v29 := (v28 ^ v28>>29) * 0x9e3779b97f4a7c15
	v30 := (v29 ^ v29>>29) * 0x9e3779b97f4a7c15
	v31 := (v30 ^ v30>>29) * 0x9e3779b97f4a7c15
	v32 := (v31 ^ v31>>29) * 0x9e3779b97f4a7c15
	v33 := (v32 ^ v32>>29) * 0x9e3779b97f4a7c15
	v34 := (v33 ^ v33>>29) * 0x9e3779b97f4a7c15
	v35 := (v34 ^ v34>>29) * 0x9e3779b97f4a7c15
	v36 := (v35 ^ v35>>29) * 0x9e3779b97f4a7c15
	v37 := (v36 ^ v36>>29) * 0x9e3779b97f4a7c15
	v38 := (v37 ^ v37>>29) * 0x9e3779b97f4a7c15
	v39 := (v38 ^ v38>>29) * 0x9e3779b97f4a7c15
	v40 := (v39 ^ v39>>29) * 0x9e3779b97f4a7c15
	v41 := (v40 ^ v40>>29) * 0x9e3779b97f4a7c15
	v42 := (v41 ^ v41>>29) * 0x9e3779b97f4a7c15
	v43 := (v42 ^ v42>>29) * 0x9e3779b97f4a7c15
	v44 := (v43 ^ v43>>29) * 0x9e3779b97f4a7c15
	v45 := (v44 ^ v44>>29) * 0x9e3779b97f4a7c15
	v46 := (v45 ^ v45>>29) * 0x9e3779b97f4a7c15
	v47 := (v46 ^ v46>>29) * 0x9e3779b97f4a7c15
	v48 := (v47 ^ v47>>29) * 0x9e3779b97f4a7c15
	v49 := (v48 ^ v48>>29) * 0x9e3779b97f4a7c15
	v50 := (v49 ^ v49>>29) * 0x9e3779b97f4a7c15
	v51 := (v50 ^ v50>>29) * 0x9e3779b97f4a7c15
	v52 := (v51 ^ v51>>29) * 0x9e3779b97f4a7c15
	v53 := (v52 ^ v52>>29) * 0x9e3779b97f4a7c15
	v54 := (v53 ^ v53>>29) * 0x9e3779b97f4a7c15
	v55 := (v54 ^ v54>>29) * 0x9e3779b97f4a7c15
	v56 := (v55 ^ v55>>29) * 0x9e3779b97f4a7c15
	v57 := (v56 ^ v56>>29) * 0x9e3779b97f4a7c15
	v58 := (v57 ^ v57>>29) * 0x9e3779b97f4a7c15
	v59 := (v58 ^ v58>>29) * 0x9e3779b97f4a7c15
	v60 := (v59 ^ v59>>29) * 0x9e3779b97f4a7c15
	v61 := (v60 ^ v60>>29) * 0x9e3779b97f4a7c15
	v62 := (v61 ^ v61>>29) * 0x9e3779b97f4a7c15
	v63 := (v62 ^ v62>>29) * 0x9e3779b97f4a7c15
	v64 := (v63 ^ v63>>29) * 0x9e3779b97f4a7c15
	v65 := (v64 ^ v64>>29) * 0x9e3779b97f4a7c15
	v66 := (v65 ^ v65>>29) * 0x9e3779b97f4a7c15
	v67 := (v66 ^ v66>>29) * 0x9e3779b97f4a7c15
	v68 := (v67 ^ v67>>29) * 0x9e3779b97f4a7c15
	v69 := (v68 ^ v68>>29) * 0x9e3779b97f4a7c15
	v70 := (v69 ^ v69>>29) * 0x9e3779b97f4a7c15
	v71 := (v70 ^ v70>>29) * 0x9e3779b97f4a7c15
	sum = scramble(v71, rounds)
	sum = sum*31 + (v71 - v70 ^ v69 + v68 - v67 ^ v66 + v65 - v64)
	sum = sum*31 + (v63 - v62 ^ v61 + v60 - v59 ^ v58 + v57 - v56)
	sum = sum*31 + (v55 - v54 ^ v53 + v52 - v51 ^ v50 + v49 - v48)
	sum = sum*31 + (v47 - v46 ^ v45 + v44 - v43 ^ v42 + v41 - v40)
	sum = sum*31 + (v39 - v38 ^ v37 + v36 - v35 ^ v34 + v33 - v32)
	sum = sum*31 + (v31 - v30 ^ v29 + v28 - v27 ^ v26 + v25 - v24)
	sum = sum*31 + (v23 - v22 ^ v21 + v20 - v19 ^ v18 + v17 - v16)
	sum = sum*31 + (v15 - v14 ^ v13 + v12 - v11 ^ v10 + v9 - v8)
	sum = sum*31 + (v7 - v6 ^ v5 + v4 - v3 ^ v2 + v1 - v0)
	for _, v := range [...]uint64{v3, v17, v40, v66} {
		odd += uint8(v & 1)
	}
	return sum, odd
}

// liveAcrossLoop has values that an inner loop uses, and some that only wait for its end.
func liveAcrossLoop(seed uint64, n uint16) (sum uint64) {
	a, b, c, d := scramble(seed, 1), scramble(seed, 2), scramble(seed, 3), scramble(seed, 4)
	for i := range uint64(n % 60) {
		e, f, g, h := scramble(a^i, 1), scramble(b^i, 2), scramble(c^i, 3), scramble(d^i, 0)
		for j := range i % 20 {
			sum += e ^ f*j
			if sum&0xff == 7 {
				a += g
				break
			}
			sum -= scramble(h+j, uint8(i))
		}
		b, c, d = c^e, d+f, b-h
	}
	return sum ^ a ^ b<<1 ^ c<<2 ^ d<<3
}
