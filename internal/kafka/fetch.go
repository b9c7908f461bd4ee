package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// fetcher asks for one partition's records.
type fetcher struct {
	client  *kafkago.Client
	place   place
	wait    time.Duration
	timeout time.Duration
}

// tooLarge is the answer that did not fit: how many bytes it has, and the header
// of its first batch.
type tooLarge struct {
	size   int
	header []byte
}

func (*tooLarge) Error() string { return errFetchLarge.Error() }

// fetch asks for records from offset on, maxBytes of them, or one batch when that
// is larger. An answer that needs more than room is a *tooLarge, or errFetchList
// when it is the list of aborted transactions that takes so much. A broker's error
// is in fetched.Code.
func (f *fetcher) fetch(ctx context.Context, offset int64, maxBytes, room int) (fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, f.wait+f.timeout)
	defer cancel()
	q := &fetchQuestion{
		topic: f.place.topic, partition: f.place.partition, offset: offset,
		maxBytes: int32(maxBytes), waitMs: int32(f.wait / time.Millisecond), limit: room + fetchHeadroom,
	}
	message, err := f.client.Transport.RoundTrip(ctx, f.client.Addr, q)
	if errors.Is(err, errFetchLarge) {
		start, err := decodeFetch(q.start, f.place.topic, f.place.partition, true)
		if err != nil {
			return fetched{}, err
		}
		return fetched{}, &tooLarge{size: q.size, header: start.Set}
	}
	if err != nil {
		return fetched{}, fmt.Errorf("fetch %s/%d: %w", f.place.topic, f.place.partition, err)
	}
	answer, ok := message.(*fetchAnswer)
	if !ok {
		return fetched{}, fmt.Errorf("fetch: answer of type %T", message)
	}
	return decodeFetch(answer.frame, f.place.topic, f.place.partition, false)
}

// bounds asks for the first offset of the log and the one behind its last.
func (f *fetcher) bounds(ctx context.Context) (first, last int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	p := int(f.place.partition)
	// One question for each: the answer of the client keeps one error a partition.
	answer, err := f.client.ListOffsets(ctx, &kafkago.ListOffsetsRequest{
		Topics: map[string][]kafkago.OffsetRequest{f.place.topic: {kafkago.FirstOffsetOf(p), kafkago.LastOffsetOf(p)}},
	})
	if err != nil {
		return 0, 0, fmt.Errorf("offsets of %s/%d: %w", f.place.topic, p, err)
	}
	for _, o := range answer.Topics[f.place.topic] {
		if o.Partition == p {
			return o.FirstOffset, o.LastOffset, o.Error
		}
	}
	return 0, 0, fmt.Errorf("offsets of %s/%d: no answer", f.place.topic, p)
}

// endOfSet is the offset behind the last whole batch of a set; offset when there
// is none.
func endOfSet(set []byte, offset int64) int64 {
	for len(set) > 0 {
		raw, rest, err := recordbatch.Next(set)
		if err != nil {
			break
		}
		info, err := recordbatch.PeekInfo(raw)
		if err != nil {
			break
		}
		offset, set = max(offset, info.LastOffset+1), rest
	}
	return offset
}

// abortFilter tells which batches of one answer belong to aborted transactions,
// as consumers with read_committed do it: a producer's batches are left out from
// the first offset that the broker named until its abort marker.
type abortFilter struct {
	pending []abortedTransaction
	active  map[int64]bool
}

func newAbortFilter(aborted []abortedTransaction) *abortFilter {
	return &abortFilter{pending: aborted, active: map[int64]bool{}}
}

// drops reports whether the records of a batch that is not a control batch are to
// be left out. Batches come in order.
func (f *abortFilter) drops(info recordbatch.Info) bool {
	f.advance(info)
	return info.Transactional && f.active[info.ProducerID]
}

// ended takes note of a control batch.
func (f *abortFilter) ended(info recordbatch.Info, committed bool) {
	f.advance(info)
	if !committed {
		delete(f.active, info.ProducerID)
	}
}

// advance starts the transactions that begin up to info. The list is short, and
// not sorted by every broker.
func (f *abortFilter) advance(info recordbatch.Info) {
	left := f.pending[:0]
	for _, a := range f.pending {
		if a.First <= info.LastOffset {
			f.active[a.Producer] = true
		} else {
			left = append(left, a)
		}
	}
	f.pending = left
}
