package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// joinBackoff replaces kafka-go's five seconds after each refusal of a
// coordinator that is still loading.
const joinBackoff = 100 * time.Millisecond

var wholeGroup = place{partition: -1}

// Run reads until ctx ends, then finishes what is in flight, commits and leaves
// the group. It goes on through every failure of the brokers; its error is not
// nil only when records in flight were given up because of Drain.
func (s *Source) Run(ctx context.Context) error {
	defer s.transport.CloseIdleConnections()
	wait := newBackoff(s.opts.MaxBackoff)
	for ctx.Err() == nil {
		topics, err := s.topics(ctx)
		if err == nil && len(topics) == 0 {
			err = errors.New("kafka source: no topic to read")
		}
		if err != nil {
			if !s.retried(ctx, wholeGroup, wait, err) {
				return nil
			}
			continue
		}
		wait.reset()
		err = s.runGroup(ctx, topics)
		if err != nil && (ctx.Err() != nil || !errors.Is(err, errDrained)) {
			return err
		}
	}
	return nil
}

// topics are the names to read now, sorted. Our own are never among them.
func (s *Source) topics(ctx context.Context) ([]string, error) {
	names := s.opts.Topics
	if s.pattern != nil {
		ctx, cancel := context.WithTimeout(ctx, s.opts.RequestTimeout)
		defer cancel()
		answer, err := askMetadata(ctx, s.client, nil)
		if err != nil {
			return nil, fmt.Errorf("topics of the cluster: %w", err)
		}
		names = nil
		for _, t := range answer.Topics {
			if !t.IsInternal && s.pattern.MatchString(t.Name) {
				names = append(names, t.Name)
			}
		}
	}
	var kept []string
	for _, name := range names {
		if !s.opts.Exclude(name) {
			kept = append(kept, name)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept), nil
}

// leaveTimeout bounds leaving the group at shutdown: everything is committed by then,
// and a coordinator that does not answer misses the member by itself.
const leaveTimeout = 5 * time.Second

// leave leaves the group, and waits for that, unless the program ends.
func leave(stop context.Context, group *kafkago.ConsumerGroup) {
	left := make(chan struct{})
	go func() { _ = group.Close(); close(left) }()
	select {
	case <-left:
		return
	case <-stop.Done():
	}
	select {
	case <-left:
	case <-time.After(leaveTimeout):
	}
}

// runGroup is a member that subscribes to topics, until stop ends or the topics
// that match change.
func (s *Source) runGroup(stop context.Context, topics []string) error {
	start := kafkago.FirstOffset
	if s.opts.Latest {
		start = kafkago.LastOffset
	}
	group, err := kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{
		ID: s.opts.Group, Brokers: s.opts.Connection.Brokers, Dialer: s.dialer, Topics: topics,
		HeartbeatInterval: s.opts.Heartbeat, SessionTimeout: s.opts.Session, RebalanceTimeout: s.opts.Rebalance,
		JoinGroupBackoff: joinBackoff, WatchPartitionChanges: true, StartOffset: start, Timeout: s.opts.RequestTimeout,
	})
	if err != nil {
		return err
	}
	defer leave(stop, group)
	defer s.setStatus(func(st *Status) { st.Joined, st.Partitions = false, 0 })
	ctx, cancel := context.WithCancel(stop)
	defer cancel()
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	if s.pattern != nil {
		watch.Go(func() { s.watchTopics(ctx, cancel, topics) })
	}
	return s.generations(ctx, group)
}

func (s *Source) generations(ctx context.Context, group *kafkago.ConsumerGroup) error {
	// A coordinator that moves is back in seconds, and nothing is read until then.
	wait := newBackoff(min(s.opts.MaxBackoff, time.Second))
	for {
		g, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.setStatus(func(st *Status) { st.Joined, st.Partitions = false, 0 })
			if !s.retried(ctx, wholeGroup, wait, err) {
				return nil
			}
			continue
		}
		wait.reset()
		done := make(chan error, 1)
		// One function for all partitions: the generation ends with the first
		// function that returns.
		g.Start(func(over context.Context) { done <- s.generation(ctx, over, g) })
		if err := <-done; err != nil && ctx.Err() != nil {
			return err
		}
	}
}

// watchTopics ends the member when other topics match than those it reads.
func (s *Source) watchTopics(ctx context.Context, end func(), reading []string) {
	tick := time.NewTicker(s.opts.RegexPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now, err := s.topics(ctx); err == nil && len(now) > 0 && !slices.Equal(now, reading) {
			end()
			return
		}
	}
}

