package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
)

// The Fetch request, version 11 (Kafka protocol guide, "Fetch API"), in our own
// bytes: kafka-go's decoder panics in a goroutine of its own on a bad count,
// allocates what a batch claims, and hides aborted transactions.
const (
	fetchVersion  = 11
	fetchHeadroom = 16 << 10 // the answer around the records, aborted list included: 1,000 transactions
	readCommitted = 1
	correlation   = 1
)

var (
	errFetchShape = errors.New("fetch: the answer is malformed")
	errFetchLarge = errors.New("fetch: the answer is larger than the memory set aside for it")
	errFetchList  = errors.New("fetch: the answer's list of aborted transactions is larger than the memory set aside for it")
)

// fetchQuestion asks for one partition. It is used once.
type fetchQuestion struct {
	topic     string
	partition int32
	offset    int64
	maxBytes  int32
	waitMs    int32
	limit     int // bytes of the answer
	// Set before RawExchange gives errFetchLarge: the answer's size and start.
	size  int
	start []byte
}

func (*fetchQuestion) ApiKey() protocol.ApiKey { return protocol.Fetch } //nolint:revive,staticcheck // kafka-go's name

// Broker routes the request to the partition's leader.
func (q *fetchQuestion) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	topic, ok := cluster.Topics[q.topic]
	if !ok {
		return protocol.Broker{ID: -1}, protocol.NewErrNoTopic(q.topic)
	}
	partition, ok := topic.Partitions[q.partition]
	if !ok {
		return protocol.Broker{ID: -1}, protocol.NewErrNoPartition(q.topic, q.partition)
	}
	broker, ok := cluster.Brokers[partition.Leader]
	if !ok {
		return protocol.Broker{ID: -1}, protocol.NewErrNoLeader(q.topic, q.partition)
	}
	return broker, nil
}

// Required makes the transport call RawExchange.
func (*fetchQuestion) Required(map[protocol.ApiKey]int16) bool { return true }

// fetchAnswer is the frame as it came. It is decoded by whoever asked: a panic in
// kafka-go's goroutine would end the process.
type fetchAnswer struct{ frame []byte }

func (*fetchAnswer) ApiKey() protocol.ApiKey { return protocol.Fetch } //nolint:revive,staticcheck // kafka-go's name

// RawExchange writes the request and reads the frame of the answer.
func (q *fetchQuestion) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if _, err := rw.Write(q.encode()); err != nil {
		return nil, err
	}
	var prefix [4]byte
	if _, err := io.ReadFull(rw, prefix[:]); err != nil {
		return nil, err
	}
	size := int(int32(binary.BigEndian.Uint32(prefix[:])))
	if size < 0 {
		return nil, errFetchShape
	}
	if size > q.limit {
		start := make([]byte, min(size, fetchHeadroom))
		if _, err := io.ReadFull(rw, start); err != nil {
			return nil, err
		}
		q.size, q.start = size, start
		return nil, errFetchLarge
	}
	frame := make([]byte, size)
	if _, err := io.ReadFull(rw, frame); err != nil {
		return nil, err
	}
	return &fetchAnswer{frame}, nil
}

func (q *fetchQuestion) encode() []byte {
	b := make([]byte, 4, 96+len(q.topic))
	i16 := func(v int16) { b = binary.BigEndian.AppendUint16(b, uint16(v)) }
	i32 := func(v int32) { b = binary.BigEndian.AppendUint32(b, uint32(v)) }
	i64 := func(v int64) { b = binary.BigEndian.AppendUint64(b, uint64(v)) }
	text := func(s string) { i16(int16(len(s))); b = append(b, s...) }
	i16(int16(protocol.Fetch))
	i16(fetchVersion)
	i32(correlation)
	text(clientID)
	i32(-1) // replica: a consumer
	i32(q.waitMs)
	i32(1) // min bytes
	i32(q.maxBytes)
	b = append(b, readCommitted)
	i32(0)  // no fetch session
	i32(-1) // session epoch
	i32(1)  // topics
	text(q.topic)
	i32(1) // partitions
	i32(q.partition)
	i32(-1) // leader epoch: not checked
	i64(q.offset)
	i64(-1) // log start, of followers only
	i32(q.maxBytes)
	i32(0)   // forgotten topics
	text("") // rack
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// fetched is the answer for one partition. Set points into the frame.
type fetched struct {
	Code          int16
	HighWatermark int64
	LastStable    int64
	LogStart      int64 // -1: not told
	Aborted       []abortedTransaction
	Set           []byte
}

// abortedTransaction says that the producer's records from First on, up to its
// next abort marker, do not count.
type abortedTransaction struct{ Producer, First int64 }

// decodeFetch reads the answer for one partition. With cut, the frame may end
// inside the record set, and Set is what is there of it.
func decodeFetch(frame []byte, topic string, partition int32, cut bool) (fetched, error) {
	r := wireReader{b: frame}
	f := fetched{LogStart: -1}
	if r.i32() != correlation {
		return f, fmt.Errorf("%w: another request's answer", errFetchShape)
	}
	r.i32() // throttle
	if code := r.i16(); code != 0 {
		f.Code = code
		return f, nil
	}
	r.i32() // session
	if r.i32() != 1 || r.text() != topic || r.i32() != 1 || r.i32() != partition {
		return f, fmt.Errorf("%w: not the partition that was asked for", errFetchShape)
	}
	f.Code = r.i16()
	f.HighWatermark, f.LastStable, f.LogStart = r.i64(), r.i64(), r.i64()
	count := int(r.i32())
	switch tooMany := count > r.left()/16; {
	case tooMany && cut && !r.bad:
		return f, errFetchList
	case tooMany:
		return f, fmt.Errorf("%w: more aborted transactions than bytes", errFetchShape)
	}
	for range max(count, 0) {
		f.Aborted = append(f.Aborted, abortedTransaction{Producer: r.i64(), First: r.i64()})
	}
	r.i32() // preferred read replica
	size := int(r.i32())
	if r.bad || (size > r.left() && !cut) {
		return f, errFetchShape
	}
	if size > 0 {
		f.Set = r.b[:min(size, r.left())]
	}
	return f, nil
}

// wireReader reads Kafka's primitive types; bad is set once bytes are missing.
type wireReader struct {
	b   []byte
	bad bool
}

func (r *wireReader) left() int { return len(r.b) }

func (r *wireReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *wireReader) i16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *wireReader) i32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *wireReader) i64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *wireReader) text() string { return string(r.take(int(r.i16()))) }
