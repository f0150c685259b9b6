package build_test

// corpusFiles are the files of the functions that TestNative compares. They
// import nothing.
var corpusFiles = []string{"corpus_int_test.go", "corpus_flow_test.go", "corpus_mem_test.go", "corpus_lang_test.go"}

var corpus = []any{
	// corpus_int_test.go
	addInt8, addUint8, arithInt8, arithInt16, arithInt32, arithInt64, arithUint8, arithUint16, arithUint32, arithUint64, arithUintptr,
	divInt8, divInt16, divInt32, divInt64, divUint8, divUint16, divUint32, divUint64, divConst,
	shiftInt8, shiftInt16, shiftInt32, shiftInt64, shiftUint8, shiftUint16, shiftUint32, shiftUint64, shiftSigned8, shiftSigned64, shiftBy8, shiftConst,
	compareInt8, compareUint16, compareInt32, compareUint64, compareBool,
	convFromInt8, convFromUint8, convFromInt16, convFromUint16, convFromInt32, convFromUint32, convFromInt64, convFromUint64,
	constants, bools, minMax, negate,

	// corpus_flow_test.go
	ifElse, forLoop, nested, switchInt, switchTrue, fallThrough, gotos, labels, rangeInt, shortCircuit, swap,
	multiple, named, fib, collatz, callChain, explicit, explicitConst, loopVar, infinite, evalOrder, opAssign, gotoInto,

	// corpus_mem_test.go
	pointers, pointerTo, structs, nestedStructs, structEq, bigEq, arrays, arrayIndex, arrayIndex2, arrayOfArrays, arrayCopy, arrayRange,
	arrayEq, bigArray, bigResult, nilDerefs, nilField, methods, ptrMethods, embedded, blank, arrayPtr, swapStructs, zeroed, escape, escapeTwice, bigSwap, ptrLoop, strIndex, strCompare, passBig, linked,
	uint8Index, int64Index, uint64Index,

	// corpus_lang_test.go
	slices1, slices3, sliceRange, sliceCopy, sliceOverlap, sliceClear, sliceAppend, sliceMake, sliceToArray, sliceOfSlice,
	closures, closureCounter, closureArg, methodValue, methodExpr, generics, genericMethods, interfaces, typeSwitch, assertions,
	defers1, deferOrder, deferArgs, deferNamed, rangeString, rangeFunc, rangeFuncNested, rangeFuncReturn, tables, variadic, stringOrder, stringSlices, anyEq, mutualCallbacks,
}
