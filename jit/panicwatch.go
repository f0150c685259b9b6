package jit

import (
	"context"
	"time"
)

// This file tells of panics while a program is attached.

// WatchPanics calls f for each place at which the program panics, when it has
// panicked there for the first time and again whenever it has panicked more often
// since. Panics that happened before the call are told first. The places are looked at
// at the given interval, so that several panics at one place may be told at once; this
// costs the program nothing. f is not called concurrently.
//
// WatchPanics returns when ctx is done, with the reason that [context.Cause] gives, or with
// another error when the counts cannot be read, such as after Close.
func (p *Program) WatchPanics(ctx context.Context, interval time.Duration, f func(Panic)) error {
	told := make(map[Panic]uint64) // counts, by the panic without its count
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for {
		panics, err := p.Panics()
		if err != nil {
			return err
		}
		for _, panicked := range panics {
			site := panicked
			site.Count = 0
			if told[site] != panicked.Count {
				told[site] = panicked.Count
				f(panicked)
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticks.C:
		}
	}
}
