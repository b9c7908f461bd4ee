package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
)

// heartbeatQuestion is a heartbeat of our own: kafka-go's Client.Heartbeat goes to
// any broker, and takes the error's number for a throttle time.
type heartbeatQuestion struct{ heartbeat.Request }

// Group routes the question to the group's coordinator.
func (q *heartbeatQuestion) Group() string { return q.GroupID }

// Required makes the transport call RawExchange.
func (*heartbeatQuestion) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange sends version 0, whose answer is the error alone.
func (q *heartbeatQuestion) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	return protocol.RoundTrip(rw, 0, correlation, clientID, &q.Request)
}

// askHeartbeat is one heartbeat: nil, or what the coordinator or the network said.
func askHeartbeat(ctx context.Context, client *kafkago.Client, group, member string, generation int32) error {
	answer, err := client.Transport.RoundTrip(ctx, client.Addr, &heartbeatQuestion{heartbeat.Request{
		GroupID: group, MemberID: member, GenerationID: generation,
	}})
	if err != nil {
		return err
	}
	response, ok := answer.(*heartbeat.Response)
	switch {
	case !ok:
		return fmt.Errorf("heartbeat: answer of type %T", answer)
	case response.ErrorCode != 0:
		return kafkago.Error(response.ErrorCode)
	}
	return nil
}

// membership is the proof that a generation still holds. A process that stood
// still for longer than its session (SIGSTOP, a paused machine) has lost its
// partitions without knowing. The next commit or heartbeat will tell; until then
// it must not write what it has in hand.
type membership struct {
	ask func(context.Context) error // a heartbeat
	// trusted is how long a proof holds.
	trusted time.Duration
	now     func() time.Time
	// lost is called when the coordinator says that the generation is over.
	lost func(error)

	mu     sync.Mutex
	proven time.Time
}

// prove takes note that the coordinator accepted something that was sent at that
// time.
func (m *membership) prove(sent time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.proven = sent
}

// check returns nil when the proof is young enough, or a new one was had.
func (m *membership) check(ctx context.Context) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	sent := m.now()
	if since(m.proven, sent) < m.trusted {
		return nil
	}
	err := m.ask(ctx)
	// While the group rebalances, the partitions are still this member's.
	if err == nil || errors.Is(err, kafkago.RebalanceInProgress) {
		m.proven = sent
		return nil
	}
	err = fmt.Errorf("records are held back, since this member does not know whether it still belongs to the group: %w", err)
	if fenced(err) {
		m.lost(err)
	}
	return err
}

// since is the longer of two measures: the monotonic clock stands still while a
// machine sleeps, and the wall clock can be set back.
func since(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}
