package kafka

import (
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
)

// What a Producer's errors are; for errors.Is. The broker's own error, when
// there was one, can be found as well.
var (
	// ErrUnacknowledged: whether the records were written is not known.
	ErrUnacknowledged = errors.New("records were not acknowledged")
	// ErrSessionOver: the producer is closed, or its session has failed on this
	// partition before.
	ErrSessionOver = errors.New("the producer's session is over")
	// ErrRecordTooLarge: no batch that the broker takes can carry the record.
	ErrRecordTooLarge = errors.New("record is over the topic's max.message.bytes")
)

// RecordTooLargeError is an ErrRecordTooLarge with its place.
type RecordTooLargeError struct {
	Topic     string
	Partition int32
	// Index of the record in the call's records. Those before it were written.
	Index int
}

// Error names the place, not the record.
func (e *RecordTooLargeError) Error() string {
	return fmt.Sprintf("produce to %s/%d: record %d of the batch: %v", e.Topic, e.Partition, e.Index, ErrRecordTooLarge)
}

// Unwrap gives ErrRecordTooLarge.
func (e *RecordTooLargeError) Unwrap() error { return ErrRecordTooLarge }

func isTooLarge(err error) bool {
	return errors.Is(err, kafkago.MessageSizeTooLarge) || errors.Is(err, kafkago.RecordListTooLarge)
}

// isRetriable tells what may pass by itself. An error that is no answer of a
// broker is always so: connections break, addresses do not resolve for a while,
// metadata lag behind. The caller's context ends it.
func isRetriable(err error) bool {
	var code kafkago.Error
	if !errors.As(err, &code) {
		return true
	}
	switch code {
	case kafkago.BrokerNotAvailable, kafkago.ReplicaNotAvailable:
		return true
	}
	return code.Temporary()
}
