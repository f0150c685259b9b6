package e2e

import (
	"fmt"
	"net"
	"os"

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
