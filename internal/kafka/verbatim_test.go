package kafka

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// rawBatches reads a partition of the broker as bytes, batch by batch.
func rawBatches(t *testing.T, addr, topic string) (batches [][]byte) {
	t.Helper()
	c := Connection{Brokers: []string{addr}}
	transport, err := c.Transport()
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: c.Addr(), Transport: transport}
	f := &fetcher{client: client, place: place{topic, 0}, wait: 10 * time.Millisecond, timeout: 10 * time.Second}
	for offset := int64(0); ; {
		answer, err := f.fetch(testContext(t), offset, 1<<20, 1<<20)
		if err != nil || answer.Code != 0 {
			t.Fatalf("%v, code %d", err, answer.Code)
		}
		if offset == answer.HighWatermark {
			return batches
		}
		for set := answer.Set; len(set) > 0; {
			raw, rest, err := recordbatch.Next(set)
			if err != nil {
				break
			}
			info, err := recordbatch.PeekInfo(raw)
			if err != nil {
				t.Fatal(err)
			}
			if !info.Control {
				batches = append(batches, raw)
			}
			offset, set = info.LastOffset+1, rest
		}
	}
}

func unchanged(out string) ProcessFunc {
	return func(_ context.Context, in Input) (Unit, error) {
		return Unit{Out: in.Records, OutTopic: out, Codec: in.Info.Codec, Unchanged: true}, nil
	}
}

// A batch of which nothing changed is written with its compressed records byte for
// byte, in every codec, also when it came in a transaction.
func TestCleanBatchIsWrittenAsItCame(t *testing.T) {
	s := newStream(t, sharedBroker(t), 1, nil)
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	sent := 0
	for _, codec := range codecs {
		client := s.franz(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(time.Second))
		var records []*kgo.Record
		for i := range 20 {
			records = append(records, &kgo.Record{Topic: s.in, Key: fmt.Append(nil, i), Value: bytes.Repeat(fmt.Appendf(nil, "line %d ", i), 50), Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i))})
		}
		if err := client.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		sent += len(records)
	}
	s.transact("x", "aborted", false)
	s.transact("x", "committed", true)
	m := s.join(func(o *SourceOptions) { o.Process = unchanged(s.out) })
	until(t, "everything is committed", func() bool { return s.committed(0) == int64(sent+4) }) // two records, two markers
	m.leave(t)
	in, out := rawBatches(t, s.broker.Addr(), s.in), rawBatches(t, s.broker.Addr(), s.out)
	in = slices.Delete(in, len(codecs), len(codecs)+1) // the aborted one
	if len(in) != len(codecs)+1 || len(out) != len(in) {
		t.Fatalf("%d batches in, %d out", len(in), len(out))
	}
	for i := range in {
		before, _ := recordbatch.PeekInfo(in[i])
		after, _ := recordbatch.PeekInfo(out[i])
		if !bytes.Equal(in[i][recordbatch.Overhead:], out[i][recordbatch.Overhead:]) || before.Codec != after.Codec {
			t.Errorf("batch %d, %s: %d bytes came, %d others were written", i, before.Codec, len(in[i]), len(out[i]))
		}
		if after.Transactional || after.ProducerID == before.ProducerID || before.MaxTimestamp != after.MaxTimestamp {
			t.Errorf("batch %d: header %+v", i, after)
		}
	}
	got := readBack(t, Connection{Brokers: []string{s.broker.Addr()}}, s.out, 0, sent+1)
	if last := got[sent]; string(last.Value) != "committed" {
		t.Errorf("the last record is %q", last.Value)
	}
}

// Everything that is not surely the batch as it came is encoded again.
func TestOnlyAnUnchangedBatchIsWrittenAsItCame(t *testing.T) {
	values := []string{"a", "b", "c"}
	for name, c := range map[string]struct {
		from   int64
		more   bool // a second batch, gathered with the first
		change func(in Input, u *Unit)
		raw    bool
	}{
		"unchanged":               {raw: true},
		"not said to be":          {change: func(_ Input, u *Unit) { u.Unchanged = false }},
		"another codec":           {change: func(_ Input, u *Unit) { u.Codec = recordbatch.LZ4 }},
		"a record left out":       {change: func(_ Input, u *Unit) { u.Out = u.Out[:2] }},
		"a value replaced":        {change: func(_ Input, u *Unit) { u.Out = slices.Clone(u.Out); u.Out[1].Value = []byte("b") }},
		"a key added":             {change: func(_ Input, u *Unit) { u.Out = slices.Clone(u.Out); u.Out[1].Key = []byte{} }},
		"records copied, as such": {change: func(_ Input, u *Unit) { u.Out = slices.Clone(u.Out) }, raw: true},
		"two records exchanged":   {change: func(_ Input, u *Unit) { u.Out = []recordbatch.Record{u.Out[1], u.Out[0], u.Out[2]} }},
		"read from the middle":    {from: 1},
		"gathered":                {more: true},
	} {
		t.Run(name, func(t *testing.T) {
			l, m := &fakeLog{}, &memory{}
			l.add(t, recordbatch.Plain(recordbatch.Zstd), nil, text(values...)...)
			if c.more {
				l.add(t, recordbatch.Plain(recordbatch.Zstd), nil, text(values...)...)
			}
			units := 0
			m.before = func(_ context.Context, u Unit) error {
				units++
				if (u.raw != nil) != c.raw {
					t.Errorf("as it came: %t", u.raw != nil)
				}
				if u.raw != nil && !bytes.Equal(u.raw, l.batches[0].raw) {
					t.Error("it is another batch")
				}
				return nil
			}
			o := options(m)
			o.Process = func(ctx context.Context, in Input) (Unit, error) {
				u, err := unchanged("in.out")(ctx, in)
				if c.change != nil {
					c.change(in, &u)
				}
				return u, err
			}
			readLog(t, l, c.from, o)
			if units != 1 {
				t.Errorf("%d units", units)
			}
		})
	}
}

// A batch that the output does not take as it is, is cut to size; it used up no
// sequence.
func TestUnchangedBatchThatIsTooLargeIsCut(t *testing.T) {
	cluster, c, _, p := fakeProducer(t, nil)
	seen := watchProduce(cluster, func(n int) int16 {
		if n <= 2 { // as it came, and encoded again as one
			return int16(kafkago.MessageSizeTooLarge)
		}
		return 0
	})
	recs := numbers(0, 10)
	var encoder recordbatch.Encoder
	raw, err := encoder.Encode(nil, recordbatch.Plain(recordbatch.Gzip), recs)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.produce(testContext(t), producedTopic, 0, recordbatch.Gzip, recs, raw); err != nil {
			t.Fatal(err)
		}
	}
	var sequences []int32
	for _, r := range seen() {
		sequences = append(sequences, r.sequence)
	}
	if fmt.Sprint(sequences) != "[0 0 0 5 10]" {
		t.Errorf("sequences %v", sequences)
	}
	sameValues(t, append(recs, recs...), readBack(t, c, producedTopic, 0, 20))
}
