package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// unnamed opens a file without a name in a folder, readable by its owner alone; nil where
// the file system has none.
func unnamed(dir string) *os.File {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(fd), dir+"/(unnamed)")
	if _, err := os.Lstat(procPath(file)); err != nil { // without /proc it could not be given a name
		_ = file.Close()
		return nil
	}
	return file
}

func linkUnnamed(file *os.File, name string) error {
	return unix.Linkat(unix.AT_FDCWD, procPath(file), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}

func procPath(file *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", file.Fd()) }
