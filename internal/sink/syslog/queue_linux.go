package syslog

import (
	"net"

	"golang.org/x/sys/unix"
)

// unconfirmed returns how many written bytes the other side's system has not
// confirmed; 0 where that cannot be known.
func unconfirmed(c *net.TCPConn) int {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	_ = raw.Control(func(fd uintptr) {
		if queued, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil {
			n = queued
		}
	})
	return n
}
