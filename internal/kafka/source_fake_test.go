package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// fakeLog is one partition of crafted bytes behind the transport: what no broker
// would accept from a producer can still come from a disk.
type fakeLog struct {
	mu      sync.Mutex
	start   int64
	batches []fakeBatch
	aborted []abortedTransaction
	ended   map[abortedTransaction]int64 // where their markers are, if that is known
	fetches int
	fail    func(n int) error // of the n-th fetch
}

type fakeBatch struct {
	first, last int64
	raw         []byte
}

func (l *fakeLog) end() int64 {
	if len(l.batches) == 0 {
		return l.start
	}
	return l.batches[len(l.batches)-1].last + 1
}

// RoundTrip answers Fetch and ListOffsets.
func (l *fakeLog) RoundTrip(ctx context.Context, _ net.Addr, req kafkago.Request) (kafkago.Response, error) {
	if q, ok := req.(*fetchQuestion); ok && l.nothingAt(q.offset) { // as a broker waits for new records
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(q.waitMs) * time.Millisecond):
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch q := req.(type) {
	case *fetchQuestion:
		l.fetches++
		if l.fail != nil {
			if err := l.fail(l.fetches); err != nil {
				return nil, err
			}
		}
		var sent bytes.Buffer
		return q.RawExchange(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(l.answer(q)), &sent})
	case *listoffsets.Request:
		p := listoffsets.ResponsePartition{Partition: q.Topics[0].Partitions[0].Partition}
		answer := &listoffsets.Response{Topics: []listoffsets.ResponseTopic{{Topic: q.Topics[0].Topic}}}
		for _, asked := range q.Topics[0].Partitions {
			p.Timestamp, p.Offset = asked.Timestamp, l.start
			if asked.Timestamp == kafkago.LastOffset {
				p.Offset = l.end()
			}
			answer.Topics[0].Partitions = append(answer.Topics[0].Partitions, p)
		}
		return answer, nil
	}
	return nil, fmt.Errorf("unexpected request %T", req)
}

func (l *fakeLog) nothingAt(offset int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return offset == l.end()
}

func (l *fakeLog) answer(q *fetchQuestion) []byte {
	code, set, last := int16(0), []byte(nil), int64(-1)
	if q.offset < l.start || q.offset > l.end() {
		code = int16(kafkago.OffsetOutOfRange)
	}
	for _, b := range l.batches {
		if code != 0 || b.last < q.offset {
			continue
		}
		if len(set) > 0 && len(set)+len(b.raw) > int(q.maxBytes) {
			break
		}
		set, last = append(set, b.raw...), b.last
	}
	var aborted []abortedTransaction
	for _, a := range l.aborted {
		if end, known := l.ended[a]; a.First <= last && (!known || end >= q.offset) {
			aborted = append(aborted, a)
		}
	}
	return fetchFrame(q.topic, q.partition, code, l.end(), l.start, aborted, set)
}

