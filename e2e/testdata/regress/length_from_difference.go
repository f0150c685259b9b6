// A part of a string with variable ends goes to a function that is not inlined. The verifier does
// not know that its length is not negative.

package p

type err uint8

func (e err) Error() string { return "value"[e&3:] }

type errp struct {
	n   uint64
	err error
}

func (e *errp) Error() string { return "pointer" }

func failint8(x int8) (int8, error) {
	if x > -51 {
		return x / 2, err(x)
	}
	if x&1 == 0 {
		return 1, &errp{uint64(x), err(x >> 1)}
	}
	return x, nil
}

func failint64(x int64) (int64, error) {
	if x > -128683182287862 {
		return x / 2, err(x)
	}
	if x&1 == 0 {
		return 1, &errp{uint64(x), err(x >> 1)}
	}
	return x, nil
}

type M28 interface {
	m28(uint64, string) (uintptr, uint8, N2)
}

type N1 int8

type N2 uint8

type T3 struct {
	f0 [2]int
	f1 uint16
	f2 uint64
	f3 int16
}

var global4 uintptr

var global5 int8

func f6(p0 uint, p1 *int, p2 string, p3 bool) uint8 {
	p2 = p2[0:]
	switch int((int64(global5) | -1)) {
	case 2:
		var v7 [7]uint16 = [7]uint16{uint16(global5), ((-uint16(global4)) & 7), min(uint16(global5), (uint16(p0) + uint16(global4))), uint16(p0)}
		_ = v7
		fallthrough
	case (*p1 & *p1):
		var v8 bool = (((global4 &^ 562949953421312) % (uintptr(uint32(p0)) | 1)) == global4)
		_ = v8
	case 1:
		var v9 int = ((*p1 / -5323802) - int(len(p2)))
		_ = v9
	case 3:
		for i10 := range int8(2) {
			_ = i10
			*p1 += *p1
		}
	default:
		var v12 [1][3]int32 = [1][3]int32{}
		_ = v12
	}
	var v13 [1]T3 = [1]T3{}
	_ = v13
	if "undergo" == p2 {
		var v14 int8 = ((-(global5 ^ -58)) * ((global5 << (N2(global4) & 15)) & -1))
		_ = v14
	} else {
		var v15 [1]T3 = v13
		_ = v15
		v15[global4&0] = T3{f0: v13[0].f0, f1: v15[0].f1, f3: ((v15[uint(global5)%1].f3 >> 24) - 6)}
		switch y16 := any(v13).(type) {
		case uint32:
			_ = y16
			switch (17019382708454695906 + global4) - global4 {
			case 18446744025116180772:
				global4 -= global4
			default:
				v15[0].f3 -= v13[0].f3
			}
		case [1]T3:
			_ = y16
			global4++
		}
	}
	var v17 N2 = (N2(p0) & 63)
	_ = v17
	s18 := p2
	_ = s18
	v19, e20 := failint8((global5 | int8(global5)))
	_ = v19
	switch y21 := e20.(type) {
	case err:
		v19 ^= int8(y21)
	case *errp:
		v19 ^= int8(y21.n)
		if y21.err == err(3) {
			v19++
		}
	}
	return (^uint8(global4))
}

func f22(p0 int32, p1 bool) (int16, N1) {
	switch y23 := any(p0).(type) {
	case int64:
		_ = y23
		global5 |= (65 | int8(int16(y23)))
	case int32:
		_ = y23
		if min(global4, (global4<<(int16(p0)&63))) <= 17939273910833820871 {
			global5 |= global5
		} else if (uint32(global5) <= 653894961) || (p1 || p1) {
			global4++
		}
	}
	var v24 uintptr = global4
	_ = v24
	var v25 uint
	_ = v25
	switch y26 := any(p1).(type) {
	case uint32:
		_ = y26
		v25--
	case bool:
		_ = y26
		var v27 uint16 = uint16(p0)
		_ = v27
	}
	switch 4 * uint8("a"[v25&0]) {
	case 7:
		global4++
	default:
		global4++
	}
	return int16(global5), (-N1(global5))
}

