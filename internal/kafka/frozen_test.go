package kafka

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A member that stood still for longer than its session is fenced: its commit is
// refused, it writes nothing more under the generation that it lost, and what the
// next owner does is not undone.
func TestFrozenMemberIsFenced(t *testing.T) {
	const partitions = 3
	s := newStream(t, sharedBroker(t), partitions, nil)
	for range 200 { // batches of their own, so that much is left to be written
		s.send(1)
	}
	frozen := startFrozenMember(t, s)
	until(t, "the member stands still in the middle of its work", func() bool { return frozen.count("frozen") == 1 })
	old := frozen.last("assigned").Generation

	other := s.join(func(o *SourceOptions) { o.Session = frozenSession })
	until(t, "the other member has all partitions", func() bool { return other.Status().Partitions == partitions })
	s.send(50)
	until(t, "the other member has committed everything", func() bool { return s.allCommitted() })
	before := len(frozen.all())
	frozen.signal(syscall.SIGCONT)
	until(t, "the frozen member has a new generation", func() bool { return frozen.last("assigned").Generation > old })

	refused := 0
	written := map[int32]int{}
	for _, e := range frozen.all()[before:] {
		switch {
		case e.Kind == "commit" && e.Generation == old && e.Error == "":
			t.Error("a commit of the old generation was accepted")
		case e.Kind == "commit" && e.Generation == old:
			refused++
		case e.Kind == "write" && e.Generation == old:
			// What was on its way when the process stopped cannot be called back.
			if written[e.Partition]++; written[e.Partition] > 1 || e.Partition == frozen.last("frozen").Partition {
				t.Errorf("partition %d: records from offset %d on were written by the old generation", e.Partition, e.From)
			}
		}
	}
	if refused == 0 {
		t.Error("no commit was refused")
	}
	if !s.allCommitted() {
		t.Error("the frozen member has set an offset back")
	}
	s.send(50)
	t.Logf("%d duplicates", s.whole())
	until(t, "everything is committed", func() bool { return s.allCommitted() })
	other.leave(t)
	frozen.signal(syscall.SIGTERM)
	<-frozen.ended
}

func (s *stream) allCommitted() bool {
	for p, sent := range s.sent {
		if s.committed(p) != int64(sent) {
			return false
		}
	}
	return true
}

const frozenSession = 2 * time.Second

// frozenMember is a process that runs a Source and stops itself, with SIGSTOP,
// between the delivery of its second unit and the mark.
type frozenMember struct {
	cmd   *exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	said  []frozenEvent
}

type frozenEvent struct {
	Kind       string // assigned, write, frozen, commit
	Generation int32
	Partition  int32
	From       int64
	Error      string
}

const frozenVariable = "LEAKVEIL_TEST_FROZEN_MEMBER"

type frozenSettings struct{ Addr, In, Out string }

func startFrozenMember(t *testing.T, s *stream) *frozenMember {
	t.Helper()
	settings, err := json.Marshal(frozenSettings{s.broker.Addr(), s.in, s.out})
	if err != nil {
		t.Fatal(err)
	}
	m := &frozenMember{cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	m.cmd.Env = append(os.Environ(), frozenVariable+"="+string(settings))
	m.cmd.Stderr = os.Stderr
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.signal(syscall.SIGKILL); <-m.ended })
	go func() {
		defer close(m.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e frozenEvent
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Errorf("the member said what is no event: %v", err)
				continue
			}
			m.mu.Lock()
			m.said = append(m.said, e)
			m.mu.Unlock()
		}
		_ = m.cmd.Wait()
	}()
	return m
}

func (m *frozenMember) signal(s syscall.Signal) { _ = m.cmd.Process.Signal(s) } // it may be gone

func (m *frozenMember) all() []frozenEvent {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]frozenEvent(nil), m.said...)
}

func (m *frozenMember) count(kind string) (n int) {
	for _, e := range m.all() {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func (m *frozenMember) last(kind string) (last frozenEvent) {
	for _, e := range m.all() {
		if e.Kind == kind {
			last = e
		}
	}
	return last
}

// runFrozenMember is the process itself.
func runFrozenMember(settings string) error {
	var set frozenSettings
	if err := json.Unmarshal([]byte(settings), &set); err != nil {
		return err
	}
	c := Connection{Brokers: []string{set.Addr}}
	transport, err := c.Transport()
	if err != nil {
		return err
	}
	d := &freezing{AtLeastOnce: &AtLeastOnce{
		Open:        func() *Producer { return NewProducer(transport, ProducerOptions{Addr: c.Addr()}, nil) },
		PartitionOf: func(context.Context, string, []byte) (int32, error) { return 0, nil },
	}}
	o := options(d)
	o.Connection, o.Group, o.Topics = c, set.In, []string{set.In}
	o.Process = func(_ context.Context, in Input) (Unit, error) { return Unit{Out: in.Records, OutTopic: set.Out}, nil }
	// Answers of a few records, so that there is always more to write.
	o.FetchBytes, o.Session, o.Heartbeat, o.Rebalance = 256, frozenSession, frozenSession/3, frozenSession
	o.Hooks.OnAssigned = func(generation int32, _ int) {
		d.generation.Store(generation)
		d.tell(frozenEvent{Kind: "assigned"})
	}
	o.Hooks.OnCommit = func(_ map[string]map[int]int64, err error) { d.tell(frozenEvent{Kind: "commit", Error: message(err)}) }
	source, err := NewSource(o)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return source.Run(ctx)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// freezing is the Deliverer of the process that stops itself.
type freezing struct {
	*AtLeastOnce
	generation atomic.Int32
	units      atomic.Int32
	mu         sync.Mutex // of standard output
}

func (d *freezing) tell(e frozenEvent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.Generation = d.generation.Load()
	line, _ := json.Marshal(e) // it holds nothing that could fail
	fmt.Println(string(line))
}

// Deliver tells before it writes, and stops the process once.
func (d *freezing) Deliver(ctx context.Context, u Unit) error {
	d.tell(frozenEvent{Kind: "write", Partition: u.Partition, From: u.Next - int64(len(u.Out))})
	err := d.AtLeastOnce.Deliver(ctx, u)
	if d.units.Add(1) == 2 {
		d.tell(frozenEvent{Kind: "frozen", Partition: u.Partition})
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	return err
}
