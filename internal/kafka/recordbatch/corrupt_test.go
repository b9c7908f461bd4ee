package recordbatch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batch is franz-go's batch with records of our making as its payload.
func batch(payload []byte, change func(*kmsg.RecordBatch)) []byte {
	b := kmsg.RecordBatch{
		FirstOffset: 100, PartitionLeaderEpoch: 7, Magic: 2, LastOffsetDelta: 9, NumRecords: 1,
		FirstTimestamp: 1000, MaxTimestamp: 2000, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, Records: payload,
	}
	change(&b)
	b.Length = int32(headerSize - lengthEnd + len(b.Records))
	return seal(b.AppendTo(nil))
}

// seal gives raw the checksum of what it holds now.
func seal(raw []byte) []byte {
	binary.BigEndian.PutUint32(raw[atCRC:], checksum(raw))
	return raw
}

// record is one record with its length, by franz-go.
func record(offsetDelta int32, value []byte, headers ...kmsg.Header) []byte {
	r := kmsg.Record{OffsetDelta: offsetDelta, Value: value, Headers: headers}
	body := r.AppendTo(nil)[1:] // its length of 0 is one byte
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

func decode(raw []byte) ([]Record, Info, error) { return NewDecoder(Limits{}).Decode(raw, nil) }

func TestBadHeaders(t *testing.T) {
	good := record(0, []byte("value"))
	for _, c := range []struct {
		name   string
		change func(*kmsg.RecordBatch)
		want   error
		ranged bool // PeekInfo still knows the offsets
	}{
		{"magic 0", func(b *kmsg.RecordBatch) { b.Magic = 0 }, ErrMagic, false},
		{"magic 1", func(b *kmsg.RecordBatch) { b.Magic = 1 }, ErrMagic, false},
		{"magic 3", func(b *kmsg.RecordBatch) { b.Magic = 3 }, ErrMagic, false},
		{"codec 5", func(b *kmsg.RecordBatch) { b.Attributes = 5 }, ErrCodec, true},
		{"codec 7", func(b *kmsg.RecordBatch) { b.Attributes = 7 }, ErrCodec, true},
		{"count -1", func(b *kmsg.RecordBatch) { b.NumRecords = -1 }, ErrCorrupt, true},
		{"count 2^31-1", func(b *kmsg.RecordBatch) { b.NumRecords = math.MaxInt32 }, ErrCorrupt, true},
		{"count 2^31-1 in as many offsets", func(b *kmsg.RecordBatch) {
			b.NumRecords, b.LastOffsetDelta = math.MaxInt32, math.MaxInt32
		}, ErrTooLarge, true},
		{"more records than offsets", func(b *kmsg.RecordBatch) { b.NumRecords = 11 }, ErrCorrupt, true},
		{"more records than bytes", func(b *kmsg.RecordBatch) { b.NumRecords = 10 }, ErrCorrupt, true},
		{"fewer records than there are", func(b *kmsg.RecordBatch) { b.NumRecords = 0 }, ErrCorrupt, true},
		{"negative last offset delta", func(b *kmsg.RecordBatch) { b.LastOffsetDelta = -1 }, ErrCorrupt, false},
		{"negative base offset", func(b *kmsg.RecordBatch) { b.FirstOffset = -1 }, ErrCorrupt, false},
		{"offsets overflow", func(b *kmsg.RecordBatch) { b.FirstOffset = math.MaxInt64 - 3 }, ErrCorrupt, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, in, err := decode(batch(good, c.change))
			if !errors.Is(err, c.want) || recs != nil {
				t.Errorf("%v, want %v", err, c.want)
			}
			if c.ranged && (in.BaseOffset != 100 || in.LastOffset < 109) {
				t.Errorf("offsets %d to %d are lost", in.BaseOffset, in.LastOffset)
			}
		})
	}
}

func TestWrongChecksum(t *testing.T) {
	raw := batch(record(0, []byte("value")), func(*kmsg.RecordBatch) {})
	for at := atAttributes; at < len(raw); at++ {
		bad := bytes.Clone(raw)
		bad[at] ^= 0x40
		if _, _, err := decode(bad); err == nil {
			t.Fatalf("a changed byte at %d was not seen", at)
		}
	}
	raw[len(raw)-1] ^= 1
	if _, in, err := decode(raw); !errors.Is(err, ErrCRC) || in.LastOffset != 109 {
		t.Errorf("%v to offset %d, want ErrCRC to 109", err, in.LastOffset)
	}
}

func TestLengthFieldThatLies(t *testing.T) {
	raw := batch(record(0, []byte("value")), func(*kmsg.RecordBatch) {})
	if _, _, err := decode(raw[:len(raw)-1]); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
	for n := range headerSize {
		if _, err := PeekInfo(raw[:n]); err == nil {
			t.Errorf("a header of %d bytes was read", n)
		}
	}
}