func (r *T3) m28(p0 uint64, p1 string) (uintptr, uint8, N2) {
	for i29 := range int8(1) {
		_ = i29
		for i31, r32 := range p1 {
			_ = i31
			_ = r32
			if v34 := global5; (v34 != -27) || !(p0 > 1) {
				switch {
				case (uint32(r32) == uint32(p0)):
					(*r).f2 -= p0
				default:
					global4++
				}
			}
		}
	}
	var v35 [5]uint64 = [5]uint64{uint64(uint(p0)), (uint64((*r).f3) &^ (p0 + p0))}
	_ = v35
	v36, e37 := failint64(int64(p0))
	_ = v36
	if e37 != nil {
		v36 += int64(len(e37.Error()))
	}
	var v38 T3 = T3{f1: (((*r).f1 / ((*r).f1 | 1)) ^ 5499), f2: (v35[uint(v36)%5] | uint64((*r).f3)), f3: int16(uint32(N1(global4)))}
	_ = v38
	switch max(N2(global5), N2(global5)) % 202 {
	case 127:
		var v39 uintptr = (uintptr((v36 % (v36 | 1))) >> 14)
		_ = v39
		var v40 T3 = v38
		_ = v40
	case 1:
		global4 = global4
	default:
		if !(((global4 > 7) || ((*r).f3 > -32196)) || (uint8(global5) == 6)) {
			global4++
		}
	}
	return uintptr((N1(v36) % (N1(global5) | 1))), (2 * (uint8(global5) - uint8(global4))), ((N2(global4) &^ N2(global5)) >> (uint8(global4) >> (uint(global4) & 127)))
}

func F(in [6]uint64) (out [4]uint64) {
	global4 = 5
	global5 = 123
	v41 := int(in[0])
	_ = v41
	v42 := uintptr(in[1])
	_ = v42
	s43 := "undergo"
	_ = s43
	for i44, r45 := range s43 {
		_ = i44
		_ = r45
		switch min(N1(v41), N1(global5)) % (N1("\x00\xff\x80z"[3]) | 1) {
		case -2:
			var v47 uint16 = (uint16(len(s43)) &^ uint16((v42 << 4)))
			_ = v47
		case 4:
			v41 -= v41
		case 1:
			global4 -= v42
		default:
			global4++
		}
	}
	var x48 M28 = (&T3{f0: [2]int{}, f1: uint16(N1(v41)), f2: (35267844 * in[uint(v41)%6]), f3: (int16(global5) &^ -2)})
	v49, v50, v51 := x48.m28((in[3] + in[uint(global5)%6]), "eBPF in pure Go")
	_ = v49
	_ = v50
	_ = v51
	global5 = min(global5, int8(global4))
	switch N1((uint(v51) | uint(global5))) {
	case 4:
		for i52, r53 := range s43 {
			_ = i52
			_ = r53
			global4++
		}
	case 0:
		fn55 := (&T3{f0: [2]int{v41}, f1: max(uint16(v42), uint16(v42)), f2: (in[v42%6] % (in[uint(global5)%6] | 1)), f3: int16(uint16(v41))}).m28
		_ = fn55
		v56 := f6(uint(v42), &v41, s43[min(3, len(s43)):], (v49 <= v49))
		_ = v56
	case 5:
		v57, v58, v59 := (&T3{f0: [2]int{v41}, f1: uint16(v41)}).m28(uint64(v51), s43[min(14, len(s43)):])
		_ = v57
		_ = v58
		_ = v59
	default:
		var v60 int32 = int32(global5)
		_ = v60
		v61, v62, v63 := (&T3{f0: [2]int{v41}, f1: uint16(v41), f2: in[v50%6], f3: (^int16(v41))}).m28(in[global4%6], s43[global5:uint16(v51)])
		_ = v61
		_ = v62
		_ = v63
	}
	var q64 *int64 = new(int64)
	_ = q64
	for i65 := uint32(0); i65 < 6; i65++ {
		_ = i65
		in[v49%6] = uint64(uint16(v41))
		var v67 T3 = T3{f0: [2]int{(v41 | 536870911), int("a"[uint(global5)%1])}, f1: uint16(global5), f2: in[v49%6]}
		_ = v67
	}
	out[3] += uint64(global4)
	out[0] = out[0]*31 + uint64(global4)
	out[1] = out[1]*31 + uint64(global5)
	out[2] = out[2]*31 + uint64(v41)
	out[3] = out[3]*31 + uint64(v42)
	out[0] = out[0]*31 + uint64(len(s43))
	out[1] = out[1]*31 + uint64(v49)
	out[2] = out[2]*31 + uint64(v50)
	out[3] = out[3]*31 + uint64(v51)
	out[0] = out[0]*31 + uint64((*q64))
	return out
}

// run 0 1 2 3 4 5
// run 5 0 0 0 0 0
// run 2147483648 3 9 1 1 1
// run 3 18446744073709551615 1 2 3 4
// run 1 7 100 65535 4294967295 9223372036854775807
