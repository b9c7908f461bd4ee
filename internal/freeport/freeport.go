// Package freeport finds ports of this machine for the servers that tests start. It is
// for tests alone, and must not be used by the program.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// The ports lie below those that systems give to outgoing connections (32768 and above
// on Linux): such a connection may take a port between its choice and its use.
const (
	first = 15000
	count = 17000
	tries = 200
)

// Listen listens on a port of 127.0.0.1 that nobody listens on. Who closes the listener
// may give the port to a server.
func Listen() (net.Listener, error) {
	var err error
	for range tries {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(count))); err == nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("freeport: no port of %d tries is free: %w", tries, err)
}
