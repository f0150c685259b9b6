package attach

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// A TracePipe delivers what programs print with ebpf.Printk. There is one
// stream for the whole system: a line goes to one reader only, and lines of
// other programs appear as well.
type TracePipe struct {
	file  *os.File
	lines *bufio.Reader
}

// OpenTracePipe opens the stream. tracefs need not be mounted.
func OpenTracePipe() (*TracePipe, error) {
	tfs, err := openTracefs()
	if err != nil {
		return nil, fmt.Errorf("open trace pipe: %w", err)
	}
	// Non-blocking, so that the runtime polls it and Close wakes a reader.
	f, err := tfs.open("trace_pipe", unix.O_RDONLY|unix.O_NONBLOCK)
	if errors.Is(err, os.ErrPermission) {
		err = fmt.Errorf("%w: run as root", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open trace pipe: %w", err)
	}
	return &TracePipe{file: f, lines: bufio.NewReader(f)}, nil
}

// ReadLine waits for the next line and returns it without its newline. It
// returns ctx's error when ctx ends, and io.EOF after Close. It must not be called concurrently.
func (t *TracePipe) ReadLine(ctx context.Context) (string, error) {
	stop := context.AfterFunc(ctx, func() { t.Close() })
	defer stop()
	line, err := t.lines.ReadString('\n')
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, os.ErrClosed):
		return "", io.EOF
	}
	return "", fmt.Errorf("read trace pipe: %w", err)
}

// Close closes the stream and wakes a waiting ReadLine.
func (t *TracePipe) Close() error { return t.file.Close() }
