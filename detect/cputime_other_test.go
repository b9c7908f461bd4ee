//go:build !linux

package detect

import (
	"testing"
	"time"
)

// cpuTime is how long f takes.
func cpuTime(_ testing.TB, f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
