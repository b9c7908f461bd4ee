package recordbatch

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// decoded decodes a batch and tells whether it may be written again as it is.
func decoded(t *testing.T, raw []byte) (records []Record, verbatim bool) {
	t.Helper()
	d := NewDecoder(Limits{})
	records, _, err := d.Decode(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return records, d.Verbatim(raw, records)
}

func TestReaddressKeepsThePayload(t *testing.T) {
	for _, codec := range allCodecs {
		t.Run(codec.String(), func(t *testing.T) {
			raw := encode(t, Params{Codec: codec, ProducerID: 7, ProducerEpoch: 1, BaseSequence: 5, Transactional: true}, sample())
			binary.BigEndian.PutUint64(raw, 4711) // the log's offset
			before, ok := decoded(t, raw)
			if !ok {
				t.Fatal("may not be written as it is")
			}
			out := Readdress([]byte("x"), raw, Params{ProducerID: 99, ProducerEpoch: 3, BaseSequence: 1000})[1:]
			if !bytes.Equal(out[headerSize:], raw[headerSize:]) {
				t.Error("the payload has changed")
			}
			after, info, err := NewDecoder(Limits{}).Decode(out, nil)
			if err != nil {
				t.Fatal(err)
			}
			if info.BaseOffset != 0 || info.Codec != codec || info.Transactional || info.ProducerID != 99 || info.ProducerEpoch != 3 || info.BaseSequence != 1000 || info.LeaderEpoch != -1 {
				t.Errorf("%+v", info)
			}
			if diff := cmp.Diff(numbered(before), numbered(after)); diff != "" {
				t.Error(diff)
			}
			if binary.BigEndian.Uint64(raw) != 4711 {
				t.Error("the batch that was read has changed")
			}
		})
	}
}

// single is a batch of one record.
func single(record []byte) []byte {
	return batch(record, func(b *kmsg.RecordBatch) { b.LastOffsetDelta = 0 })
}

// altered compresses one record as change likes it; plain is what is compressed.
func altered(codec Codec, change func(plain []byte) []byte) []byte {
	raw := single(record(0, []byte("value")))
	plain := bytes.Clone(raw[headerSize:])
	raw = append(raw[:headerSize:headerSize], change(plain)...)
	binary.BigEndian.PutUint32(raw[atLength:], uint32(len(raw)-lengthEnd))
	binary.BigEndian.PutUint16(raw[atAttributes:], uint16(codec))
	return seal(raw)
}

func zipped(plain []byte, h gzip.Header) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Header = h
	_, _ = w.Write(plain)
	_ = w.Close()
	return b.Bytes()
}

func lz4ed(plain []byte, options ...lz4.Option) []byte {
	var b bytes.Buffer
	w := lz4.NewWriter(&b)
	if err := w.Apply(options...); err != nil {
		panic(err)
	}
	_, _ = w.Write(plain)
	_ = w.Close()
	return b.Bytes()
}

func zstded(plain []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	defer w.Close()
	return w.EncodeAll(plain, nil)
}

// skippable is a frame that zstd and LZ4 readers pass over; its content is nobody's.
func skippable(text string) []byte {
	frame := binary.LittleEndian.AppendUint32(nil, 0x184D2A50)
	return append(binary.LittleEndian.AppendUint32(frame, uint32(len(text))), text...)
}