func TestBadRecords(t *testing.T) {
	var (
		null     = []byte{0x01}                               // varint -1
		minusTwo = []byte{0x03}                               // varint -2
		endless  = bytes.Repeat([]byte{0xff}, 11)             // a varint that never ends
		over32   = binary.AppendVarint(nil, math.MaxInt32+1)  // fits in 64 bits alone
		long     = []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x00} // 0 in six bytes
		zero     = []byte{0}
	)
	body := func(parts ...[]byte) []byte {
		b := bytes.Join(parts, nil)
		return append(binary.AppendVarint(nil, int64(len(b))), b...)
	}
	for _, c := range []struct {
		name    string
		payload []byte
	}{
		{"negative record length", append(minusTwo, make([]byte, 10)...)},
		{"record length behind the batch", append([]byte{0x7e}, make([]byte, 10)...)},
		{"record length overflows", append(over32, make([]byte, 10)...)},
		{"record length never ends", endless},
		{"record of no bytes", make([]byte, 10)},
		{"timestamp delta never ends", body(zero, endless)},
		{"offset delta overflows", body(zero, zero, over32, null, null, zero)},
		{"offset delta in six bytes", body(zero, zero, long, null, null, zero)},
		{"negative offset delta", body(zero, zero, null, null, null, zero)},
		{"offset delta behind the batch's last", record(10, nil)},
		{"key length -2", body(zero, zero, zero, minusTwo, null, zero)},
		{"key behind the record", body(zero, zero, zero, []byte{0x7e}, null, zero)},
		{"value length -2", body(zero, zero, zero, null, minusTwo, zero)},
		{"value behind the record", body(zero, zero, zero, null, []byte{0x7e}, zero)},
		{"negative count of headers", body(zero, zero, zero, null, null, null)},
		{"more headers than bytes", body(zero, zero, zero, null, null, []byte{0x7e})},
		{"header key null", body(zero, zero, zero, null, null, []byte{2}, null, null)},
		{"header key behind the record", body(zero, zero, zero, null, null, []byte{2}, []byte{0x7e}, null)},
		{"header value length -2", body(zero, zero, zero, null, null, []byte{2}, zero, minusTwo)},
		{"bytes behind the headers", body(zero, zero, zero, null, null, zero, []byte("more"))},
		{"bytes behind the last record", append(record(0, []byte("v")), "more"...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, in, err := decode(batch(c.payload, func(*kmsg.RecordBatch) {}))
			if !errors.Is(err, ErrCorrupt) || recs != nil || in.LastOffset != 109 {
				t.Errorf("%v, offsets to %d; want ErrCorrupt, to 109", err, in.LastOffset)
			}
		})
	}
}

func TestCompactionHoles(t *testing.T) {
	for _, c := range []struct {
		name   string
		deltas []int32
	}{
		{"head", []int32{5, 9}}, {"tail", []int32{0, 4}}, {"middle", []int32{0, 9}}, {"one left", []int32{4}}, {"all", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var payload []byte
			for _, d := range c.deltas {
				payload = append(payload, record(d, []byte("v"))...)
			}
			recs, in, err := decode(batch(payload, func(b *kmsg.RecordBatch) { b.NumRecords = int32(len(c.deltas)) }))
			if err != nil || len(recs) != len(c.deltas) || in.BaseOffset != 100 || in.LastOffset != 109 {
				t.Fatalf("%d records, offsets %d to %d, %v", len(recs), in.BaseOffset, in.LastOffset, err)
			}
			for i, d := range c.deltas {
				if recs[i].Offset != 100+int64(d) {
					t.Errorf("offset %d, want %d", recs[i].Offset, 100+d)
				}
			}
		})
	}
}

func TestEmptyBatchOfAnyCodec(t *testing.T) {
	for _, codec := range allCodecs {
		raw := batch(nil, func(b *kmsg.RecordBatch) { b.NumRecords, b.Attributes = 0, int16(codec) })
		if recs, _, err := decode(raw); err != nil || len(recs) != 0 {
			t.Errorf("%s: %d records, %v", codec, len(recs), err)
		}
	}
}

func TestLogAppendTime(t *testing.T) {
	recs, in, err := decode(batch(record(0, nil), func(b *kmsg.RecordBatch) { b.Attributes = logAppendTimeBit }))
	if err != nil || !in.LogAppendTime || recs[0].Timestamp != 2000 {
		t.Errorf("%+v, %v: want the batch's largest timestamp", in, err)
	}
}

func TestControlBatch(t *testing.T) {
	for kind, want := range map[byte][2]bool{0: {false, true}, 1: {true, true}, 2: {false, false}} {
		r := kmsg.Record{Key: []byte{0, 0, 0, kind}, Value: make([]byte, 6)}
		body := r.AppendTo(nil)[1:]
		payload := append(binary.AppendVarint(nil, int64(len(body))), body...)
		recs, in, err := decode(batch(payload, func(b *kmsg.RecordBatch) { b.Attributes = controlBit | transactionalBit }))
		if err != nil || !in.Control || !in.Transactional {
			t.Fatalf("%+v, %v", in, err)
		}
		if committed, ok := EndMarker(recs[0]); committed != want[0] || ok != want[1] {
			t.Errorf("marker %d: committed %t, ok %t", kind, committed, ok)
		}
	}
	if _, ok := EndMarker(Record{Key: []byte{0}}); ok {
		t.Error("a short key was read as a marker")
	}
}

