package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// steps keeps in which order a unit's parts were written.
type steps struct {
	mu    sync.Mutex
	taken []string
}

func (s *steps) add(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, step)
}

// deliverOnce delivers a unit of every part; the topic that refuses does so for good,
// "file" is the alerts file.
func deliverOnce(t *testing.T, refusing string) ([]string, error) {
	t.Helper()
	cluster, c := fakeCluster(t, kfake.SeedTopics(1, "out", "alerts", "dead"))
	var s steps
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		topic := req.(*kmsg.ProduceRequest).Topics[0].Topic
		s.add(topic)
		if topic == refusing {
			return produceAnswer(req, int16(kafkago.InvalidRecord)), nil, true
		}
		return nil, nil, false
	})
	d := &AtLeastOnce{
		Open:        func() *Producer { return NewProducer(newTap(t, c), impatient(c), nil) },
		PartitionOf: func(context.Context, string, []byte) (int32, error) { return 0, nil },
		Local: func(context.Context, []event.Detection) error {
			s.add("file")
			if refusing == "file" {
				return errInjected
			}
			return nil
		},
	}
	err := d.Deliver(testContext(t), Unit{
		Topic: "in", Out: numbers(0, 1), OutTopic: "out", Detections: []event.Detection{{}},
		Events: []Message{{Topic: "alerts", Partition: -1, Record: recordbatch.Record{Value: []byte("event")}}},
		Dead:   []Message{{Topic: "dead", Partition: -1, Record: recordbatch.Record{Value: []byte("letter")}}},
	})
	s.mu.Lock() // a request whose answer nobody awaits may still be taken
	defer s.mu.Unlock()
	return slices.Clone(s.taken), err
}

// A masked record is never out without its detection: the file first, then alerts
// and dead letters in whatever order, then the output.
func TestDetectionsAreAcknowledgedBeforeTheOutput(t *testing.T) {
	taken, err := deliverOnce(t, "")
	if err != nil || len(taken) != 4 || taken[0] != "file" || taken[3] != "out" || !slices.Contains(taken, "alerts") || !slices.Contains(taken, "dead") {
		t.Errorf("%v, %v", taken, err)
	}
}

// What cannot be alerted, or referred to, is not written and not acknowledged.
func TestNothingIsWrittenWithoutItsDetections(t *testing.T) {
	for _, refusing := range []string{"file", "alerts", "dead"} {
		taken, err := deliverOnce(t, refusing)
		if err == nil || slices.Contains(taken, "out") {
			t.Errorf("%s refuses: %v, %v", refusing, taken, err)
		}
		if refusing == "file" && (!errors.Is(err, errInjected) || len(taken) != 1) {
			t.Errorf("the file refuses: %v, %v", taken, err)
		}
	}
	if _, err := deliverOnce(t, "out"); err == nil {
		t.Error("the output refuses, and the unit counts as delivered")
	}
}

// However often the output refuses, a detection is told once; one that was not among
// them is told as well, and a new owner begins anew.
func TestDetectionsAreToldOnceWhileTheOutputRefuses(t *testing.T) {
	cluster, c := fakeCluster(t, kfake.SeedTopics(1, "out", "alerts"))
	var refuses atomic.Bool
	refuses.Store(true)
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if refuses.Load() && req.(*kmsg.ProduceRequest).Topics[0].Topic == "out" {
			return produceAnswer(req, int16(kafkago.InvalidRecord)), nil, true
		}
		return nil, nil, false
	})
	var filed []string
	d := &AtLeastOnce{
		Open:        func() *Producer { return NewProducer(newTap(t, c), impatient(c), nil) },
		PartitionOf: func(context.Context, string, []byte) (int32, error) { return 0, nil },
		Local: func(_ context.Context, detections []event.Detection) error {
			for _, one := range detections {
				filed = append(filed, one.ID)
			}
			return nil
		},
	}
	deliver := func(ids ...string) error {
		u := Unit{Topic: "in", Out: numbers(0, 1), OutTopic: "out"}
		for _, id := range ids {
			u.Detections = append(u.Detections, event.Detection{ID: id})
			u.Events = append(u.Events, Message{Topic: "alerts", Partition: -1, Record: recordbatch.Record{Value: []byte(id)}})
		}
		return d.Deliver(testContext(t), u)
	}
	for range 3 {
		if deliver("a") == nil {
			t.Fatal("the output refuses, and the unit counts as delivered")
		}
	}
	if deliver("a", "b") == nil { // more was gathered
		t.Fatal("the output refuses, and the unit counts as delivered")
	}
	d.Release("in", 0)
	if deliver("a", "b") == nil {
		t.Fatal("the output refuses, and the unit counts as delivered")
	}
	refuses.Store(false)
	for range 2 { // the second time is a new delivery
		if err := deliver("a", "b"); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"a", "b", "a", "b", "a", "b"}
	if !slices.Equal(filed, want) {
		t.Errorf("the file has %v, want %v", filed, want)
	}
	var topic []string
	for _, r := range readBack(t, c, "alerts", 0, len(want)) {
		topic = append(topic, string(r.Value))
	}
	if !slices.Equal(topic, want) {
		t.Errorf("the topic has %v, want %v", topic, want)
	}
}
