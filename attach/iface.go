package attach

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// findInterface returns the network interface of the given name or, if there is none of
// that name and it is a number, index.
func findInterface(name string) (*net.Interface, error) {
	iface, err := net.InterfaceByName(name)
	if err == nil {
		return iface, nil
	}
	if i, numErr := strconv.Atoi(name); numErr == nil && i > 0 {
		if iface, numErr := net.InterfaceByIndex(i); numErr == nil {
			return iface, nil
		}
	}
	return nil, unknownInterface(name, err)
}

// unknownInterface adds the interfaces there are.
func unknownInterface(name string, err error) error {
	ifaces, listErr := net.Interfaces()
	if listErr != nil {
		return errors.Join(err, listErr)
	}
	names := make([]string, len(ifaces))
	for i, f := range ifaces {
		names[i] = f.Name
	}
	return fmt.Errorf("%w: the interfaces are %q", err, names)
}
