package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// This file runs the example of a firewall between two network namespaces.

// otherNamespace starts a thread in a network namespace of its own, which does what it is
// sent, and returns that namespace.
func otherNamespace(t *testing.T) (ns *os.File, do func(func() error)) {
	t.Helper()
	work, done := make(chan func() error), make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		for f := range work {
			done <- f()
		}
	}()
	t.Cleanup(func() { close(work) })
	do = func(f func() error) {
		t.Helper()
		work <- f
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	do(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			ns, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		}
		return err
	})
	t.Cleanup(func() { ns.Close() })
	return ns, do
}

func TestFirewall(t *testing.T) {
	firewall.test(t)
	if !inChild(t, unix.CLONE_NEWNET) {
		return
	}
	server, client := net.IPv4(10, 77, 0, 1), net.IPv4(10, 77, 0, 2)
	ns, there := otherNamespace(t)
	for _, err := range []error{addVeth("left", "right"), addAddress("left", server), moveInterface("right", ns)} {
		firewall.require(t, err)
	}
	var conn net.Conn
	listener, err := net.ListenUDP("udp4", &net.UDPAddr{IP: server, Port: 7777})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	there(func() (err error) {
		if err := addAddress("right", client); err != nil {
			return err
		}
		conn, err = net.Dial("udp4", "10.77.0.1:7777")
		return err
	})
	defer conn.Close()
	arrives := func(want bool, when string) {
		t.Helper()
		there(func() error { _, err := conn.Write([]byte("hello")); return err })
		wait := patience
		if !want {
			wait = 300 * time.Millisecond
		}
		if err := listener.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := listener.ReadFrom(make([]byte, 16)); (err == nil) != want {
			t.Errorf("%s: the packet arrives: %v, want %v", when, !want, want)
		}
	}
	arrives(true, "without a firewall")

	o := observe(t, program(t, "examples/xdpfirewall"), "port 9999", "-i", "left", "-drop", "port:9999", "-every", "50ms")
	command := func(line, ready string) {
		t.Helper()
		if _, err := io.WriteString(o.stdin, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if ready != "" {
			o.find(regexp.MustCompile(regexp.QuoteMeta(ready)))
		}
	}
	arrives(true, "with rules for others")
	command("drop 10.77.0.0/24", "10.77.0.0/24")
	arrives(false, "its network is dropped")
	o.find(regexp.MustCompile(`^ *10\.77\.0\.0/24 +[1-9]`))
	command("allow 10.77.0.0/24", "")
	command("drop port 7777", "port 7777")
	arrives(false, "its port is dropped")
	o.find(regexp.MustCompile(`^ *port 7777 +1 `))
	command("allow port 7777", "")
	command("drop port 1", "port 1")
	arrives(true, "its rules are gone")
}
