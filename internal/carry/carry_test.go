package carry

import (
	"testing"
	"time"
)

func TestTail(t *testing.T) {
	var tail Tail
	now := time.Unix(1, 0)
	if tail.Holding() {
		t.Error("an empty tail holds")
	}
	tail.Hold(now)
	_, _ = tail.Write([]byte("a\n"))
	tail.Hold(now.Add(MaxWait / 2)) // the wait counts from the first
	_, _ = tail.Write([]byte("b\n"))
	if got := tail.Wait(now.Add(MaxWait / 2)); got != MaxWait/2 {
		t.Errorf("waits %v more", got)
	}
	if tail.Wait(now.Add(MaxWait-1)) <= 0 || tail.Wait(now.Add(MaxWait)) > 0 || tail.Full() {
		t.Error("due at the wrong time")
	}
	if got := string(tail.Release()); got != "a\nb\n" || tail.Holding() {
		t.Errorf("released %q", got)
	}
	tail.Hold(now)
	_, _ = tail.Write(make([]byte, MaxBytes+1))
	if !tail.Full() {
		t.Error("holds more than it may")
	}
}
