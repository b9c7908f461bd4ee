package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// pin keeps the whole program on one core.
func pin(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		var id int
		for _, digit := range task.Name() {
			id = 10*id + int(digit-'0')
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil {
			return err
		}
	}
	return nil
}

// cpuTime is how long all threads of this program kept a processor busy with f, the
// collector of garbage included.
func cpuTime(f func() error) (time.Duration, error) {
	var from, to unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &from); err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &to)
	return time.Duration(to.Nano() - from.Nano()), err
}
