package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

func want(t *testing.T, got []string, values ...string) {
	t.Helper()
	if diff := cmp.Diff(values, got); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
}

func TestCompactedTailIsPassed(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.add(t, recordbatch.Plain(recordbatch.None), setDelta(9), text("a")...)
	l.addPlain(t, "b")
	l.add(t, recordbatch.Plain(recordbatch.None), func(raw []byte) { setDelta(4)(raw) }, text("last")...)
	_, next := readLog(t, l, 0, options(m))
	want(t, m.values("in", 0), "a", "b", "last")
	if next != 16 {
		t.Errorf("next is %d, not behind the last offset delta", next)
	}
}

func TestBatchEmptiedByCompactionIsPassed(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.addPlain(t, "a", "b")
	empty := bytes.Clone(l.batches[0].raw[:recordbatch.Overhead])
	binary.BigEndian.PutUint32(empty[8:], recordbatch.Overhead-12)
	l.batches[0].raw = seal(empty, 0, setCount(0))
	l.addPlain(t, "c")
	readLog(t, l, 0, options(m))
	want(t, m.values("in", 0), "c")
}

func TestRecordsBelowTheOffsetAreNotDelivered(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.addPlain(t, "0", "1", "2", "3")
	readLog(t, l, 2, options(m))
	want(t, m.values("in", 0), "2", "3")
}

func TestEmptyValueIsNoTombstone(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.add(t, recordbatch.Plain(recordbatch.LZ4), nil,
		recordbatch.Record{Key: []byte("k"), Value: []byte{}}, recordbatch.Record{Key: []byte{}, Value: nil})
	readLog(t, l, 0, options(m))
	out := m.out[place{"in", 0}]
	if len(out) != 2 || out[0].Value == nil || out[1].Value != nil || out[1].Key == nil {
		t.Errorf("null and empty are confused: %d records", len(out))
	}
}

func transactional(producer int64) recordbatch.Params {
	return recordbatch.Params{ProducerID: producer, Transactional: true}
}

// marker appends a control batch; committed or aborted.
func (l *fakeLog) marker(t *testing.T, producer int64, committed bool) {
	key := []byte{0, 0, 0, 0}
	if committed {
		key[3] = 1
	}
	l.add(t, transactional(producer), func(raw []byte) { raw[22] |= 0x20 }, recordbatch.Record{Key: key, Value: make([]byte, 6)})
}

func TestAbortedRecordsAreNotDelivered(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.add(t, transactional(7), nil, text("aborted 0")...)   // 0
	l.add(t, transactional(8), nil, text("committed 1")...) // 1
	l.addPlain(t, "plain 2")                                // 2
	l.add(t, transactional(7), nil, text("aborted 3")...)   // 3
	l.marker(t, 7, false)                                   // 4
	l.add(t, transactional(7), nil, text("committed 5")...) // 5
	l.marker(t, 8, true)                                    // 6
	l.add(t, transactional(8), nil, text("aborted 7")...)   // 7
	l.marker(t, 7, true)                                    // 8
	l.marker(t, 8, false)                                   // 9
	l.aborted = []abortedTransaction{{8, 7}, {7, 0}}
	_, next := readLog(t, l, 0, options(m))
	want(t, m.values("in", 0), "committed 1", "plain 2", "committed 5")
	if next != 10 {
		t.Errorf("next is %d: the last control batch was not passed", next)
	}
}

func TestSmallBatchesAreProcessedTogetherInOrder(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	var all []string
	for i := range 300 {
		v := string(rune('a'+i%26)) + strings.Repeat("x", i)
		all = append(all, v)
		l.add(t, recordbatch.Plain(recordbatch.Snappy), nil, text(v)...)
	}
	calls := 0
	o := options(m)
	o.Process = func(ctx context.Context, in Input) (Unit, error) {
		calls++
		if in.Info.BaseOffset != in.Records[0].Offset || in.Info.LastOffset != in.Records[len(in.Records)-1].Offset {
			t.Errorf("offsets %d to %d do not fit the records", in.Info.BaseOffset, in.Info.LastOffset)
		}
		return same(ctx, in)
	}
	readLog(t, l, 0, o)
	want(t, m.values("in", 0), all...)
	if calls > 10 {
		t.Errorf("%d calls for 300 small batches", calls)
	}
}

