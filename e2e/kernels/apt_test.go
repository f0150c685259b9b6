package kernels

import (
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestLock checks that a lock is held by one caller at a time.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var wg sync.WaitGroup
	var held atomic.Int32
	for range 8 {
		wg.Go(func() {
			for range 50 {
				f, err := lock(path)
				if err != nil {
					t.Error(err)
					return
				}
				if n := held.Add(1); n != 1 {
					t.Errorf("%d callers hold the lock", n)
				}
				runtime.Gosched()
				held.Add(-1)
				f.Close()
			}
		})
	}
	wg.Wait()
}
