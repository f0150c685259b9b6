package ir

// A Type is the type of a value. Integer types say how many bits are
// meaningful; pointer types say what the pointer points into, in the terms of
// the kernel verifier.
type Type uint8

const (
	// Void is the type of instructions without a result.
	Void Type = iota
	// I32 is a 32-bit integer, or a narrower one normalised to 32 bits.
	I32
	// I64 is a 64-bit integer.
	I64
	// PtrAny is a pointer of unknown or mixed provenance, and the type of nil.
	PtrAny
	// PtrStack points into a [Slot] of this function or of a caller.
	PtrStack
	// PtrCtx is the program's context. It may not be offset before it is
	// dereferenced and is accessed in the widths its fields were declared with.
	PtrCtx
	// PtrData points into a [Data] object: a global or a constant.
	PtrData
	// PtrMapValue points into a value of a map.
	PtrMapValue
	// PtrPacket points into packet data, bounded by a PtrPacketEnd.
	PtrPacket
	// PtrPacketEnd is one past the last readable byte of a packet.
	PtrPacketEnd
	// PtrMem points into memory of known size that a helper returned, such as a
	// ring buffer reservation.
	PtrMem
	// PtrKernel points to a kernel object described by BTF.
	PtrKernel
	// MapRef is a reference to a map, as helpers take it.
	MapRef
	// FuncRef is a reference to a function, as helpers that call back take it.
	FuncRef

	numTypes
)

var typeNames = [numTypes]string{
	Void:         "void",
	I32:          "i32",
	I64:          "i64",
	PtrAny:       "ptr",
	PtrStack:     "ptr.stack",
	PtrCtx:       "ptr.ctx",
	PtrData:      "ptr.data",
	PtrMapValue:  "ptr.mapvalue",
	PtrPacket:    "ptr.packet",
	PtrPacketEnd: "ptr.packetend",
	PtrMem:       "ptr.mem",
	PtrKernel:    "ptr.kernel",
	MapRef:       "mapref",
	FuncRef:      "funcref",
}

// String returns the name of t as the text form prints it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "invalid"
}

// ParseType returns the type with the given printed name.
func ParseType(name string) (Type, bool) {
	for t, n := range typeNames {
		if n == name {
			return Type(t), true
		}
	}
	return Void, false
}

// IsInt reports whether t is I32 or I64.
func (t Type) IsInt() bool { return t == I32 || t == I64 }

// IsPtr reports whether t is a pointer to memory that may be offset or
// dereferenced (MapRef and FuncRef are not).
func (t Type) IsPtr() bool { return t >= PtrAny && t <= PtrKernel }

// Size returns the number of bytes a value of type t takes in memory.
func (t Type) Size() int64 {
	switch t {
	case Void:
		return 0
	case I32:
		return 4
	default:
		return 8
	}
}

// Bits returns the number of meaningful bits of a value of type t.
func (t Type) Bits() int { return int(t.Size()) * 8 }

// JoinPtr returns the pointer type of a value that is of type a on one path
// and of type b on another.
func JoinPtr(a, b Type) Type {
	if a == b {
		return a
	}
	return PtrAny
}
