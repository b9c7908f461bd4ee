//go:build unix

package main

import (
	"os"
	"syscall"
)

// keepOwner gives the file the owner that the replaced one had, where this
// process may.
func keepOwner(file *os.File, info os.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() && int(stat.Gid) == os.Getegid() {
		return nil
	}
	return file.Chown(int(stat.Uid), int(stat.Gid))
}
