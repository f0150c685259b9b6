// Package attach connects compiled programs to their hooks in the kernel.
//
// Each hook has a file and a function of its own, which takes the program and
// what names the hook; options are a struct, as in cilium's link package, on which all of this
// rests. [Auto] chooses the function by what the program's source says about
// itself.
//
// # What this package may know
//
// attach knows jit's Program, the maps behind variables (package ebpf/bind), cilium's link package
// and, for traffic control, package netlink, and where tracefs is. It knows nothing of how a program was compiled.
package attach
