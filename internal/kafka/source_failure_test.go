package kafka

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

func TestHaltStopsAtTheBatchAndSaysSo(t *testing.T) {
	l, m := damaged(t, recordbatch.None, setCount(-1), text("x")...), &memory{}
	o := options(m)
	o.HaltOnBadBatch = true
	s, next := readLog(t, l, 0, o)
	want(t, m.values("in", 0), "before")
	halted := s.Status().Halted
	if next != 1 || len(halted) != 1 || !strings.Contains(halted[0].Reason, "in/0 offsets 1 to 1") {
		t.Errorf("next %d, halted %v", next, halted)
	}
}

func TestBatchThatIsGoodWhenFetchedAgain(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.addPlain(t, "once damaged")
	l.batches[0].raw[30] ^= 1
	l.fail = func(n int) error {
		if n == 2 {
			l.batches[0].raw[30] ^= 1
		}
		return nil
	}
	readLog(t, l, 0, options(m))
	want(t, m.values("in", 0), "once damaged")
	if len(m.dead) != 0 {
		t.Error("a dead letter for a good batch")
	}
}

func TestPanicInProcessNamesItsPlaceOnly(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.addPlain(t, "canary-value")
	o := options(m)
	o.Process = func(_ context.Context, in Input) (Unit, error) { panic(string(in.Records[0].Value)) }
	var reason string
	o.Hooks.OnBadBatch = func(b BadBatch, _ bool) { reason = b.Err.Error() }
	readLog(t, l, 0, o)
	if strings.Contains(reason, "canary") || !strings.Contains(reason, "source_failure_test.go:") {
		t.Errorf("reason %q", reason)
	}
	if len(m.values("in", 0)) != 0 || len(m.dead) != 1 {
		t.Error("an unprocessed record was delivered, or none reported")
	}
}

func TestRecordTooLargeForTheOutputIsWithheld(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.addPlain(t, "a", "LARGE", "b", "LARGE")
	m.before = func(_ context.Context, u Unit) error {
		i := slices.IndexFunc(u.Out, func(r recordbatch.Record) bool { return string(r.Value) == "LARGE" })
		if i < 0 {
			return nil
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.out == nil {
			m.out = map[place][]recordbatch.Record{}
		}
		at := place{u.Topic, u.Partition}
		m.out[at] = append(m.out[at], slices.Clone(u.Out[:i])...)
		m.dead = append(m.dead, u.Dead...)
		return &RecordTooLargeError{Topic: u.OutTopic, Partition: u.Partition, Index: i}
	}
	o := options(m)
	o.Withhold = func(context.Context, Unit, recordbatch.Record) (recordbatch.Record, []Message) {
		return text("stub")[0], []Message{{Topic: "dead"}}
	}
	readLog(t, l, 0, o)
	want(t, m.values("in", 0), "a", "stub", "b", "stub")
	if len(m.dead) != 2 {
		t.Errorf("%d dead letters", len(m.dead))
	}
}

func TestOffsetsLostToRetentionAreReported(t *testing.T) {
	for name, halt := range map[string]bool{"goes on": false, "halts": true} {
		t.Run(name, func(t *testing.T) {
			l, m := &fakeLog{start: 10}, &memory{}
			l.addPlain(t, "ten")
			o := options(m)
			o.HaltOnGap = halt
			var gaps []Gap
			o.Hooks.OnGap = func(g Gap) { gaps = append(gaps, g) }
			s, _ := readLog(t, l, 3, o)
			if diff := cmp.Diff([]Gap{{"in", 0, 3, 10}}, gaps); diff != "" {
				t.Error(diff)
			}
			if got := len(s.Status().Halted) == 1; got != halt || (len(m.values("in", 0)) == 0) != halt {
				t.Errorf("halted %v, delivered %v", got, m.values("in", 0))
			}
		})
	}
}

func TestLogSetBackIsReported(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.addPlain(t, "zero")
	o := options(m)
	var gaps []Gap
	o.Hooks.OnGap = func(g Gap) { gaps = append(gaps, g) }
	readLog(t, l, 50, o)
	if diff := cmp.Diff([]Gap{{"in", 0, 50, 0}}, gaps); diff != "" {
		t.Error(diff)
	}
	want(t, m.values("in", 0), "zero")
}

func TestOrderIsKeptWhenDeliverAndFetchFail(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	var all []string
	for i := range 200 {
		v := strings.Repeat("v", i+1)
		all = append(all, v)
		l.add(t, recordbatch.Plain(recordbatch.Codec(i%5)), nil, text(v)...)
	}
	calls := 0
	m.before = func(context.Context, Unit) error {
		if calls++; calls%10 == 3 {
			return errInjected
		}
		return nil
	}
	l.fail = func(n int) error {
		if n%7 == 2 {
			return kafkago.NotLeaderForPartition
		}
		return nil
	}
	o := options(m)
	o.MaxBackoff = 1 << 20
	readLog(t, l, 0, o)
	want(t, m.values("in", 0), all...)
}
