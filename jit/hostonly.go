package jit

import "regexp"

// This file words the type checker's errors about what package ebpf has on the host only.
// The source of the package that kernel-side code is checked with does not have it, so
// that for the type checker it does not exist.

// hostMethods is the methods that some types of package ebpf have on the host only.
// Others have methods of the same name on both sides, which is why a use is looked up
// here after the type checker has not found it.
var hostMethods = map[string]string{
	"All":          "look up the keys that matter, or count entries as they are made",
	"Binding":      "",
	"CPUValues":    "",
	"Clear":        "delete the keys that matter",
	"Close":        "",
	"Delete":       "",
	"DeleteFD":     "",
	"Discard":      "",
	"Error":        "",
	"Get":          "",
	"GetFD":        "",
	"Info":         "",
	"Keys":         "look up the keys that matter",
	"Len":          "count entries as they are made, in an ebpf.Var",
	"Lost":         "",
	"Packet":       "",
	"Pin":          "",
	"Read":         "send records with Output or Reserve",
	"ReadBytes":    "send records with Output or Reserve",
	"ReadInPlace":  "send records with Output or Reserve",
	"Reserve":      "",
	"Resize":       "give the size to the constructor",
	"Send":         "",
	"Set":          "",
	"SetCPUValues": "",
	"SetFD":        "",
	"SetProgram":   "",
	"Submit":       "",
	"Sum":          "use the value of this CPU",
	"Sums":         "use the values of this CPU",
	"Unpin":        "",
}

// noMethod is the type checker's message for a method that a type of package ebpf does
// not have, or has not in the embedded source.
var noMethod = regexp.MustCompile(`^\S+ undefined \(type \*?ebpf\.(\w+).* has no field or method (\w+)\)$`)

// hostOnlyMethod returns a message and a remedy instead of the type checker's message, if
// that is about a method that exists on the host only.
func hostOnlyMethod(msg string) (instead, fix string, ok bool) {
	m := noMethod.FindStringSubmatch(msg)
	if m == nil {
		return "", "", false
	}
	if fix, ok = hostMethods[m[2]]; !ok {
		return "", "", false
	}
	if fix == "" {
		fix = "call it on the host"
	}
	return "method " + m[2] + " of ebpf." + m[1] + " is for the host only", fix, true
}
