// Package qemu runs a test binary in a kernel of its own: it builds an
// initramfs around the binary, boots it in QEMU, streams what it prints, and
// returns its exit status.
//
// There is no disk and no network: the initramfs is the root file system, and
// two serial lines are the way out, one for the console and one for files. The
// guest's side is package e2e/guest.
package qemu
