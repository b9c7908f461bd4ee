package recordbatch

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// maxRetained is the most memory that a Decoder keeps from one batch to the
// next for decompressed bytes.
const maxRetained = 8 << 20

// Decoder decodes batches one after the other and reuses its memory. It is not
// safe for concurrent use.
type Decoder struct {
	limits  Limits
	buf     []byte   // decompressed records
	headers []Header // of all records of the batch
	codecs  decompressors
	// attributes: a record of the batch has some, which magic 2 does not use.
	attributes bool
}

// NewDecoder makes a Decoder with limits.
func NewDecoder(limits Limits) *Decoder {
	return &Decoder{limits: limits.withDefaults()}
}

// Decode appends the records of the batch that raw is, as Next gave it, to dst.
// Records point into raw and into d, and are valid until the next Decode. The
// offsets may have holes; LogAppendTime batches give every record the batch's
// MaxTimestamp. Records of control batches are given too: see Info.Control and
// EndMarker. On an error dst is returned as it came, and Info holds what
// PeekInfo could tell.
func (d *Decoder) Decode(raw []byte, dst []Record) ([]Record, Info, error) {
	in, err := PeekInfo(raw)
	if err != nil {
		return dst, in, err
	}
	if got := binary.BigEndian.Uint32(raw[atCRC:]); got != checksum(raw) {
		return dst, in, ErrCRC
	}
	if in.Codec > Zstd {
		return dst, in, fmt.Errorf("%w: %d", ErrCodec, in.Codec)
	}
	if int64(in.Count) > int64(d.limits.MaxRecords) {
		return dst, in, fmt.Errorf("%w: %d records, at most %d", ErrTooLarge, in.Count, d.limits.MaxRecords)
	}
	payload, err := d.payload(in.Codec, raw[headerSize:])
	if err != nil {
		return dst, in, err
	}
	if int(in.Count) > len(payload)/minRecordSize {
		return dst, in, fmt.Errorf("%w: %d records in %d bytes", ErrCorrupt, in.Count, len(payload))
	}
	out, err := d.records(payload, in, int64(binary.BigEndian.Uint64(raw[atBaseTimestamp:])), dst)
	if err != nil {
		return dst, in, err
	}
	return out, in, nil
}

func (d *Decoder) payload(codec Codec, src []byte) ([]byte, error) {
	if cap(d.buf) > maxRetained {
		d.buf = nil
	}
	// Compaction leaves an empty batch with no payload, whatever its codec was.
	if codec == None || len(src) == 0 {
		if len(src) > d.limits.MaxDecompressed {
			return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(src), d.limits.MaxDecompressed)
		}
		return src, nil
	}
	out, err := d.codecs.decompress(codec, d.buf[:0], src, d.limits.MaxDecompressed)
	if err != nil {
		return nil, err
	}
	d.buf = out
	return out, nil
}

func (d *Decoder) records(payload []byte, in Info, baseTimestamp int64, dst []Record) ([]Record, error) {
	d.headers, d.attributes = d.headers[:0], false
	// A claimed count is no reason to ask for much memory at once.
	dst = slices.Grow(dst, min(int(in.Count), 1024))
	p := parser{buf: payload}
	for i := range in.Count {
		size := p.varint32()
		if p.bad || size < minRecordSize-1 || int(size) > len(p.buf) {
			return nil, fmt.Errorf("%w: length of record %d", ErrCorrupt, i)
		}
		one := parser{buf: p.buf[:size]}
		p.buf = p.buf[size:]
		rec, err := d.record(&one, in, baseTimestamp)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		dst = append(dst, rec)
	}
	if len(p.buf) != 0 {
		return nil, fmt.Errorf("%w: %d bytes behind the last record", ErrCorrupt, len(p.buf))
	}
	return dst, nil
}

func (d *Decoder) record(p *parser, in Info, baseTimestamp int64) (Record, error) {
	d.attributes = d.attributes || p.buf[0] != 0
	p.buf = p.buf[1:]
	timestampDelta := p.varint64()
	offsetDelta := p.varint32()
	rec := Record{
		Offset:    in.BaseOffset + int64(offsetDelta),
		Timestamp: baseTimestamp + timestampDelta,
		Key:       p.bytes(),
		Value:     p.bytes(),
	}
	count := p.varint32()
	if p.bad || offsetDelta < 0 || rec.Offset > in.LastOffset {
		return Record{}, fmt.Errorf("%w: its fields", ErrCorrupt)
	}
	if in.LogAppendTime {
		rec.Timestamp = in.MaxTimestamp
	}
	headers, err := d.recordHeaders(p, count)
	if err != nil {
		return Record{}, err
	}
	if len(p.buf) != 0 {
		return Record{}, fmt.Errorf("%w: %d bytes behind its headers", ErrCorrupt, len(p.buf))
	}
	rec.Headers = headers
	return rec, nil
}

func (d *Decoder) recordHeaders(p *parser, count int32) ([]Header, error) {
	if count < 0 || int(count) > len(p.buf)/minHeaderSize {
		return nil, fmt.Errorf("%w: %d headers in %d bytes", ErrCorrupt, count, len(p.buf))
	}
	if count == 0 {
		return nil, nil
	}
	if len(d.headers)+int(count) > d.limits.MaxRecords {
		return nil, fmt.Errorf("%w: more than %d headers", ErrTooLarge, d.limits.MaxRecords)
	}
	start := len(d.headers)
	for i := range count {
		h := Header{Key: p.bytes(), Value: p.bytes()}
		if p.bad || h.Key == nil {
			return nil, fmt.Errorf("%w: header %d", ErrCorrupt, i)
		}
		d.headers = append(d.headers, h)
	}
	return d.headers[start:len(d.headers):len(d.headers)], nil
}

// parser reads the fields of records off buf; bad stays set after the first
// field that is not there or makes no sense.
type parser struct {
	buf []byte
	bad bool
}

func (p *parser) varint64() int64 {
	v, n := binary.Varint(p.buf)
	if n <= 0 || p.bad {
		p.bad = true
		return 0
	}
	p.buf = p.buf[n:]
	return v
}

// varint32 takes at most five bytes whose value fits, as Kafka does.
func (p *parser) varint32() int32 {
	v, n := binary.Varint(p.buf)
	if n <= 0 || n > binary.MaxVarintLen32 || v < math.MinInt32 || v > math.MaxInt32 || p.bad {
		p.bad = true
		return 0
	}
	p.buf = p.buf[n:]
	return int32(v)
}

// bytes gives nil for null (length -1) and a non-nil slice otherwise.
func (p *parser) bytes() []byte {
	n := p.varint32()
	if p.bad || n < -1 || int(n) > len(p.buf) {
		p.bad = true
		return nil
	}
	if n == -1 {
		return nil
	}
	b := p.buf[:n:n]
	p.buf = p.buf[n:]
	return b
}
