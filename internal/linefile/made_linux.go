package linefile

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// madeAt is when a file was made, where the file system keeps that.
func madeAt(file *os.File) (time.Time, bool) {
	var s unix.Statx_t
	err := unix.Statx(int(file.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &s)
	if err != nil || s.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}, false
	}
	return time.Unix(s.Btime.Sec, int64(s.Btime.Nsec)), true
}
