package emit

import (
	"strconv"
	"strings"
)

// maxSymbol bounds the length of names in BTF, KSYM_NAME_LEN in
// include/linux/kallsyms.h before Linux 6.1, less a suffix.
const maxSymbol = 100

// uniqueSymbol returns a name for the Go function called name that the kernel takes and
// that is not in taken, and adds it there. The kernel allows letters, digits and _,
// btf_name_valid_identifier in kernel/bpf/btf.c; the import path but for its
// last element is left out.
func uniqueSymbol(name string, taken map[string]bool) string {
	// A slash may also be part of a type argument, f[a/b.T].
	path, _, _ := strings.Cut(name, "[")
	name = name[strings.LastIndexByte(path, '/')+1:]
	symbol := []byte(name)
	for i, c := range symbol {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			symbol[i] = '_'
		}
	}
	if len(symbol) == 0 || '0' <= symbol[0] && symbol[0] <= '9' {
		symbol = append([]byte{'_'}, symbol...)
	}
	s := string(symbol[:min(len(symbol), maxSymbol)])
	unique := s
	for n := 2; taken[unique]; n++ {
		unique = s + "_" + strconv.Itoa(n)
	}
	taken[unique] = true
	return unique
}
