package bind

import (
	"os"
	"unsafe"
)

// A closedBackend is the backend of a closed map.
type closedBackend struct{}

func (closedBackend) Lookup(_, _ []byte) error                     { return os.ErrClosed }
func (closedBackend) Update(_, _ []byte, _ uint64) error           { return os.ErrClosed }
func (closedBackend) UpdateCPU(_, _ []byte, _ int, _ uint64) error { return os.ErrClosed }
func (closedBackend) Delete([]byte) error                          { return os.ErrClosed }
func (closedBackend) LookupAndDelete(_, _ []byte) error            { return os.ErrClosed }
func (closedBackend) Add([]byte, int, uint64) error                { return os.ErrClosed }
func (closedBackend) Pointer([]byte, int) (unsafe.Pointer, error)  { return nil, os.ErrClosed }
func (closedBackend) Iterate(func(_, _ []byte) bool) error         { return os.ErrClosed }
func (closedBackend) Info() (Info, error)                          { return Info{}, os.ErrClosed }
func (closedBackend) Pin(string) error                             { return os.ErrClosed }
func (closedBackend) Close() error                                 { return nil }
func (closedBackend) OpenReader() (Reader, error)                  { return nil, os.ErrClosed }
func (closedBackend) Unread() (uint64, error)                      { return 0, os.ErrClosed }
func (closedBackend) Reserve(int) (unsafe.Pointer, error)          { return nil, os.ErrClosed }
func (closedBackend) Commit(unsafe.Pointer, bool, uint64) error    { return os.ErrClosed }
