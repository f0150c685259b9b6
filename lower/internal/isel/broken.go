//go:build brokenlowering

package isel

import (
	"github.com/undergo-ebpf/undergo/lower/internal/ir"
	"github.com/undergo-ebpf/undergo/lower/internal/mir"
)

// Builds with the tag brokenlowering have a defect: they shift signed numbers to
// the right without their sign. The end-to-end tests must find it in every
// kernel, see the flag -broken of package e2e.
func init() { aluOps[ir.OpAShr] = mir.OpRsh }
