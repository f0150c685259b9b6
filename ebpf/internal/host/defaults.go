package host

// defaults are the helpers whose native behaviour is the kernel's, by Go name.
// Times, identities and random numbers are those of the running test; memory is
// read from the test's own address space.
var defaults = map[string]any{
	"GetCurrentComm":     currentComm,
	"GetCurrentPidTgid":  currentPidTgid,
	"GetCurrentUidGid":   currentUIDGID,
	"GetPrandomU32":      randomU32,
	"GetSmpProcessorId":  processorID,
	"KtimeGetBootNs":     clock(clockBoottime),
	"KtimeGetCoarseNs":   clock(clockMonotonicCoarse),
	"KtimeGetNs":         clock(clockMonotonic),
	"KtimeGetTaiNs":      clock(clockTAI),
	"loop":               loop,
	"CopyFromUser":       copyMemory,
	"ProbeRead":          copyMemory,
	"ProbeReadKernel":    copyMemory,
	"ProbeReadKernelStr": copyString,
	"ProbeReadStr":       copyString,
	"ProbeReadUser":      copyMemory,
	"ProbeReadUserStr":   copyString,
	"Strncmp":            compareStrings,
	"Strtol":             parseInt,
	"Strtoul":            parseUint,
}