// fetchFrame is a Fetch answer, version 11, with its size.
func fetchFrame(topic string, partition int32, code int16, end, start int64, aborted []abortedTransaction, set []byte) []byte {
	b := make([]byte, 4)
	put := func(fields ...any) {
		for _, f := range fields {
			b, _ = binary.Append(b, binary.BigEndian, f)
		}
	}
	put(int32(correlation), int32(0), int16(0), int32(0), int32(1), int16(len(topic)), []byte(topic), int32(1))
	put(partition, code, end, end, start, int32(len(aborted)))
	for _, a := range aborted {
		put(a.Producer, a.First)
	}
	put(int32(-1), int32(len(set)), set)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// seal sets a batch's header fields and its checksum.
func seal(raw []byte, base int64, change func(raw []byte)) []byte {
	binary.BigEndian.PutUint64(raw, uint64(base))
	if change != nil {
		change(raw)
	}
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func setDelta(delta int32) func([]byte) {
	return func(raw []byte) { binary.BigEndian.PutUint32(raw[23:], uint32(delta)) }
}

func setCount(count int32) func([]byte) {
	return func(raw []byte) { binary.BigEndian.PutUint32(raw[57:], uint32(count)) }
}

// add appends a batch of records.
func (l *fakeLog) add(t *testing.T, p recordbatch.Params, change func([]byte), records ...recordbatch.Record) {
	t.Helper()
	var encoder recordbatch.Encoder
	raw, err := encoder.Encode(nil, p, records)
	if err != nil {
		t.Fatal(err)
	}
	base := l.end()
	raw = seal(raw, base, change)
	last := rangeOf(raw, 0).Last
	l.batches = append(l.batches, fakeBatch{base, last, raw})
}

func (l *fakeLog) addPlain(t *testing.T, values ...string) {
	t.Helper()
	l.add(t, recordbatch.Plain(recordbatch.None), nil, text(values...)...)
}

func text(values ...string) []recordbatch.Record {
	records := make([]recordbatch.Record, len(values))
	for i, v := range values {
		records[i] = recordbatch.Record{Timestamp: 1, Value: []byte(v)}
	}
	return records
}

// memory is a Deliverer that keeps what it is given.
type memory struct {
	mu     sync.Mutex
	out    map[place][]recordbatch.Record // with the input's offsets
	dead   []Message
	before func(ctx context.Context, u Unit) error
}

func (m *memory) Deliver(ctx context.Context, u Unit) error {
	if m.before != nil {
		if err := m.before(ctx, u); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out == nil {
		m.out = map[place][]recordbatch.Record{}
	}
	at := place{u.Topic, u.Partition}
	for _, r := range u.Out {
		r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
		m.out[at] = append(m.out[at], r)
	}
	m.dead = append(m.dead, u.Dead...)
	return nil
}

func (m *memory) values(topic string, partition int32) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var values []string
	for _, r := range m.out[place{topic, partition}] {
		values = append(values, string(r.Value))
	}
	return values
}

// same is a ProcessFunc that changes nothing.
func same(_ context.Context, in Input) (Unit, error) {
	return Unit{Out: in.Records, OutTopic: in.Topic + ".out"}, nil
}

func reference(_ context.Context, b BadBatch) (Unit, error) {
	text := fmt.Sprintf("%s/%d %d-%d", b.Topic, b.Partition, b.First, b.Last)
	return Unit{Dead: []Message{{Topic: "dead", Record: recordbatch.Record{Value: []byte(text)}}}}, nil
}

func options(d Deliverer) SourceOptions {
	return SourceOptions{
		Connection: Connection{Brokers: []string{"127.0.0.1:1"}}, Group: "g", Topics: []string{"in"},
		Exclude: func(string) bool { return false }, Process: same, Deliverer: d, Bad: reference,
		MaxBackoff: 200 * time.Millisecond, FetchWait: 20 * time.Millisecond,
	}
}

// readLog reads a crafted log from offset from on until everything in it is
// delivered or the partition halts, and gives the watermark.
func readLog(t *testing.T, l *fakeLog, from int64, o SourceOptions) (*Source, int64) {
	t.Helper()
	s, err := NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	s.client.Transport = l
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	marks := newWatermarks()
	at := place{"in", 0}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.partition(ctx, context.WithoutCancel(ctx), at, from, s.opts.FetchBytes, marks, nil)
	}()
	until(t, "the log is read", func() bool {
		marks.mu.Lock()
		defer marks.mu.Unlock()
		return marks.delivered[at] == l.end() || len(s.Status().Halted) > 0
	})
	cancel()
	<-done
	if used := !s.budget.fetch.TryAcquire(s.budget.maxFetch) || !s.budget.work.TryAcquire(s.budget.maxWork); used {
		t.Error("memory of the budget was not given back")
	}
	return s, marks.delivered[at]
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var errInjected = errors.New("injected")
