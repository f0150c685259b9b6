// Package stdlib is functions for tests of the compiler that call the standard
// library, as those of package corpus use the language: one file for each package
// or a few, one function for a few functions of it.
package stdlib

// Funcs is the functions. Parameters and results are integers, bools, and arrays
// and structs of them.
var Funcs = []any{
	bitsLen, bitsCount, bitsTrailing, bitsRotate, bitsReverse, bitsAdd, bitsMul, bitsDiv, bitsDiv32,
	bigEndian, littleEndian, nativeEndian, putBig, putLittle, appendOrder, orderValue, varints,
	atomicFuncs32, atomicFuncs64, atomicTypes, atomicBits, atomicBool,
	compare, sliceIndex, sliceContains, sliceFuncs, sliceEdit, sliceEqual, sliceMinMax, sliceSort, sliceSortFunc, sliceSortLong, sortInterface, sortStable, sliceSortStable, sliceSearch, sliceIterators,
	sliceFuncEdits, sliceSearchFunc, sliceChunks, sliceOrder,
	bytesIndex, bytesEqual, bytesAffixes, bytesTrim, bytesCompare, bytesCount, bytesCut,
	byteStrings, stringsIndex, stringsAffixes, stringsCut, stringsFuncs,
	decodeRune, encodeRune, validRune, runeLength,
	fnv32, fnv64, fnv128, crcIEEE, crcOthers,
	unsafeSlices, keepAlive, measures,
}

// WithGo is functions that call packages which are read from the Go installation.
var WithGo = []any{
	unicodeClasses, bytesTrimSpace,
	durations, durationParts, months, surrogates,
	errorValues, errorNew,
	adler, letterCase, foldStrings, countStrings, splitStrings, adlerPart, hexDigits, search, limits,
}
