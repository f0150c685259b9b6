package lower

import "github.com/undergo-ebpf/undergo/lower/internal/diag"

// The codes of diagnostics that a front end reports, see their documentation in
// the table of codes.
const (
	SourceMissing       = diag.SourceMissing
	SourceChanged       = diag.SourceChanged
	UnsuitableValue     = diag.UnsuitableValue
	UnsuitableCapture   = diag.UnsuitableCapture
	UnknownConst        = diag.UnknownConst
	SyntaxError         = diag.SyntaxError
	TypeError           = diag.TypeError
	TooManyErrors       = diag.TooManyErrors
	UnsupportedExpr     = diag.UnsupportedExpr
	HelperUnavailable   = diag.HelperUnavailable
	HelperArgument      = diag.HelperArgument
	FeatureMissing      = diag.FeatureMissing
	UnsupportedImport   = diag.UnsupportedImport
	HostOnly            = diag.HostOnly
	StackOverflow       = diag.StackOverflow
	TooManyArguments    = diag.TooManyArguments
	TooComplex          = diag.TooComplex
	UnboundedLoop       = diag.UnboundedLoop
	NoProgram           = diag.NoProgram
	UnknownProgramType  = diag.UnknownProgramType
	UnknownSection      = diag.UnknownSection
	UnsuitableSignature = diag.UnsuitableSignature
)
