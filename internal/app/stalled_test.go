package app

import (
	"strings"
	"testing"
	"time"
)

// What fails for long makes the instance not ready; a delivery or another owner ends it.
func TestStalledPartitions(t *testing.T) {
	now := time.Unix(0, 0)
	s := newStalled(func() time.Time { return now })
	s.failed("logs", 3)
	s.failed("logs", -1) // the group: it has a reason of its own
	s.failed("other", 1)
	now = now.Add(stallAfter - time.Second)
	s.failed("logs", 3)
	if got := s.reason(); got != "" {
		t.Errorf("too early: %s", got)
	}
	s.over("other", 1)
	now = now.Add(time.Second)
	if got := s.reason(); !strings.HasPrefix(got, "logs/3 has failed for 1m0s") {
		t.Errorf("reason %q", got)
	}
	s.over("logs", 3)
	s.failed("logs", 3)
	if got := s.reason(); got != "" {
		t.Errorf("after a delivery: %s", got)
	}
}
