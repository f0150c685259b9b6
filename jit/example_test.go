package jit_test

import (
	"fmt"
	"log"

	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

// dropTelnet drops the packets of TCP to port 23.
func dropTelnet(ctx *ebpf.XDP) ebpf.XDPAction {
	pkt := ctx.Data()
	if len(pkt) < 34 || ebpf.Overlay[ebpf.Ethernet](pkt).Type.Uint16() != ebpf.EtherTypeIPv4 {
		return ebpf.XDPPass
	}
	ip := ebpf.Overlay[ebpf.IPv4](pkt[14:])
	n := 14 + ip.HeaderLen()
	if ip.Protocol != ebpf.ProtocolTCP || len(pkt) < n+20 {
		return ebpf.XDPPass
	}
	if ebpf.Overlay[ebpf.TCP](pkt[n:]).DstPort.Uint16() == 23 {
		return ebpf.XDPDrop
	}
	return ebpf.XDPPass
}

// A program is tested on packets like any function: in the kernel, where it
// need not be attached, and natively.
func ExampleProgram_Test() {
	prog, err := jit.Compile(dropTelnet)
	if err != nil {
		log.Fatal(err)
	}
	defer prog.Close()

	packet := make([]byte, 54)
	ebpf.Overlay[ebpf.Ethernet](packet).Type.Set(ebpf.EtherTypeIPv4)
	*ebpf.Overlay[ebpf.IPv4](packet[14:]) = ebpf.IPv4{VersionIHL: 0x45, Protocol: ebpf.ProtocolTCP}
	for _, port := range []uint16{22, 23} {
		ebpf.Overlay[ebpf.TCP](packet[34:]).DstPort.Set(port)
		run, err := prog.Test(packet)
		if err != nil {
			log.Fatal(err)
		}
		natively := dropTelnet(ebpf.NewXDP(packet))
		fmt.Println(port, ebpf.XDPAction(run.Result) == ebpf.XDPDrop, natively == ebpf.XDPDrop)
	}
}
