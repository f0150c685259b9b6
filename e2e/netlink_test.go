package e2e

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/vishvananda/netlink"
)

// This file sets network interfaces of the test's own namespace up.

// interfaceUp brings a network interface up.
func interfaceUp(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(l)
}

// addVeth makes a pair of virtual Ethernet interfaces and brings them up.
func addVeth(name, peer string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: peer}); err != nil {
		return fmt.Errorf("add veth pair %s, %s: %w", name, peer, err)
	}
	for _, n := range []string{name, peer} {
		if err := interfaceUp(n); err != nil {
			return err
		}
	}
	return waitForCarrier(name, peer)
}

// waitForCarrier waits until interfaces that are up send. Until the kernel's link watch has seen the
// carrier, which on a busy machine takes a while, they drop all that they are given.
func waitForCarrier(names ...string) error {
	deadline := time.Now().Add(patience)
	for _, n := range names {
		for {
			l, err := netlink.LinkByName(n)
			if err != nil {
				return err
			}
			if l.Attrs().OperState == netlink.OperUp {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("interface %s is %v", n, l.Attrs().OperState)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// addAddress gives an interface an IPv4 address of a /24 network, and brings it up.
func addAddress(ifname string, addr net.IP) error {
	l, err := netlink.LinkByName(ifname)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(l, &netlink.Addr{IPNet: &net.IPNet{IP: addr, Mask: net.CIDRMask(24, 32)}}); err != nil {
		return fmt.Errorf("add address %v to %s: %w", addr, ifname, err)
	}
	return netlink.LinkSetUp(l)
}

// moveInterface moves an interface to the namespace that ns is open of.
func moveInterface(ifname string, ns *os.File) error {
	l, err := netlink.LinkByName(ifname)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetNsFd(l, int(ns.Fd())); err != nil {
		return fmt.Errorf("move %s to another namespace: %w", ifname, err)
	}
	return nil
}
