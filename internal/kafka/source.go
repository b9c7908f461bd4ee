package kafka

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// SourceOptions say what is read and how; zero fields take the defaults.
type SourceOptions struct {
	Connection Connection // required
	Group      string     // required
	// Either Topics or TopicsRegex, which must match the whole name, and is asked
	// again every RegexPeriod (30 s).
	Topics      []string
	TopicsRegex string
	RegexPeriod time.Duration
	// Exclude names the topics that are never read: our own output. Required.
	Exclude func(topic string) bool
	// Latest starts a partition without a committed offset at its end.
	Latest bool

	Session, Heartbeat, Rebalance time.Duration // 10 s, 3 s, 30 s
	CommitEvery                   time.Duration // 100 ms
	// Drain is how long records in flight may take at the end; 25 s.
	Drain time.Duration

	FetchBytes     int           // of a partition; 1 MiB
	FetchWait      time.Duration // for new records; 250 ms
	RequestTimeout time.Duration // of any request, on top of FetchWait; 10 s
	// MaxBackoff bounds the pause after a failure, which doubles from 100 ms; 5 s.
	MaxBackoff time.Duration
	// MemoryBudget bounds the bytes of fetched, decoded and encoded records; 256 MiB.
	MemoryBudget int64
	Limits       recordbatch.Limits

	// HaltOnBadBatch stops a partition at a batch that cannot be decoded;
	// otherwise what Bad gives is delivered in its place.
	HaltOnBadBatch bool
	// HaltOnGap stops a partition whose next records are gone (retention);
	// otherwise reading goes on with the first that is left.
	HaltOnGap bool

	Process   ProcessFunc // required
	Deliverer Deliverer   // required
	// Bad makes the dead letter, by reference, of a batch that is skipped. Required.
	Bad func(ctx context.Context, b BadBatch) (Unit, error)
	// Withhold makes the stub and the dead letter of an output record that is
	// larger than the topic takes. Without it the partition stays where it is.
	Withhold func(ctx context.Context, u Unit, r recordbatch.Record) (recordbatch.Record, []Message)
	// Hold gives the offset to commit when everything below next is delivered, for
	// a reader that keeps state over records: not above next, never falling, below 0
	// for none yet. nil: next itself.
	Hold  func(topic string, partition int32, next int64) int64
	Hooks Hooks
}

// BadBatch is a batch that could not be decoded or processed.
type BadBatch struct {
	Topic       string
	Partition   int32
	First, Last int64 // offsets
	Size        int   // bytes on the wire
	Err         error // without a byte of the records
}

// Gap is a range of offsets that were gone before they were read, From up to but
// without To. After a truncation To is below From: the log was set back.
type Gap struct {
	Topic     string
	Partition int32
	From, To  int64
}

// Hooks are told what happens; nil ones are not called. They are called from
// many goroutines and must not block.
type Hooks struct {
	OnAssigned  func(generation int32, partitions int)
	OnLag       func(topic string, partition int32, lag int64)
	OnGap       func(Gap)
	OnBadBatch  func(b BadBatch, halted bool)
	OnCommit    func(offsets map[string]map[int]int64, err error)
	OnDelivered func(topic string, partition int32, in, out Volume)
	// OnReleased tells that a partition is not read any more: the generation is over.
	OnReleased func(topic string, partition int32)
	// OnAborted counts batches of aborted transactions, which are nobody's.
	OnAborted func(topic string, partition int32, batches int)
	// OnRetry tells of a failure that is tried again. Partition -1: the group.
	OnRetry func(topic string, partition int32, err error)
}

// Volume is how much some records are: their keys, values and headers.
type Volume struct{ Records, Bytes int }

func volumeOf(records []recordbatch.Record) Volume {
	v := Volume{Records: len(records)}
	for i := range records {
		r := &records[i]
		v.Bytes += len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			v.Bytes += len(h.Key) + len(h.Value)
		}
	}
	return v
}