// What a reader of the records does not see was not scanned, so that it must not be
// written again; what a broker would refuse neither.
func TestVerbatimIsRefused(t *testing.T) {
	const hidden = "nobody has looked at this"
	cases := map[string][]byte{
		"gzip with a name":         altered(Gzip, func(p []byte) []byte { return zipped(p, gzip.Header{Name: hidden}) }),
		"gzip with a comment":      altered(Gzip, func(p []byte) []byte { return zipped(p, gzip.Header{Comment: hidden}) }),
		"gzip with an extra field": altered(Gzip, func(p []byte) []byte { return zipped(p, gzip.Header{Extra: []byte(hidden)}) }),
		"gzip of two members": altered(Gzip, func(p []byte) []byte {
			return append(zipped(p[:3], gzip.Header{}), zipped(p[3:], gzip.Header{Name: hidden})...)
		}),
		"gzip with an empty member": altered(Gzip, func(p []byte) []byte { return append(zipped(p, gzip.Header{}), zipped(nil, gzip.Header{})...) }),
		"zstd behind a skipped one": altered(Zstd, func(p []byte) []byte { return append(skippable(hidden), zstded(p)...) }),
		"zstd before a skipped one": altered(Zstd, func(p []byte) []byte { return append(zstded(p), skippable(hidden)...) }),
		"zstd of two frames":        altered(Zstd, func(p []byte) []byte { return append(zstded(p[:3]), zstded(p[3:])...) }),
		"lz4 with a content size":   altered(LZ4, func(p []byte) []byte { return lz4ed(p, lz4.SizeOption(uint64(len(p)))) }),
		"xerial of an odd version":  altered(Snappy, func(p []byte) []byte { b := appendXerial(nil, p); copy(b[8:], "hidden!!"); return b }),
		"attributes of a record":    altered(None, func(p []byte) []byte { p[1] = 1; return p }),
		"times of the broker":       seal(flag(single(record(0, []byte("v"))), logAppendTimeBit)),
		"a delete horizon":          seal(flag(single(record(0, []byte("v"))), 0x40)),
		"a control batch":           seal(flag(single(record(0, []byte("v"))), controlBit)),
		"a hole before the record":  seal(delta(single(record(1, []byte("v"))), 1)),
		"a hole behind the record":  seal(delta(single(record(0, []byte("v"))), 1)),
	}
	for name, raw := range cases {
		records, verbatim := decoded(t, raw)
		if verbatim || len(records) != 1 {
			t.Errorf("%s: %d records, may be written as it is: %t", name, len(records), verbatim)
		}
	}
	empty := encode(t, Plain(None), sample())
	if NewDecoder(Limits{}).Verbatim(empty, nil) {
		t.Error("without records")
	}
}

func flag(raw []byte, bit uint16) []byte {
	binary.BigEndian.PutUint16(raw[atAttributes:], binary.BigEndian.Uint16(raw[atAttributes:])|bit)
	return raw
}

func delta(raw []byte, last uint32) []byte {
	binary.BigEndian.PutUint32(raw[atLastOffsetDelta:], last)
	return raw
}

// The forms that other clients write are kept, with their checksums.
func TestVerbatimOfOtherWriters(t *testing.T) {
	cases := map[string][]byte{
		"gzip":                       altered(Gzip, func(p []byte) []byte { return zipped(p, gzip.Header{OS: 3}) }),
		"zstd":                       altered(Zstd, zstded),
		"lz4 with sums":              altered(LZ4, func(p []byte) []byte { return lz4ed(p, lz4.ChecksumOption(true), lz4.BlockChecksumOption(true)) }),
		"lz4 of more than one block": altered(LZ4, func(p []byte) []byte { return lz4ed(p, lz4.BlockSizeOption(lz4.Block64Kb)) }),
		"xerial":                     altered(Snappy, func(p []byte) []byte { return appendXerial(nil, p) }),
		"a bare snappy block":        altered(Snappy, func(p []byte) []byte { return appendXerial(nil, p)[len(xerialMagic)+4:] }),
	}
	for name, raw := range cases {
		if _, verbatim := decoded(t, raw); !verbatim {
			t.Errorf("%s is encoded again", name)
		}
	}
}

// A decoder tells about the batch that it decoded last.
func TestVerbatimForgetsTheBatchBefore(t *testing.T) {
	d := NewDecoder(Limits{})
	for _, want := range []bool{true, false, true} {
		raw := altered(Gzip, func(p []byte) []byte {
			if !want {
				p[1] = 1
			}
			return zipped(p, gzip.Header{})
		})
		records, _, err := d.Decode(raw, nil)
		if err != nil || d.Verbatim(raw, records) != want {
			t.Errorf("want %t: %v", want, err)
		}
	}
}
