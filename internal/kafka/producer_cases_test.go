package kafka

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// produced is what a produce request says on the wire, and the head of its batch.
type produced struct {
	acks     int16
	producer int64
	epoch    int16
	sequence int32
}

// watchProduce keeps what the cluster is asked to write; answer may refuse it.
func watchProduce(cluster *kfake.Cluster, answer func(n int) (code int16)) func() []produced {
	requests := make(chan []produced, 1)
	requests <- nil
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		r := req.(*kmsg.ProduceRequest)
		batch := r.Topics[0].Partitions[0].Records
		const producer, epoch, sequence = 43, 51, 53 // in a batch, Kafka protocol guide
		all := append(<-requests, produced{
			acks: r.Acks, producer: int64(binary.BigEndian.Uint64(batch[producer:])),
			epoch: int16(binary.BigEndian.Uint16(batch[epoch:])), sequence: int32(binary.BigEndian.Uint32(batch[sequence:])),
		})
		requests <- all
		if code := answer(len(all)); code != 0 {
			return produceAnswer(req, code), nil, true
		}
		return nil, nil, false
	})
	return func() []produced {
		all := <-requests
		requests <- all
		return all
	}
}

// kafka-go's Writer asks for none by default.
func TestProducerAsksForAllReplicas(t *testing.T) {
	cluster, _, _, p := fakeProducer(t, nil)
	seen := watchProduce(cluster, func(int) int16 { return 0 })
	if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(0, 3)); err != nil {
		t.Fatal(err)
	}
	if all := seen(); len(all) != 1 || all[0].acks != -1 || all[0].producer < 0 || all[0].sequence != 0 {
		t.Errorf("on the wire: %+v", all)
	}
}

// A call of several batches ends with the first that fails for good: what comes
// behind a hole would be out of order once the hole is filled.
func TestNothingIsWrittenBehindAFailedBatch(t *testing.T) {
	cluster, c, _, p := fakeProducer(t, func(o *ProducerOptions) { o.MaxBatchBytes = 200 })
	seen := watchProduce(cluster, func(n int) int16 {
		if n == 2 {
			return int16(kafkago.InvalidRecord)
		}
		return 0
	})
	recs := numbers(0, 40)
	first := len(recordbatch.Split(recs, 200)[0])
	if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, recs); !errors.Is(err, ErrUnacknowledged) {
		t.Errorf("%v, want ErrUnacknowledged", err)
	}
	if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, recs); !errors.Is(err, ErrSessionOver) {
		t.Errorf("then: %v, want ErrSessionOver", err)
	}
	if all := seen(); len(all) != 2 {
		t.Errorf("%d batches were sent, the second failed", len(all))
	}
	readBack(t, c, producedTopic, 0, first)
}

func TestMetadataAreNotAskedForEachBatch(t *testing.T) {
	cluster, _, _, p := fakeProducer(t, nil)
	var asked atomic.Int32
	cluster.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked.Add(1)
		return nil, nil, false
	})
	const batches = 200
	for i := range batches {
		if err := p.Produce(testContext(t), producedTopic, 0, recordbatch.None, numbers(i, 1)); err != nil {
			t.Fatal(err)
		}
	}
	// They are asked again once a second, however many batches there are.
	if n := asked.Load(); n > batches/4 {
		t.Errorf("metadata were asked %d times for %d batches", n, batches)
	}
}

// Zeros would be a session of somebody else's, and are refused.
func TestProducerAsksForAnIDOfItsOwn(t *testing.T) {
	cluster, _, _, p := fakeProducer(t, nil)
	asked := make(chan *kmsg.InitProducerIDRequest, 10)
	cluster.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked <- req.(*kmsg.InitProducerIDRequest)
		return nil, nil, false
	})
	for i := range 3 {
		if err := p.Produce(testContext(t), producedTopic, int32(i%2), recordbatch.None, numbers(0, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(asked); n != 1 {
		t.Fatalf("asked for %d ids, want one a session", n)
	}
	if r := <-asked; r.ProducerID != -1 || r.ProducerEpoch != -1 || r.TransactionalID != nil {
		t.Errorf("asked with id %d, epoch %d", r.ProducerID, r.ProducerEpoch)
	}
}

// Brokers take any first sequence of an id that they do not know, so that a session
// whose state is in doubt is not gone on with: the next one has another id.
func TestSessionAfterAFailureIsANewOne(t *testing.T) {
	cluster, c, through, _ := fakeProducer(t, nil)
	seen := watchProduce(cluster, func(n int) int16 {
		if n == 2 {
			return int16(kafkago.OutOfOrderSequenceNumber)
		}
		return 0
	})
	d := &AtLeastOnce{Open: func() *Producer { return NewProducer(through, impatient(c), nil) }}
	unit := Unit{Topic: "in", Out: numbers(0, 2), OutTopic: producedTopic}
	for i, fails := range []bool{false, true, false} {
		if err := d.Deliver(testContext(t), unit); (err != nil) != fails {
			t.Fatalf("delivery %d: %v", i, err)
		}
	}
	all := seen()
	if len(all) != 3 || all[0].producer != all[1].producer || all[1].sequence != 2 || all[2].producer == all[0].producer || all[2].sequence != 0 {
		t.Errorf("on the wire: %+v", all)
	}
	d.Release("in", 0)
	if err := d.Deliver(testContext(t), unit); err != nil {
		t.Fatal(err)
	}
	if all := seen(); all[3].producer == all[2].producer {
		t.Error("the session of a partition that was given up is gone on with")
	}
}
