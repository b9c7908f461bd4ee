package recordbatch

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode: no input may panic or pass the limits, and what decodes can be
// encoded and decoded again.
func FuzzDecode(f *testing.F) {
	for _, codec := range allCodecs {
		f.Add(encode(f, Plain(codec), sample()[:3]))
	}
	limits := Limits{MaxDecompressed: 1 << 20, MaxRecords: 1000}
	var c pair
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, rest, err := Next(data)
		if err != nil {
			return
		}
		if len(raw)+len(rest) != len(data) {
			t.Fatalf("%d and %d bytes of %d", len(raw), len(rest), len(data))
		}
		if len(raw) >= headerSize {
			raw = seal(bytes.Clone(raw)) // else the checksum keeps all else unseen
		}
		d := NewDecoder(limits)
		recs, in, err := d.Decode(raw, nil)
		if err != nil {
			known := []error{ErrShort, ErrMagic, ErrCRC, ErrCodec, ErrTooLarge, ErrCorrupt}
			for _, k := range known {
				if errors.Is(err, k) {
					return
				}
			}
			t.Fatalf("an error of no kind: %v", err)
		}
		if len(recs) != int(in.Count) || in.LastOffset < in.BaseOffset {
			t.Fatalf("%d records: %+v", len(recs), in)
		}
		for i := range recs {
			if recs[i].Offset < in.BaseOffset || recs[i].Offset > in.LastOffset {
				t.Fatalf("record %d at %d: %+v", i, recs[i].Offset, in)
			}
		}
		if d.Verbatim(raw, recs) {
			readdressed(t, raw, recs)
		}
		if len(recs) > 0 {
			c.again(t, in.Codec, recs)
		}
	})
}

// readdressed wants the same records of a batch that is written as it came.
func readdressed(t *testing.T, raw []byte, recs []Record) {
	t.Helper()
	out := Readdress(nil, raw, Params{ProducerID: 1})
	got, in, err := NewDecoder(Limits{}).Decode(out, nil)
	if err != nil || in.BaseOffset != 0 || len(got) != len(recs) {
		t.Fatalf("%d of %d records, %v", len(got), len(recs), err)
	}
	for i := range got {
		if !bytes.Equal(got[i].Key, recs[i].Key) || !bytes.Equal(got[i].Value, recs[i].Value) ||
			got[i].Timestamp != recs[i].Timestamp || len(got[i].Headers) != len(recs[i].Headers) {
			t.Fatalf("record %d has changed", i)
		}
	}
}

// pair is reused from one input to the next, as it is in use.
type pair struct {
	encoder Encoder
	decoder *Decoder
}

func (c *pair) again(t *testing.T, codec Codec, recs []Record) {
	t.Helper()
	if c.decoder == nil {
		c.decoder = NewDecoder(Limits{})
	}
	raw, err := c.encoder.Encode(nil, Plain(codec), recs)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := c.decoder.Decode(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(numbered(recs), got); diff != "" {
		t.Fatal(diff)
	}
}

// FuzzRoundTrip: what is encoded is what is decoded, whatever the codec.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int8(0), int64(0), []byte("key"), []byte("value"), []byte("header"), uint8(0))
	f.Add(int8(4), int64(-1), []byte{}, []byte{}, []byte{}, uint8(7))
	var c pair
	f.Fuzz(func(t *testing.T, codec int8, timestamp int64, key, value, header []byte, nulls uint8) {
		null := func(bit uint8, b []byte) []byte {
			if nulls&bit != 0 {
				return nil
			}
			return append([]byte{}, b...)
		}
		recs := []Record{
			{Timestamp: timestamp, Key: null(1, key), Value: null(2, value)},
			{Timestamp: -timestamp, Key: null(2, value), Value: null(1, key), Headers: []Header{
				{Key: append([]byte{}, header...), Value: null(4, value)},
			}},
		}
		c.again(t, Codec(uint8(codec)%5), recs)
	})
}
