package main

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// packet returns an IPv4 packet behind the given number of VLAN tags.
func packet(src string, protocol uint8, port uint16, tags int) []byte {
	p := make([]byte, 14+4*tags+20+8)
	kind := func(tagged bool) ebpf.Be16 {
		if tagged {
			return ebpf.ToBe16(ebpf.EtherTypeVLAN)
		}
		return ebpf.ToBe16(ebpf.EtherTypeIPv4)
	}
	ebpf.Overlay[ebpf.Ethernet](p).Type = kind(tags > 0)
	rest := p[14:]
	for i := range tags {
		*ebpf.Overlay[ebpf.VLAN](rest) = ebpf.VLAN{TCI: ebpf.ToBe16(7), Type: kind(i < tags-1)}
		rest = rest[4:]
	}
	*ebpf.Overlay[ebpf.IPv4](rest) = ebpf.IPv4{VersionIHL: 0x45, Protocol: protocol, Src: netip.MustParseAddr(src).As4()}
	ebpf.Overlay[ebpf.UDP](rest[20:]).DstPort.Set(port)
	return p
}

func TestFirewall(t *testing.T) {
	for _, rule := range []string{"drop 192.0.2.0/24", "drop port 23"} {
		if err := obey(rule); err != nil {
			t.Fatal(err)
		}
	}
	fragment := packet("198.51.100.1", ebpf.ProtocolUDP, 23, 0)
	ebpf.Overlay[ebpf.IPv4](fragment[14:]).Fragment.Set(100)
	arp := packet("192.0.2.1", ebpf.ProtocolUDP, 23, 0)
	ebpf.Overlay[ebpf.Ethernet](arp).Type.Set(ebpf.EtherTypeARP)
	tests := []struct {
		name   string
		packet []byte
		want   ebpf.XDPAction
	}{
		{"network", packet("192.0.2.1", ebpf.ProtocolICMP, 0, 0), ebpf.XDPDrop},
		{"other network", packet("192.0.3.1", ebpf.ProtocolICMP, 0, 0), ebpf.XDPPass},
		{"TCP port", packet("198.51.100.1", ebpf.ProtocolTCP, 23, 0), ebpf.XDPDrop},
		{"UDP port", packet("198.51.100.1", ebpf.ProtocolUDP, 23, 0), ebpf.XDPDrop},
		{"no port", packet("198.51.100.1", ebpf.ProtocolICMP, 23, 0), ebpf.XDPPass},
		{"other port", packet("198.51.100.1", ebpf.ProtocolTCP, 24, 0), ebpf.XDPPass},
		{"one tag", packet("192.0.2.1", ebpf.ProtocolTCP, 80, 1), ebpf.XDPDrop},
		{"two tags", packet("198.51.100.1", ebpf.ProtocolTCP, 23, 2), ebpf.XDPDrop},
		{"three tags", packet("192.0.2.1", ebpf.ProtocolTCP, 23, 3), ebpf.XDPPass},
		{"later fragment", fragment, ebpf.XDPPass},
		{"not IPv4", arp, ebpf.XDPPass},
		{"no header", packet("192.0.2.1", ebpf.ProtocolTCP, 23, 0)[:33], ebpf.XDPPass},
	}
	for _, tt := range tests {
		if got := firewall(ebpf.NewXDP(tt.packet)); got != tt.want {
			t.Errorf("%s: %d natively, want %d", tt.name, got, tt.want)
		}
	}

	// And the same in the kernel, which takes over the rules.
	prog, err := jit.Compile(firewall)
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("the kernel runs tests for root only: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	for _, tt := range tests {
		run, err := prog.Test(tt.packet)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := ebpf.XDPAction(run.Result); got != tt.want || run.Panic != nil {
			t.Errorf("%s: %d in the kernel, panic %v, want %d", tt.name, got, run.Panic, tt.want)
		}
	}
}
