package lower

import "github.com/undergo-ebpf/undergo/lower/internal/diag"

// A Diagnostic is one reason why a program was refused.
type Diagnostic = diag.Diagnostic

// DiagnosticList collects diagnostics.
type DiagnosticList = diag.List

// DiagnosticError is one or more diagnostics, in source order.
type DiagnosticError = diag.Error

// A Code identifies a kind of diagnostic.
type Code = diag.Code
