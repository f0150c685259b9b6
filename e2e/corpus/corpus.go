// Package corpus is functions for tests of the compiler: each uses a part of
// the language, computes the same whenever it is given the same arguments, and
// may panic. Tests run them natively and by other ways, and compare.
//
// The files of functions import nothing, so that they can also be read as text.
package corpus

import (
	"embed"
	"io/fs"
)

//go:embed int.go flow.go loop.go mem.go sort.go lang.go big.go panic.go dynamic.go packet.go string.go initial.go loopvar.go deferloop.go programs.go recovered.go rare.go wide.go seldom.go
var source embed.FS

// Source returns the files of functions.
func Source() fs.FS { return source }

// Funcs is the functions. Parameters and results are integers, bools, and arrays
// and structs of them.
var Funcs = []any{
	// wide.go
	liveAtOnce, liveAcrossLoop,
	// seldom.go
	lengthsOfCalls, partAddresses, sizeless, descents, recoverNamed, shiftBy, seldomTables, appendsOfNothing, madeByLimit, eitherBuffer,
	// int.go
	addInt8, addUint8, arithInt8, arithInt16, arithInt32, arithInt64, arithUint8, arithUint16, arithUint32, arithUint64, arithUintptr,
	divInt8, divInt16, divInt32, divInt64, divUint8, divUint16, divUint32, divUint64, divConst,
	shiftInt8, shiftInt16, shiftInt32, shiftInt64, shiftUint8, shiftUint16, shiftUint32, shiftUint64, shiftSigned8, shiftSigned64, shiftBy8, shiftConst,
	compareInt8, compareUint16, compareInt32, compareUint64, compareBool,
	convFromInt8, convFromUint8, convFromInt16, convFromUint16, convFromInt32, convFromUint32, convFromInt64, convFromUint64,
	constants, bools, minMax, negate,

	// flow.go
	ifElse, forLoop, nested, switchInt, switchTrue, fallThrough, gotos, labels, rangeInt, shortCircuit, swap,
	multiple, named, fib, collatz, callChain, explicit, explicitConst, loopVar, loopVarCaptured, loopVarIterated, infinite, evalOrder, opAssign, gotoInto, assignOrder, assignNested, tailCalls, tailSlices,

	// loop.go
	sliceTail, sliceHalves, sliceHalving, sliceEnds, searchSlices, euclid, euclidMinus, collatzMax, storeElement, storeEither, listWalk, listReverse, listPointers,
	parseNumbers, parseTLV, parseVarints, compress, insertionSort, quickSelect, ringQueue, stackMachine, findRoot, squareRoot, stringFields,

	// sort.go
	bubbleSort, heapSort, quickSort, mergeSort, shellSort, nextPermutation, substring, treeWalk, shortestPath, domainName, inflate, brackets,
	powers, primeFactors, flood,

	// mem.go
	pointers, pointerTo, structs, nestedStructs, structEq, bigEq, arrays, arrayIndex, arrayIndex2, arrayOfArrays, arrayCopy, arrayRange,
	arrayEq, bigArray, bigResult, nilDerefs, nilField, methods, ptrMethods, embedded, blank, arrayPtr, swapStructs, zeroed, escape, escapeTwice, bigSwap, ptrLoop, strIndex, strCompare, passBig, linked,
	uint8Index, int64Index, uint64Index,

	// lang.go
	slices1, slices3, sliceRange, sliceCopy, sliceOverlap, sliceClear, sliceAppend, sliceMake, sliceToArray, sliceOfSlice,
	closures, closureCounter, closureArg, methodValue, methodExpr, generics, genericMethods, interfaces, typeSwitch, assertions,
	defers1, deferOrder, deferArgs, deferNamed, rangeString, rangeFunc, rangeFuncNested, rangeFuncReturn, tables, variadic, stringOrder, stringSlices, anyEq, mutualCallbacks,
	appendToPart, appendToRest, stringPart, sliceAdvance, stringAdvance, sliceShrink, alwaysPanics, callsPanic, nilFunc, globalCells, makeMin, makeTested, rangeFuncDeep,

	// panic.go
	recoverIndex, recoverCallee, recoverNot, recoverAgain, recoverNested, recoverResults, recoverUnnamed, recoverOrder, recoverTwice, recoverInMethod,
	panicInDefer, panicAfterReturn, deferPanics, deferBuiltins, deferNil, deferMethodValue, deferRuns, recoverOutside, recoverDivide, recoverLoop, recoverNil, recoverClosure, recoverBig, recoverValue,

	// recovered.go
	recoverTypes, recoverOuter, recoverKept, recoverMust, recoverEach,

	// dynamic.go
	funcVariable, funcTable, funcField, closureVariable, closureResult, ifaceVariable, ifaceSlice, typeSwitchVariable, assertVariable, equalVariable,
	errorResult, errorField, errorRecovered,

	// loopvar.go deferloop.go programs.go recovered.go
	closureTable, closureCounters, closureClause, closureNested, closureMade, pointersKept, listBuilt, boxesKept,

	// deferloop.go
	deferLoop, deferGotoString, deferLoopStrings, deferBesideLoop, deferLoopSome, deferLoopOr, deferLoopMixed, deferLoopUnknown, deferLoopPanics, deferLoopRecovers, deferLoopPointers, deferLoopBig, deferLoopCounters, deferGoto, deferMethods,
	deferRangeFunc, deferRangeOnly, deferRangeNested, deferRangePointer,

	// rare.go
	broadParts, elementsOfResults, broadResults, mixedFuncs, boxedFuncs, resultsThatDiffer, emptyComparisons, funcComparisons,
	makeCapped, makeBetween, tailPointers, tailPairs, deferBroad, constStrings,

	// string.go
	concat, concatBytes, bytesToString, stringToBytes, runeStrings, minMaxStrings, joinStrings, concatArgs, concatResult, makeVariable, appendString, labelled,

	// initial.go
	initialTables, initialValues, pointersInitial, protocolNames, weekdayOf, routesInitial, slicesInitial, slicesPassed, initFuncs, initList,

	// programs.go
	leastRecentlyUsed, scanBrackets, largestFigures, visitExpressions, ringOfSamples, embeddedInterface, iteratorChain, applyOperator,

	// big.go
	bigTable, bigZero, bigNested, bigChoice, bigList, wideResults,
}

// PacketFuncs is the functions of packets, by name.
var PacketFuncs = map[string]func([]byte) uint32{
	"pktEthertype": pktEthertype, "pktUnchecked": pktUnchecked, "pktChecked": pktChecked, "pktOptions": pktOptions, "pktSwap": pktSwap,
	"pktVariable": pktVariable, "pktLast": pktLast, "pktSum": pktSum, "pktChecksum": pktChecksum, "pktVLAN": pktVLAN,
	"pktExtensions": pktExtensions, "pktParser": pktParser, "pktArrays": pktArrays, "pktCopyOut": pktCopyOut, "pktCopyIn": pktCopyIn,
	"pktOverlap": pktOverlap, "pktTTL": pktTTL, "pktRange": pktRange, "pktWindow": pktWindow, "pktMaybe": pktMaybe,
	"pktChoice": pktChoice, "pktTwo": pktTwo, "pktDNS": pktDNS, "pktTrailer": pktTrailer, "pktStride": pktStride,
	"pktNested": pktNested, "pktWide": pktWide, "pktIndexOf": pktIndexOf, "pktEqual": pktEqual, "pktSigned": pktSigned, "pktFill": pktFill,
	"pktTable": pktTable, "pktLayers": pktLayers, "pktAsked": pktAsked, "pktNil": pktNil, "pktNilSlice": pktNilSlice,
}
