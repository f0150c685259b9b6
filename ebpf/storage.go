package ebpf

import "unsafe"

// A TaskStorage has a value of its own for each task that it is asked for, which goes
// with the task: BPF_MAP_TYPE_TASK_STORAGE, Linux 5.11. It is used in tracing and LSM
// programs. The task that a program
// runs for is [CurrentTask].
//
//ebpf:map task_storage key=4 value=V entries=0 flags=0x1
type TaskStorage[V any] struct{ storage[V] }

// NewTaskStorage returns an empty storage. It panics if the type cannot be that of a map's
// values.
//
//ebpf:intrinsic newmap
//go:noinline
func NewTaskStorage[V any](opts ...MapOption) *TaskStorage[V] {
	m := new(TaskStorage[V])
	m.p = newStorage[V]("task_storage", opts)
	return m
}

// Get returns a pointer to the value of task, or nil if it has none yet.
func (m *TaskStorage[V]) Get(task *Task) *V {
	return (*V)(TaskStorageGet(m.ref(), unsafe.Pointer(task), nil, 0))
}

// GetOrCreate returns a pointer to the value of task, which is zero at first. It
// returns nil if there is no memory.
func (m *TaskStorage[V]) GetOrCreate(task *Task) *V {
	return (*V)(TaskStorageGet(m.ref(), unsafe.Pointer(task), nil, LocalStorageGetCreate))
}

// Delete removes the value of task. The error is syscall.ENOENT if it has none.
func (m *TaskStorage[V]) Delete(task *Task) error {
	return errnoError(TaskStorageDelete(m.ref(), unsafe.Pointer(task)))
}

// An InodeStorage has a value of its own for each inode that it is asked for, which
// goes with the inode: BPF_MAP_TYPE_INODE_STORAGE, Linux 5.10. It is used in LSM programs.
//
//ebpf:map inode_storage key=4 value=V entries=0 flags=0x1
type InodeStorage[V any] struct{ storage[V] }

// NewInodeStorage returns an empty storage. It panics if the type cannot be that of a
// map's values.
//
//ebpf:intrinsic newmap
//go:noinline
func NewInodeStorage[V any](opts ...MapOption) *InodeStorage[V] {
	m := new(InodeStorage[V])
	m.p = newStorage[V]("inode_storage", opts)
	return m
}

// Get returns a pointer to the value of inode, or nil if it has none yet.
func (m *InodeStorage[V]) Get(inode *Inode) *V {
	return (*V)(InodeStorageGet(m.ref(), unsafe.Pointer(inode), nil, 0))
}

// GetOrCreate returns a pointer to the value of inode, which is zero at first. It
// returns nil if there is no memory.
func (m *InodeStorage[V]) GetOrCreate(inode *Inode) *V {
	return (*V)(InodeStorageGet(m.ref(), unsafe.Pointer(inode), nil, LocalStorageGetCreate))
}

// Delete removes the value of inode. The error is syscall.ENOENT if it has none.
func (m *InodeStorage[V]) Delete(inode *Inode) error {
	return errnoError(int64(InodeStorageDelete(m.ref(), unsafe.Pointer(inode))))
}

// A SockStorage has a value of its own for each socket that it is asked for, which
// goes with the socket: BPF_MAP_TYPE_SK_STORAGE, Linux 5.2.
//
//ebpf:map sk_storage key=4 value=V entries=0 flags=0x1
type SockStorage[V any] struct{ storage[V] }

// NewSockStorage returns an empty storage. It panics if the type cannot be that of a
// map's values.
//
//ebpf:intrinsic newmap
//go:noinline
func NewSockStorage[V any](opts ...MapOption) *SockStorage[V] {
	m := new(SockStorage[V])
	m.p = newStorage[V]("sk_storage", opts)
	return m
}

// Get returns a pointer to the value of the socket sk, or nil if it has none yet.
func (m *SockStorage[V]) Get(sk *Sock) *V {
	return (*V)(SkStorageGet(m.ref(), unsafe.Pointer(sk), nil, 0))
}

// GetOrCreate returns a pointer to the value of the socket sk, which is zero at
// first. It returns nil if there is no memory.
func (m *SockStorage[V]) GetOrCreate(sk *Sock) *V {
	return (*V)(SkStorageGet(m.ref(), unsafe.Pointer(sk), nil, LocalStorageGetCreate))
}

// Delete removes the value of the socket sk. The error is syscall.ENOENT if it has none.
func (m *SockStorage[V]) Delete(sk *Sock) error {
	return errnoError(SkStorageDelete(m.ref(), unsafe.Pointer(sk)))
}

// A CgroupStorage has a value of its own for each cgroup that it is asked for, which
// goes with the cgroup: BPF_MAP_TYPE_CGRP_STORAGE, Linux 6.2.
//
//ebpf:map cgrp_storage key=4 value=V entries=0 flags=0x1
type CgroupStorage[V any] struct{ storage[V] }

// NewCgroupStorage returns an empty storage. It panics if the type cannot be that of a
// map's values.
//
//ebpf:intrinsic newmap
//go:noinline
func NewCgroupStorage[V any](opts ...MapOption) *CgroupStorage[V] {
	m := new(CgroupStorage[V])
	m.p = newStorage[V]("cgrp_storage", opts)
	return m
}

// Get returns a pointer to the value of cgroup, or nil if it has none yet.
func (m *CgroupStorage[V]) Get(cgroup *Cgroup) *V {
	return (*V)(CgrpStorageGet(m.ref(), unsafe.Pointer(cgroup), nil, 0))
}

// GetOrCreate returns a pointer to the value of cgroup, which is zero at first. It
// returns nil if there is no memory.
func (m *CgroupStorage[V]) GetOrCreate(cgroup *Cgroup) *V {
	return (*V)(CgrpStorageGet(m.ref(), unsafe.Pointer(cgroup), nil, LocalStorageGetCreate))
}

// Delete removes the value of cgroup. The error is syscall.ENOENT if it has none.
func (m *CgroupStorage[V]) Delete(cgroup *Cgroup) error {
	return errnoError(CgrpStorageDelete(m.ref(), unsafe.Pointer(cgroup)))
}

// storage is the methods of all storages.
type storage[V any] struct{ handle }
