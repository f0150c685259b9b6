// Package hostside has a function that programs cannot call, and no programs.
package hostside

import "os"

// PID returns the process ID.
func PID() int { return os.Getpid() }