// Status is how a Source is now.
type Status struct {
	Joined     bool // is a member with an assignment, maybe an empty one
	Partitions int
	Halted     []Halt
}

// Halt is a partition that stopped and why.
type Halt struct {
	Topic     string
	Partition int32
	Reason    string
}

// Source reads topics as a member of a consumer group.
type Source struct {
	opts      SourceOptions
	pattern   *regexp.Regexp
	transport *kafkago.Transport
	dialer    *kafkago.Dialer
	client    *kafkago.Client
	budget    *budget

	mu     sync.Mutex
	status Status
}

func (o SourceOptions) withDefaults() SourceOptions {
	for _, d := range []struct {
		field    *time.Duration
		byItself time.Duration
	}{
		{&o.RegexPeriod, 30 * time.Second},
		{&o.Session, 10 * time.Second},
		{&o.Heartbeat, 3 * time.Second},
		{&o.Rebalance, 30 * time.Second},
		{&o.CommitEvery, 100 * time.Millisecond},
		{&o.Drain, 25 * time.Second},
		{&o.FetchWait, 250 * time.Millisecond},
		{&o.RequestTimeout, 10 * time.Second},
		{&o.MaxBackoff, 5 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.byItself
		}
	}
	if o.FetchBytes <= 0 {
		o.FetchBytes = 1 << 20
	}
	if o.MemoryBudget <= 0 {
		o.MemoryBudget = 256 << 20
	}
	if o.Limits.MaxDecompressed <= 0 {
		o.Limits.MaxDecompressed = 64 << 20
	}
	return o
}

// minBudget leaves room for one fetch and the smallest work.
const minBudget = 8 << 20

// NewSource checks the options and connects to nothing yet.
func NewSource(o SourceOptions) (*Source, error) {
	o = o.withDefaults()
	switch {
	case o.Group == "":
		return nil, errors.New("kafka source: no group")
	case (len(o.Topics) == 0) == (o.TopicsRegex == ""):
		return nil, errors.New("kafka source: set either topics or topics_regex")
	case o.Process == nil || o.Deliverer == nil || o.Bad == nil || o.Exclude == nil:
		return nil, errors.New("kafka source: Process, Deliverer, Bad and Exclude are required")
	case o.MemoryBudget < minBudget:
		return nil, fmt.Errorf("kafka source: memory budget of %d bytes is below %d", o.MemoryBudget, minBudget)
	}
	s := &Source{opts: o, budget: newBudget(o.MemoryBudget, o.Limits.MaxDecompressed)}
	s.opts.FetchBytes = min(o.FetchBytes, s.budget.fetchable())
	var err error
	if o.TopicsRegex != "" {
		if s.pattern, err = regexp.Compile("^(?:" + o.TopicsRegex + ")$"); err != nil {
			return nil, fmt.Errorf("kafka source: topics_regex: %w", err)
		}
	}
	if s.transport, err = o.Connection.Transport(); err != nil {
		return nil, err
	}
	if s.dialer, err = o.Connection.Dialer(); err != nil {
		return nil, err
	}
	s.client = &kafkago.Client{Addr: o.Connection.Addr(), Transport: s.transport, Timeout: o.RequestTimeout}
	return s, nil
}

// Status tells how the source is now.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Halted = append([]Halt(nil), status.Halted...)
	return status
}

// Memory tells how many bytes of MemoryBudget are in use.
func (s *Source) Memory() (used, limit int64) { return s.budget.used.Load(), s.opts.MemoryBudget }

func (s *Source) setStatus(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
}

// retried tells OnRetry, and pauses; false when ctx ended.
func (s *Source) retried(ctx context.Context, at place, b *backoff, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if s.opts.Hooks.OnRetry != nil {
		s.opts.Hooks.OnRetry(at.topic, at.partition, err)
	}
	return b.pause(ctx)
}
