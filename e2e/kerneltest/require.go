package kerneltest

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	cebpf "github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/undergo-ebpf/undergo/jit"
	"github.com/undergo-ebpf/undergo/lower"
)

// Guest is the name of the test kernel this process runs in, "" on the host.
var Guest = os.Getenv("UNDERGO_GUEST")

// declared is the features of the tests that run, by testing.TB.
var declared sync.Map

// Test makes t a test of the feature: its outcome is the feature's in the
// README's table, and its failures are judged by what the feature declares.
func (f *Feature) Test(t testing.TB) {
	t.Helper()
	declared.Store(t, f)
	t.Cleanup(func() {
		declared.Delete(t)
		switch {
		case t.Failed():
			outcomes.add(f, Failed)
		case t.Skipped():
			outcomes.add(f, Absent)
		default:
			outcomes.add(f, Passed)
		}
	})
}

// Require is [Feature.Require] of the feature that t is a test of, the language if none
// has been declared.
func Require(t testing.TB, err error) {
	t.Helper()
	f := Language
	if d, ok := declared.Load(t); ok {
		f = d.(*Feature)
	}
	f.Require(t, err)
}

// Require ends the test unless err is nil. It skips the test for want of
// privilege (not on CI), or if the error says that the kernel lacks something
// and the feature's declaration agrees that it may.
//
// A program that the verifier rejected is a failure always.
func (f *Feature) Require(t testing.TB, err error) {
	t.Helper()
	var rejected *jit.VerifierError
	switch {
	case err == nil:
		return
	case errors.As(err, &rejected):
		t.Fatalf("%v\n%s", err, strings.Join(rejected.Log, "\n"))
	case errors.Is(err, unix.EPERM) && !Privileged():
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: tests must run with privileges on CI", err)
		}
		t.Skipf("needs privileges: %v", err)
	}
	kernel, releaseErr := RunningRelease()
	if releaseErr != nil {
		t.Fatal(releaseErr)
	}
	if unsupported(err) && !f.Expected(kernel) {
		outcomes.add(f, Absent) // t may be a subtest
		t.Skipf("Linux %v lacks it, as declared: %v", kernel, err)
	}
	if Guest == "" && f.Bare != nil {
		if bare := f.Bare(); bare != nil {
			outcomes.add(f, Absent)
			t.Skipf("the host's kernel is built without it: a program that does nothing is refused as well: %v; with undergo: %v", bare, err)
		}
	}
	t.Fatal(err)
}

// unsupported reports whether err says that the kernel lacks something.
func unsupported(err error) bool {
	var list lower.DiagnosticError
	if errors.As(err, &list) {
		for _, d := range list {
			if d.Code != lower.FeatureMissing && d.Code != lower.TooManyArguments && d.Code != lower.HelperUnavailable {
				return false
			}
		}
		return true
	}
	return errors.Is(err, cebpf.ErrNotSupported)
}

// Privileged reports whether this thread may do everything that BPF programs need.
func Privileged() bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false
	}
	effective := uint64(data[1].Effective)<<32 | uint64(data[0].Effective)
	const all = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN
	return effective&all == all
}
