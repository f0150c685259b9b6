package host

// The clocks of linux/time.h that the kernel's ktime helpers read.
const (
	clockMonotonic       = 1
	clockMonotonicCoarse = 6
	clockBoottime        = 7
	clockTAI             = 11
)
