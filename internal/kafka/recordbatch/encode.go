package recordbatch

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Params are the fields of a batch's header that its writer decides.
type Params struct {
	Codec Codec
	// ProducerID, ProducerEpoch and BaseSequence are those of an idempotent
	// producer; all -1 for none (Plain).
	ProducerID    int64
	ProducerEpoch int16
	BaseSequence  int32
	Transactional bool
}

// Plain gives the Params of a batch that no idempotent producer writes.
func Plain(codec Codec) Params {
	return Params{Codec: codec, ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}
}

// Encoder encodes batches one after the other and reuses its memory. The zero
// Encoder is ready. It is not safe for concurrent use.
type Encoder struct {
	buf    []byte // records before compression
	codecs compressors
}

// Encode appends recs as one batch to dst. Offsets count from 0, whatever
// Record.Offset says: the broker gives the real ones. The base timestamp is the
// first record's. The error is ErrTooLarge when the batch does not fit in the
// format's 31-bit lengths, ErrCodec for an unknown codec, ErrCorrupt for no
// records or a header without a key; dst is returned as it came then.
func (e *Encoder) Encode(dst []byte, p Params, recs []Record) ([]byte, error) {
	if err := checkRecords(p, recs); err != nil {
		return dst, err
	}
	start := len(dst)
	out := append(dst, make([]byte, headerSize)...)
	base, most := recs[0].Timestamp, recs[0].Timestamp
	for i := range recs {
		most = max(most, recs[i].Timestamp)
	}
	var err error
	if p.Codec == None {
		out = appendRecords(out, base, recs)
	} else {
		e.buf = appendRecords(e.buf[:0], base, recs)
		if out, err = e.codecs.compress(p.Codec, out, e.buf); err != nil {
			return dst, fmt.Errorf("compress %d records with %s: %w", len(recs), p.Codec, err)
		}
		if cap(e.buf) > maxRetained {
			e.buf = nil
		}
	}
	batch := out[start:]
	if len(batch) > math.MaxInt32 {
		return dst, fmt.Errorf("%w: batch of %d bytes", ErrTooLarge, len(batch))
	}
	putHeader(batch, p, len(recs), base, most)
	return out, nil
}

func checkRecords(p Params, recs []Record) error {
	if p.Codec < None || p.Codec > Zstd {
		return fmt.Errorf("%w: %d", ErrCodec, p.Codec)
	}
	if len(recs) == 0 {
		return fmt.Errorf("%w: no records to encode", ErrCorrupt)
	}
	total := int64(headerSize)
	for i := range recs {
		total += int64(MaxSize(&recs[i]))
		for j := range recs[i].Headers {
			if recs[i].Headers[j].Key == nil {
				return fmt.Errorf("%w: record %d: header %d has no key", ErrCorrupt, i, j)
			}
		}
	}
	if total > math.MaxInt32 {
		return fmt.Errorf("%w: up to %d bytes before compression", ErrTooLarge, total)
	}
	return nil
}

func putHeader(b []byte, p Params, count int, base, most int64) {
	be := binary.BigEndian
	attributes := uint16(p.Codec)
	if p.Transactional {
		attributes |= transactionalBit
	}
	be.PutUint64(b, 0)
	be.PutUint32(b[atLength:], uint32(len(b)-lengthEnd))
	be.PutUint32(b[atLeaderEpoch:], math.MaxUint32) // -1: the broker's to set
	b[atMagic] = currentMagic
	be.PutUint16(b[atAttributes:], attributes)
	be.PutUint32(b[atLastOffsetDelta:], uint32(count-1))
	be.PutUint64(b[atBaseTimestamp:], uint64(base))
	be.PutUint64(b[atMaxTimestamp:], uint64(most))
	be.PutUint64(b[atProducerID:], uint64(p.ProducerID))
	be.PutUint16(b[atProducerEpoch:], uint16(p.ProducerEpoch))
	be.PutUint32(b[atBaseSequence:], uint32(p.BaseSequence))
	be.PutUint32(b[atCount:], uint32(count))
	be.PutUint32(b[atCRC:], checksum(b))
}

func appendRecords(dst []byte, base int64, recs []Record) []byte {
	for i := range recs {
		dst = appendRecord(dst, int64(i), recs[i].Timestamp-base, &recs[i])
	}
	return dst
}

func appendRecord(dst []byte, offsetDelta, timestampDelta int64, r *Record) []byte {
	size := 1 + varintSize(timestampDelta) + varintSize(offsetDelta) +
		bytesSize(r.Key) + bytesSize(r.Value) + varintSize(int64(len(r.Headers)))
	for i := range r.Headers {
		size += bytesSize(r.Headers[i].Key) + bytesSize(r.Headers[i].Value)
	}
	dst = binary.AppendVarint(dst, int64(size))
	dst = append(dst, 0)
	dst = binary.AppendVarint(dst, timestampDelta)
	dst = binary.AppendVarint(dst, offsetDelta)
	dst = appendBytes(dst, r.Key)
	dst = appendBytes(dst, r.Value)
	dst = binary.AppendVarint(dst, int64(len(r.Headers)))
	for i := range r.Headers {
		dst = appendBytes(dst, r.Headers[i].Key)
		dst = appendBytes(dst, r.Headers[i].Value)
	}
	return dst
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return binary.AppendVarint(dst, -1)
	}
	dst = binary.AppendVarint(dst, int64(len(b)))
	return append(dst, b...)
}

func bytesSize(b []byte) int {
	if b == nil {
		return 1
	}
	return varintSize(int64(len(b))) + len(b)
}

func varintSize(v int64) int {
	n := 1
	for u := uint64(v)<<1 ^ uint64(v>>63); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}
