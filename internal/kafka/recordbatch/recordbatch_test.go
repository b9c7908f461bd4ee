package recordbatch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

var allCodecs = []Codec{None, Gzip, Snappy, LZ4, Zstd}

// sample has every combination of null, empty and filled.
func sample() []Record {
	return []Record{
		{Timestamp: 1_700_000_000_000, Key: []byte("k"), Value: []byte("v"), Headers: []Header{
			{Key: []byte("null"), Value: nil},
			{Key: []byte("empty"), Value: []byte{}},
			{Key: []byte{}, Value: []byte("value")},
		}},
		{Timestamp: 1_700_000_000_005, Key: nil, Value: []byte{}},
		{Timestamp: 1_699_999_999_990, Key: []byte{}, Value: nil},
		{Timestamp: -1, Value: bytes.Repeat([]byte("a line of a log "), 8192)},
	}
}

func encode(t interface {
	Helper()
	Fatal(...any)
}, p Params, recs []Record) []byte {
	t.Helper()
	raw, err := new(Encoder).Encode(nil, p, recs)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// numbered gives recs the offsets that the encoder gives them.
func numbered(recs []Record) []Record {
	out := append([]Record(nil), recs...)
	for i := range out {
		out[i].Offset = int64(i)
	}
	return out
}

func TestRoundTripOfEveryCodec(t *testing.T) {
	for _, codec := range allCodecs {
		t.Run(codec.String(), func(t *testing.T) {
			p := Params{Codec: codec, ProducerID: 77, ProducerEpoch: 3, BaseSequence: 9, Transactional: true}
			raw := encode(t, p, sample())
			got, in, err := NewDecoder(Limits{}).Decode(raw, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(numbered(sample()), got); diff != "" {
				t.Error(diff)
			}
			want := Info{LastOffset: 3, LeaderEpoch: -1, Codec: codec, Transactional: true,
				MaxTimestamp: 1_700_000_000_005, ProducerID: 77, ProducerEpoch: 3, BaseSequence: 9, Count: 4, Size: len(raw)}
			if diff := cmp.Diff(want, in); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNullIsNotEmpty(t *testing.T) {
	got, _, err := NewDecoder(Limits{}).Decode(encode(t, Plain(None), sample()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got[1].Key != nil || got[1].Value == nil || got[2].Key == nil || got[2].Value != nil {
		t.Error("null and empty keys or values are mixed up")
	}
	h := got[0].Headers
	if h[0].Value != nil || h[1].Value == nil || h[2].Key == nil {
		t.Error("null and empty header values are mixed up")
	}
}

func TestNextSplitsASetAndTellsAShortTail(t *testing.T) {
	one, two := encode(t, Plain(None), sample()), encode(t, Plain(Zstd), sample())
	set := append(append([]byte(nil), one...), two...)
	raw, rest, err := Next(set)
	if err != nil || !bytes.Equal(raw, one) || !bytes.Equal(rest, two) {
		t.Fatalf("first batch: %d and %d bytes, %v", len(raw), len(rest), err)
	}
	for cut := range len(two) {
		if _, _, err := Next(rest[:cut]); !errors.Is(err, ErrShort) {
			t.Fatalf("cut at %d: %v, want ErrShort", cut, err)
		}
	}
	for _, length := range []int32{-1, 0, 4, -1 << 31} {
		bad := append([]byte(nil), two...)
		binary.BigEndian.PutUint32(bad[atLength:], uint32(length))
		if _, _, err := Next(bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("length %d: %v, want ErrCorrupt", length, err)
		}
	}
}

// kmsg is franz-go's generated protocol, an independent reading of the format.
func TestFranzGoReadsWhatWeWrite(t *testing.T) {
	raw := encode(t, Plain(None), sample())
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil {
		t.Fatal(err)
	}
	if b.NumRecords != 4 || b.LastOffsetDelta != 3 || b.Magic != 2 || int(b.Length) != len(raw)-12 {
		t.Errorf("header: %d records, last delta %d, magic %d, length %d", b.NumRecords, b.LastOffsetDelta, b.Magic, b.Length)
	}
	in := b.Records
	for i, want := range numbered(sample()) {
		size, n := binary.Varint(in)
		var r kmsg.Record
		if err := r.ReadFrom(in[:n+int(size)]); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		in = in[n+int(size):]
		got := Record{Offset: int64(r.OffsetDelta), Timestamp: b.FirstTimestamp + r.TimestampDelta64, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			got.Headers = append(got.Headers, Header{Key: []byte(h.Key), Value: h.Value})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("record %d: %s", i, diff)
		}
	}
}

func TestSplitKeepsBatchesUnderTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		recs := genRecords().Draw(t, "records")
		limit := rapid.IntRange(1, 4000).Draw(t, "limit")
		var joined []Record
		for _, run := range Split(recs, limit) {
			if len(run) == 0 {
				t.Fatal("empty run")
			}
			if raw := encode(t, Plain(None), run); len(run) > 1 && len(raw) > limit {
				t.Fatalf("batch of %d bytes over %d", len(raw), limit)
			}
			joined = append(joined, run...)
		}
		if diff := cmp.Diff(recs, joined); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestSplitWithoutLimitOrRecords(t *testing.T) {
	if got := Split(sample(), 0); len(got) != 1 || len(got[0]) != 4 {
		t.Errorf("no limit: %d runs", len(got))
	}
	if got := Split(nil, 10); got != nil {
		t.Errorf("no records: %d runs", len(got))
	}
}

func TestEncoderRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Params
		recs []Record
		want error
	}{
		{"no records", Plain(None), nil, ErrCorrupt},
		{"unknown codec", Plain(5), sample(), ErrCodec},
		{"negative codec", Plain(-1), sample(), ErrCodec},
		{"header without a key", Plain(None), []Record{{Headers: []Header{{Value: []byte("v")}}}}, ErrCorrupt},
	} {
		dst := []byte("kept")
		out, err := new(Encoder).Encode(dst, c.p, c.recs)
		if !errors.Is(err, c.want) || !bytes.Equal(out, dst) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// Batches of other sizes and codecs before this one must not show in it.
func TestReuseLeavesNoTrace(t *testing.T) {
	var enc Encoder
	dec := NewDecoder(Limits{})
	rapid.Check(t, func(t *rapid.T) {
		recs := genRecords().Draw(t, "records")
		codec := rapid.SampledFrom(allCodecs).Draw(t, "codec")
		prefix := []byte("prefix")
		raw, err := enc.Encode(prefix, Plain(codec), recs)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(raw, prefix) {
			t.Fatal("what stood in dst is gone")
		}
		got, _, err := dec.Decode(raw[len(prefix):], nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(numbered(recs), got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDecodeAllocatesNothingPerRecord(t *testing.T) {
	recs := make([]Record, 1000)
	for i := range recs {
		recs[i] = Record{Value: []byte("value"), Headers: []Header{{Key: []byte("k")}}}
	}
	raw := encode(t, Plain(Snappy), recs)
	dec := NewDecoder(Limits{})
	dst, _, err := dec.Decode(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(20, func() { dst, _, err = dec.Decode(raw, dst[:0]) }); n > 2 || err != nil {
		t.Errorf("%v allocations a batch of 1000 records, %v", n, err)
	}
}

func genBytes() *rapid.Generator[[]byte] {
	return rapid.OneOf(
		rapid.Just([]byte(nil)),
		rapid.Just([]byte{}),
		rapid.SliceOfN(rapid.Byte(), 1, 300),
		rapid.Custom(func(t *rapid.T) []byte {
			return bytes.Repeat([]byte(rapid.StringN(1, 8, 30).Draw(t, "word")), rapid.IntRange(1, 2000).Draw(t, "times"))
		}),
	)
}

func genRecords() *rapid.Generator[[]Record] {
	header := rapid.Custom(func(t *rapid.T) Header {
		return Header{Key: []byte(rapid.StringN(0, 8, 16).Draw(t, "name")), Value: genBytes().Draw(t, "value")}
	})
	record := rapid.Custom(func(t *rapid.T) Record {
		r := Record{
			Timestamp: rapid.Int64().Draw(t, "timestamp"),
			Key:       genBytes().Draw(t, "key"),
			Value:     genBytes().Draw(t, "value"),
		}
		if hs := rapid.SliceOfN(header, 0, 3).Draw(t, "headers"); len(hs) > 0 {
			r.Headers = hs
		}
		return r
	})
	return rapid.SliceOfN(record, 1, 20)
}

func ExampleDecoder() {
	raw, _ := new(Encoder).Encode(nil, Plain(Zstd), []Record{{Value: []byte("one")}, {Value: nil}})
	recs, info, err := NewDecoder(Limits{}).Decode(raw, nil)
	fmt.Println(len(recs), string(recs[0].Value), recs[1].Value == nil, info.LastOffset, err)
	// Output: 2 one true 1 <nil>
}
