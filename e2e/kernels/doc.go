// Package kernels fetches distribution kernels, and the emulator that boots
// them, from Debian's archive.
//
// It uses the machine's apt, but with state of its own: lists, cache and
// sources live in a directory of the user's cache, nothing is installed and
// nothing of the system's package state is read or changed. apt verifies what
// it fetches against the archive's signatures; the file kernels.lock pins
// versions and checksums, so that two runs test the same kernels.
//
// What has been fetched is used without network from then on.
package kernels
