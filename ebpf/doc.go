// Package ebpf is what kernel-side Go imports.
package ebpf
