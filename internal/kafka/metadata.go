package kafka

import (
	"context"
	"fmt"
	"io"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// metadataVersion is the first that tells which operations are allowed. From
// version 4 on a question about a topic does not create it.
const metadataVersion = 8

// metadataQuestion asks a broker itself: kafka-go answers plain metadata requests
// from its cache, where a topic without rights is the same as no topic.
type metadataQuestion struct{ metadata.Request }

// Required makes the transport call RawExchange.
func (*metadataQuestion) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange sends the question in the version that it needs.
func (q *metadataQuestion) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	answer, err := protocol.RoundTrip(rw, metadataVersion, 1, clientID, &q.Request)
	if err != nil {
		return nil, err
	}
	response, ok := answer.(*metadata.Response)
	if !ok {
		return nil, fmt.Errorf("metadata: answer of type %T", answer)
	}
	return &metadataAnswer{response}, nil
}

// metadataAnswer hides the response from the transport, which takes every plain
// one for the answer to a request of its own.
type metadataAnswer struct{ *metadata.Response }

// askMetadata asks about topics, or about all of them when names is nil.
func askMetadata(ctx context.Context, client *kafkago.Client, names []string) (*metadata.Response, error) {
	answer, err := client.Transport.RoundTrip(ctx, client.Addr, &metadataQuestion{metadata.Request{
		TopicNames: names, IncludeTopicAuthorizedOperations: true,
	}})
	if err != nil {
		return nil, err
	}
	response, ok := answer.(*metadataAnswer)
	if !ok {
		return nil, fmt.Errorf("metadata: answer of type %T", answer)
	}
	return response.Response, nil
}

// operation is a bit of the allowed operations (KIP-430).
type operation int32

const (
	readOperation  operation = 3
	writeOperation operation = 4
)

// allowed reports whether an answer's bits allow an operation. A broker that does
// not tell sends the lowest number; the first real request will say.
func allowed(bits int32, op operation) bool {
	const notTold = -1 << 31
	return bits == notTold || bits&(1<<op) != 0
}
