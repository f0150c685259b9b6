package jit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	cebpf "github.com/cilium/ebpf"

	"github.com/undergo-ebpf/undergo/jit"
)

func TestWatchPanics(t *testing.T) {
	p, err := jit.Compile(xdpLookup, jit.WithConst("offset", uint32(7)))
	needPrivilege(t, err)
	defer p.Close()
	run := func() {
		if _, err := p.BPF().Run(&cebpf.RunOptions{Data: make([]byte, 64)}); err != nil {
			t.Error(err)
		}
	}
	run()
	run()
	stopped := errors.New("stopped")
	ctx, stop := context.WithCancelCause(t.Context())
	var told []uint64
	err = p.WatchPanics(ctx, time.Millisecond, func(panicked jit.Panic) {
		told = append(told, panicked.Count)
		if len(told) == 2 {
			stop(stopped)
			return
		}
		run()
	})
	if err != stopped || len(told) != 2 || told[0] != 2 || told[1] != 3 {
		t.Errorf("got %v, %v", told, err)
	}
	p.Close()
	if err := p.WatchPanics(t.Context(), time.Millisecond, func(jit.Panic) { t.Error("a panic after Close") }); err == nil {
		t.Error("no error after Close")
	}
}
