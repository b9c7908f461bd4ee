package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

func TestMembershipIsProvenAgainWhenItsProofIsOld(t *testing.T) {
	const trusted = 5 * time.Second
	now := time.Now()
	var answer error
	asked, lost := 0, 0
	m := &membership{
		ask: func(context.Context) error { asked++; return answer }, trusted: trusted,
		now: func() time.Time { return now }, lost: func(error) { lost++ }, proven: now,
	}
	for _, step := range []struct {
		what        string
		pass        time.Duration
		answer      error
		fails       bool
		asked, lost int // so far
	}{
		{"at once", 0, nil, false, 0, 0},
		{"just young enough", trusted - 1, nil, false, 0, 0},
		{"old", 1, nil, false, 1, 0},
		{"the heartbeat was a proof", trusted - 1, nil, false, 1, 0},
		{"the group rebalances", 1, kafkago.RebalanceInProgress, false, 2, 0},
		{"no answer", trusted, errInjected, true, 3, 0},
		{"asked again until there is one", 0, nil, false, 4, 0},
		{"the coordinator moved", trusted, kafkago.NotCoordinatorForGroup, true, 5, 0},
		{"thrown out", 0, kafkago.UnknownMemberId, true, 6, 1},
		{"of an older generation", 0, kafkago.IllegalGeneration, true, 7, 2},
	} {
		now, answer = now.Add(step.pass), step.answer
		if err := m.check(t.Context()); (err != nil) != step.fails || !errors.Is(err, step.answer) && step.fails || asked != step.asked || lost != step.lost {
			t.Errorf("%s: %v, asked %d times, lost %d times", step.what, err, asked, lost)
		}
	}
	now = now.Add(time.Hour)
	m.prove(now)
	if err := m.check(t.Context()); err != nil || asked != 7 {
		t.Errorf("after a commit: %v, asked %d times", err, asked)
	}
}

func TestSleepOfTheMachineMakesAProofOld(t *testing.T) {
	from := time.Now()
	asleep := from.Round(0).Add(time.Hour) // the monotonic clock did not go on
	if got := since(from, asleep); got < time.Hour {
		t.Errorf("%v have passed", got)
	}
	setBack := from.Add(time.Minute)
	if got := since(from, setBack); got != time.Minute {
		t.Errorf("%v have passed", got)
	}
}

// kafka-go's Client.Heartbeat gives no error and a throttle time of 25 ms.
func TestHeartbeatErrorIsSeen(t *testing.T) {
	b := sharedBroker(t)
	client := &kafkago.Client{Addr: kafkago.TCP(b.Addr()), Transport: &kafkago.Transport{}}
	if err := askHeartbeat(testContext(t), client, "nobody-is-in-it", "nobody", 3); !errors.Is(err, kafkago.UnknownMemberId) {
		t.Errorf("an unknown member's heartbeat: %v", err)
	}
}