// errDrained says that records in flight took longer than they may.
var errDrained = errors.New("kafka source: records in flight were given up: the time to drain is over")

// generation reads the assigned partitions until stop (shutdown) or over (the
// group rebalances) ends, or until a commit fails.
func (s *Source) generation(stop, over context.Context, g *kafkago.Generation) error {
	// fetching ends at once; working ends when the time to drain is over, or when
	// the generation is known to be another member's.
	fetching, endFetching := context.WithCancel(stop)
	defer endFetching()
	defer context.AfterFunc(over, endFetching)()
	working, endWorking := context.WithCancelCause(context.Background())
	defer endWorking(nil)
	member := s.membership(g, func(err error) { endWorking(err); endFetching() })
	marks := newWatermarks()

	var running sync.WaitGroup
	partitions := 0
	for _, assigned := range g.Assignments {
		partitions += len(assigned)
	}
	s.setStatus(func(st *Status) { *st = Status{Joined: true, Partitions: partitions} })
	if s.opts.Hooks.OnAssigned != nil { // before anything of the generation is processed
		s.opts.Hooks.OnAssigned(g.ID, partitions)
	}
	usual := s.budget.share(partitions, s.opts.FetchBytes)
	for topic, assigned := range g.Assignments {
		for _, a := range assigned {
			running.Go(func() { s.partition(fetching, working, place{topic, int32(a.ID)}, a.Offset, usual, marks, member) })
		}
	}
	finished := make(chan struct{})
	go func() { running.Wait(); close(finished) }()

	commits := provingCommitter{g, member}
	err := s.commitUntil(fetching.Done(), marks, commits)
	endFetching()
	if err != nil {
		endWorking(err)
	}
	drained := s.drain(stop, finished, marks, commits, endWorking)
	if err == nil {
		_ = s.commit(marks, commits) // the last one; refused when the generation is fenced
	}
	return drained
}

// drain waits for what is in flight, committing on the way.
func (s *Source) drain(stop context.Context, finished <-chan struct{}, marks *watermarks, g committer, endWorking func(error)) error {
	limit := s.opts.Drain
	if stop.Err() == nil {
		// A rebalance waits for no member longer than this.
		limit = min(limit, s.opts.Rebalance/2)
	}
	timer := time.AfterFunc(limit, func() { endWorking(errDrained) })
	defer timer.Stop()
	if err := s.commitUntil(finished, marks, g); err != nil {
		endWorking(err)
	}
	<-finished
	if !timer.Stop() {
		return errDrained
	}
	return nil
}

// commitUntil commits every CommitEvery until done closes, or a commit fails.
func (s *Source) commitUntil(done <-chan struct{}, marks *watermarks, g committer) error {
	tick := time.NewTicker(s.opts.CommitEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-tick.C:
			if err := s.commit(marks, g); err != nil {
				return err
			}
		}
	}
}

func (s *Source) commit(marks *watermarks, g committer) error {
	offsets, err := marks.commit(g)
	if len(offsets) > 0 && s.opts.Hooks.OnCommit != nil {
		s.opts.Hooks.OnCommit(offsets, err)
	}
	if err != nil && fenced(err) {
		return fmt.Errorf("the group has gone on without this member: %w", err)
	}
	return err
}

// membership of a generation that has just begun.
func (s *Source) membership(g *kafkago.Generation, lost func(error)) *membership {
	return &membership{
		ask: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, s.opts.RequestTimeout)
			defer cancel()
			return askHeartbeat(ctx, s.client, g.GroupID, g.MemberID, g.ID)
		},
		trusted: s.opts.Session / 2, now: time.Now, proven: time.Now(),
		lost: func(err error) {
			if s.opts.Hooks.OnRetry != nil {
				s.opts.Hooks.OnRetry(wholeGroup.topic, wholeGroup.partition, err)
			}
			lost(err)
		},
	}
}

// provingCommitter takes an accepted commit for a proof of membership.
type provingCommitter struct {
	committer
	member *membership
}

// CommitOffsets commits, see committer.
func (c provingCommitter) CommitOffsets(offsets map[string]map[int]int64) error {
	sent := c.member.now()
	err := c.committer.CommitOffsets(offsets)
	if err == nil {
		c.member.prove(sent)
	}
	return err
}