// damaged is a log whose second batch is bad.
func damaged(t *testing.T, codec recordbatch.Codec, change func([]byte), records ...recordbatch.Record) *fakeLog {
	t.Helper()
	l := &fakeLog{}
	l.addPlain(t, "before")
	l.add(t, recordbatch.Plain(codec), change, records...)
	l.addPlain(t, "after")
	return l
}

// skips reads a damaged log and gives the bytes that were allocated for it.
func skips(t *testing.T, l *fakeLog, place string) uint64 {
	t.Helper()
	m := &memory{}
	o := options(m)
	var skipped atomic.Int32
	o.Hooks.OnBadBatch = func(_ BadBatch, halted bool) {
		if !halted {
			skipped.Add(1)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	readLog(t, l, 0, o)
	runtime.ReadMemStats(&after)
	want(t, m.values("in", 0), "before", "after")
	if len(m.dead) != 1 || string(m.dead[0].Record.Value) != place || skipped.Load() != 1 {
		t.Errorf("%d dead letters, %d skipped, want one at %s", len(m.dead), skipped.Load(), place)
	}
	return after.TotalAlloc - before.TotalAlloc
}

func TestNegativeCountDoesNotEndTheProcess(t *testing.T) {
	skips(t, damaged(t, recordbatch.None, setCount(-1), text("x")...), "in/0 1-1")
}

func TestClaimOfNineGigabytesIsRefused(t *testing.T) {
	l := damaged(t, recordbatch.None, func(raw []byte) { setCount(100_000_000)(raw); setDelta(99_999_999)(raw) }, text("x")...)
	if n := skips(t, l, "in/0 1-100000000"); n > 100<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

func TestZstdBombIsRefused(t *testing.T) {
	bomb := recordbatch.Record{Value: make([]byte, 256<<20)}
	l := damaged(t, recordbatch.Zstd, nil, bomb)
	bomb.Value = nil
	if n := skips(t, l, "in/0 1-1"); n > 1<<30 {
		t.Errorf("%d bytes were allocated", n)
	}
}

func TestWrongChecksumIsSkipped(t *testing.T) {
	l := damaged(t, recordbatch.None, nil, text("xyz")...)
	l.batches[1].raw[len(l.batches[1].raw)-2] ^= 1
	skips(t, l, "in/0 1-1")
}

func TestBatchLargerThanTheBudgetIsSkipped(t *testing.T) {
	l := damaged(t, recordbatch.None, nil, recordbatch.Record{Value: make([]byte, 3<<20)})
	m := &memory{}
	o := options(m)
	o.MemoryBudget = minBudget
	readLog(t, l, 0, o)
	want(t, m.values("in", 0), "before", "after")
	if len(m.dead) != 1 {
		t.Errorf("%d dead letters", len(m.dead))
	}
}

func TestBatchLargerThanAFetchIsRead(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	large := strings.Repeat("x", 5<<20)
	l.addPlain(t, "before")
	l.addPlain(t, large)
	readLog(t, l, 0, options(m))
	if got := m.values("in", 0); len(got) != 2 || got[1] != large {
		t.Errorf("%d records", len(got))
	}
}

func TestCompressionBeyondItsClassIsRead(t *testing.T) {
	l, m := &fakeLog{}, &memory{}
	l.add(t, recordbatch.Plain(recordbatch.Zstd), nil, text(strings.Repeat("x", 20<<20), "y")...)
	readLog(t, l, 0, options(m))
	if got := m.values("in", 0); len(got) != 2 || len(got[0]) != 20<<20 {
		t.Errorf("%d records", len(got))
	}
}