// packed is payload as other clients compress it.
func packed(t testing.TB, codec Codec, payload []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var err error
	switch codec {
	case Gzip:
		w := gzip.NewWriter(&out)
		_, err = w.Write(payload)
		err = errors.Join(err, w.Close())
	case Snappy: // one bare block
		out.Write(s2.EncodeSnappy(nil, payload))
	case LZ4:
		w := lz4.NewWriter(&out) // 4 MiB blocks, checksums
		_, err = w.Write(payload)
		err = errors.Join(err, w.Close())
	case Zstd:
		w, e := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(64<<20))
		if e != nil {
			t.Fatal(e)
		}
		_, err = w.Write(payload) // streamed: the frame does not tell its size
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadsOtherClientsCompression(t *testing.T) {
	value := bytes.Repeat([]byte("a line of a log "), 100_000)
	for _, codec := range []Codec{Gzip, Snappy, LZ4, Zstd} {
		raw := batch(packed(t, codec, record(0, value)), func(b *kmsg.RecordBatch) { b.Attributes = int16(codec) })
		recs, _, err := decode(raw)
		if err != nil || len(recs) != 1 || !bytes.Equal(recs[0].Value, value) {
			t.Errorf("%s: %d records, %v", codec, len(recs), err)
		}
	}
}

func TestDecompressionBomb(t *testing.T) {
	const limit = 1 << 20
	bomb := make([]byte, 48<<20)
	for _, codec := range []Codec{Gzip, Snappy, LZ4, Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			raw := batch(packed(t, codec, bomb), func(b *kmsg.RecordBatch) { b.Attributes = int16(codec) })
			d := NewDecoder(Limits{MaxDecompressed: limit})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, in, err := d.Decode(raw, nil)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrTooLarge) || in.LastOffset != 109 {
				t.Errorf("%v to offset %d, want ErrTooLarge to 109", err, in.LastOffset)
			}
			// The codecs' own tables and blocks (lz4: 4 MiB) come on top of the buffer.
			if got := after.TotalAlloc - before.TotalAlloc; got > 24<<20 {
				t.Errorf("%d bytes asked for under a limit of %d", got, limit)
			}
		})
	}
}

func TestLimitsAreExact(t *testing.T) {
	payload := record(0, make([]byte, 100_000))
	for _, codec := range allCodecs {
		body := payload
		if codec != None {
			body = packed(t, codec, payload)
		}
		raw := batch(body, func(b *kmsg.RecordBatch) { b.Attributes = int16(codec) })
		if _, _, err := NewDecoder(Limits{MaxDecompressed: len(payload)}).Decode(raw, nil); err != nil {
			t.Errorf("%s at the limit: %v", codec, err)
		}
		if _, _, err := NewDecoder(Limits{MaxDecompressed: len(payload) - 1}).Decode(raw, nil); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s over the limit: %v, want ErrTooLarge", codec, err)
		}
	}
	raw := encode(t, Plain(None), sample())
	if _, _, err := NewDecoder(Limits{MaxRecords: 3}).Decode(raw, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("4 records of 3: %v, want ErrTooLarge", err)
	}
	raw = encode(t, Plain(None), sample()[:1])
	if _, _, err := NewDecoder(Limits{MaxRecords: 2}).Decode(raw, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("3 headers of 2: %v, want ErrTooLarge", err)
	}
}

func TestSnappyThatClaimsTooMuch(t *testing.T) {
	claim := append(binary.AppendUvarint(nil, 32<<20), 0, 0, 0, 0)
	framed := func(parts ...[]byte) []byte { return append(bytes.Clone(xerialMagic), bytes.Join(parts, nil)...) }
	for name, payload := range map[string][]byte{
		"bare block":                   claim,
		"block in a frame":             framed([]byte{0, 0, 0, byte(len(claim))}, claim),
		"frame cut in its header":      xerialMagic[:12],
		"frame cut in a length":        framed([]byte{0, 0}),
		"frame with a negative length": framed([]byte{0xff, 0xff, 0xff, 0xff, 1}),
		"frame cut in a block":         framed([]byte{0, 0, 0, 9, 1}),
	} {
		raw := batch(payload, func(b *kmsg.RecordBatch) { b.Attributes = int16(Snappy) })
		if _, _, err := decode(raw); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
	}
}

func TestErrorsHoldNoRecordBytes(t *testing.T) {
	const mark = "canary-value"
	for _, codec := range allCodecs {
		for cut := 1; cut < 30; cut++ {
			payload := record(0, []byte(mark+strings.Repeat("x", 30)))
			if codec != None {
				payload = packed(t, codec, payload)
			}
			payload = payload[:max(0, len(payload)-cut)]
			_, _, err := decode(batch(payload, func(b *kmsg.RecordBatch) { b.Attributes = int16(codec) }))
			if err != nil && strings.Contains(err.Error(), mark[:6]) {
				t.Fatalf("%s: an error quotes the record", codec)
			}
		}
	}
}
