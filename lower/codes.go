package lower

import "github.com/undergo-ebpf/undergo/lower/internal/diag"

// The codes of diagnostics, which CODES.md explains.
const (
	SourceMissing       = diag.SourceMissing
	SourceChanged       = diag.SourceChanged
	UnsuitableValue     = diag.UnsuitableValue
	UnsuitableCapture   = diag.UnsuitableCapture
	UnknownConst        = diag.UnknownConst
	SyntaxError         = diag.SyntaxError
	TypeError           = diag.TypeError
	TooManyErrors       = diag.TooManyErrors
	UnsupportedStmt     = diag.UnsupportedStmt
	UnsupportedType     = diag.UnsupportedType
	UnsupportedFloat    = diag.UnsupportedFloat
	UnsupportedExpr     = diag.UnsupportedExpr
	EscapingVariable    = diag.EscapingVariable
	UnresolvedCall      = diag.UnresolvedCall
	RecursiveCall       = diag.RecursiveCall
	NoBody              = diag.NoBody
	NonConstantFormat   = diag.NonConstantFormat
	FormatMismatch      = diag.FormatMismatch
	HelperUnavailable   = diag.HelperUnavailable
	HelperArgument      = diag.HelperArgument
	UnsupportedImport   = diag.UnsupportedImport
	HostOnly            = diag.HostOnly
	StalePacket         = diag.StalePacket
	ContextAccess       = diag.ContextAccess
	NotReleased         = diag.NotReleased
	PacketWrite         = diag.PacketWrite
	KeptPacket          = diag.KeptPacket
	StackOverflow       = diag.StackOverflow
	ProgramTooLarge     = diag.ProgramTooLarge
	TooManyArguments    = diag.TooManyArguments
	FeatureMissing      = diag.FeatureMissing
	UnboundedLoop       = diag.UnboundedLoop
	TooComplex          = diag.TooComplex
	SharedScratch       = diag.SharedScratch
	NoProgram           = diag.NoProgram
	UnknownProgramType  = diag.UnknownProgramType
	UnknownSection      = diag.UnknownSection
	UnsuitableSignature = diag.UnsuitableSignature
)
