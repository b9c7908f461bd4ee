package freeport

import (
	"net"
	"testing"
)

func TestListen(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		l, err := Listen()
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		if port < first || port >= first+count || seen[port] {
			t.Errorf("port %d", port)
		}
		seen[port] = true
	}
}
