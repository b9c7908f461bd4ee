//go:build !linux

package main

import "time"

// pin does nothing where a program cannot choose its core.
func pin(int) error { return nil }

// cpuTime is the time on the wall, for want of better.
func cpuTime(f func() error) (time.Duration, error) {
	start := time.Now()
	err := f()
	return time.Since(start), err
}
