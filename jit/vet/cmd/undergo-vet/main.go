// Undergo-vet is a tool for go vet that checks kernel-side functions:
//
//	go vet -vettool=$(which undergo-vet) ./...
//
// See package vet for what it checks, and its flags.
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/undergo-ebpf/undergo/jit/vet"
)

func main() { unitchecker.Main(vet.Analyzer) }
