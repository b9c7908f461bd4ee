package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A coordinator that does not answer keeps nobody from ending: what was delivered is
// committed before the group is left.
func TestCoordinatorThatDoesNotAnswerHoldsUpNoEnd(t *testing.T) {
	cluster, c := fakeCluster(t, kfake.SeedTopics(1, "in", "in.out"))
	asked := make(chan struct{}, 100)
	cluster.ControlKey(int16(kmsg.LeaveGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked <- struct{}{}
		return nil, nil, true // no answer
	})
	o := options(&memory{})
	o.Connection, o.RequestTimeout = c, 10*time.Minute
	s, err := NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m := &member{s, cancel, make(chan error, 1)}
	go func() { m.done <- s.Run(ctx) }()
	until(t, "it is a member", func() bool { return s.Status().Joined })
	m.leave(t)
	if len(asked) == 0 {
		t.Error("the group was not left")
	}
}
