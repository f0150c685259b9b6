// Xdpfirewall drops IPv4 packets before the network stack sees them: those from some
// networks, and those to some ports. The rules are changed while it runs, by commands on standard
// input:
//
//	drop 192.0.2.0/24
//	drop port 23
//	allow 192.0.2.0/24
//	allow port 23
//
// It prints how much each rule has dropped.
//
//	sudo go run ./examples/xdpfirewall -i eth0 -drop 192.0.2.0/24,port:23
//
// The kernel side is in prog.go.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/undergo-ebpf/undergo/attach"
	"github.com/undergo-ebpf/undergo/ebpf"
	"github.com/undergo-ebpf/undergo/jit"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("xdpfirewall: ")
	ifname := flag.String("i", "", "network `interface`, by name or index")
	rules := flag.String("drop", "", "what to drop from the start: networks, and ports as port:23, with commas between")
	every := flag.Duration("every", time.Second, "how often to print the table")
	generic := flag.Bool("generic", false, "do not run in the driver, if that cannot")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdin, os.Stdout, *ifname, *rules, *every, *generic); err != nil {
		log.Fatal(err)
	}
}

// run attaches the firewall, obeys the commands that it reads, and prints the table, until ctx ends.
func run(ctx context.Context, commands io.Reader, w io.Writer, ifname, rules string, every time.Duration, generic bool) error {
	for _, r := range strings.FieldsFunc(rules, func(c rune) bool { return c == ',' }) {
		if err := obey("drop " + strings.Replace(r, "port:", "port ", 1)); err != nil {
			return err
		}
	}
	prog, err := jit.Compile(firewall)
	if err != nil {
		return err
	}
	defer prog.Close()
	var o attach.XDPOptions
	if generic {
		o.Mode = attach.XDPGeneric
	}
	link, err := attach.XDP(prog, ifname, o)
	if err != nil {
		return err
	}
	defer link.Close()

	lines := make(chan string)
	go func() {
		for s := bufio.NewScanner(commands); s.Scan(); {
			lines <- s.Text()
		}
	}()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := printTable(w); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			if err := obey(line); err != nil {
				log.Print(err)
			}
		case <-ticker.C:
		}
	}
}

// obey does what a command says.
func obey(line string) error {
	f := strings.Fields(line)
	switch {
	case len(f) == 0:
		return nil
	case len(f) == 2:
		net, err := netip.ParsePrefix(f[1])
		if err != nil || !net.Addr().Is4() {
			return fmt.Errorf("%q is no IPv4 network such as 192.0.2.0/24", f[1])
		}
		key := ebpf.Prefix[[16]byte]{Bits: mappedBits + uint32(net.Bits()), Addr: net.Masked().Addr().As16()}
		switch f[0] {
		case "drop":
			return add(networks.Set(key, count{}), line)
		case "allow":
			return remove(networks.Delete(key), line)
		}
	case len(f) == 3 && f[1] == "port":
		n, err := strconv.ParseUint(f[2], 10, 16)
		if err != nil {
			return fmt.Errorf("%q is no port", f[2])
		}
		switch f[0] {
		case "drop":
			return add(ports.Set(uint16(n), count{}), line)
		case "allow":
			return remove(ports.Delete(uint16(n)), line)
		}
	}
	return fmt.Errorf("%q is neither drop nor allow of a network or of port and a number", line)
}

func add(err error, line string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	return nil
}

func remove(err error, line string) error {
	if errors.Is(err, syscall.ENOENT) {
		return fmt.Errorf("%s: there is no such rule", line)
	}
	return add(err, line)
}

// printTable prints what has been dropped, by rule, and what has passed.
func printTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "rule\tpackets\tbytes\t")
	var rows []string
	for net, c := range networks.All() {
		rows = append(rows, fmt.Sprintf("%v\t%d\t%d\t", netip.PrefixFrom(netip.AddrFrom16(net.Addr).Unmap(), int(net.Bits)-mappedBits), c.Packets, c.Bytes))
	}
	for port, c := range ports.All() {
		rows = append(rows, fmt.Sprintf("port %d\t%d\t%d\t", port, c.Packets, c.Bytes))
	}
	slices.Sort(rows)
	for _, r := range rows {
		fmt.Fprintln(t, r)
	}
	c, _ := passed.Get(0)
	fmt.Fprintf(t, "passed\t%d\t%d\t\n", c.Packets, c.Bytes)
	return t.Flush()
}
