// Package recordbatch reads and writes Kafka record batches, magic 2 (Kafka
// protocol guide, "Record Batch"), as bytes: it is pure and does no I/O.
//
// A fetch's record set is split by Next; PeekInfo reads a batch's header alone;
// a Decoder turns a batch into Records that point into its buffers; an Encoder
// writes Records as one batch with consecutive offsets.
//
// It must never trust a number that it reads (counts, lengths and sizes are
// bounded before memory is asked for), never take a null for an empty value,
// and never put a byte of a record into an error.
package recordbatch

import "errors"

// Codec is how a batch's records are compressed, as the low three bits of its
// attributes have it.
type Codec int8

// The codecs of Kafka.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

// String gives the name that Kafka's compression.type uses.
func (c Codec) String() string {
	switch c {
	case None:
		return "none"
	case Gzip:
		return "gzip"
	case Snappy:
		return "snappy"
	case LZ4:
		return "lz4"
	case Zstd:
		return "zstd"
	}
	return "unknown"
}

// What is wrong with a batch; for errors.Is.
var (
	// ErrShort: the record set ends inside its last batch, as fetches do.
	ErrShort = errors.New("record batch is cut off")
	// ErrMagic: a batch of another format than magic 2.
	ErrMagic = errors.New("record batch is not of magic 2")
	// ErrCRC: the CRC-32C of the header is not that of the bytes.
	ErrCRC = errors.New("record batch has a wrong checksum")
	// ErrCodec: a compression codec that Kafka does not have.
	ErrCodec = errors.New("record batch has an unknown compression codec")
	// ErrTooLarge: more bytes or records than the limits allow.
	ErrTooLarge = errors.New("record batch is over its limits")
	// ErrCorrupt: the batch contradicts itself.
	ErrCorrupt = errors.New("record batch is corrupt")
)

// Header is one header of a record. A nil Value is null, which is not the same
// as an empty one. Keys are never null.
type Header struct {
	Key, Value []byte
}

// Record is one record. A nil Key or Value is null (a null Value is a
// tombstone), which is not the same as an empty one.
type Record struct {
	Offset    int64
	Timestamp int64 // milliseconds since 1970; -1 when there is none
	Key       []byte
	Value     []byte
	Headers   []Header
}

// Info is what the header of a batch says.
type Info struct {
	BaseOffset int64
	// LastOffset is the offset of the batch's last record as it was written,
	// BaseOffset + lastOffsetDelta, even if compaction took that record away:
	// reading goes on at LastOffset + 1.
	LastOffset    int64
	LeaderEpoch   int32
	Codec         Codec
	Transactional bool
	// Control batches hold the broker's transaction markers, not records.
	Control       bool
	LogAppendTime bool
	MaxTimestamp  int64 // milliseconds
	ProducerID    int64 // -1 when there is none, as ProducerEpoch and BaseSequence
	ProducerEpoch int16
	BaseSequence  int32
	// Count is the number of records; 0 is legal, and so is one that is smaller
	// than the range of offsets (compaction).
	Count int32
	// Size is the batch's length on the wire, header included.
	Size int
}

// Limits bound what a Decoder accepts; zero fields take the defaults.
type Limits struct {
	// MaxDecompressed is the most bytes that the records of a batch may have
	// when decompressed; 64 MiB by default.
	MaxDecompressed int
	// MaxRecords is the most records, and the most headers of all records
	// together, that a batch may have; 1,048,576 by default.
	MaxRecords int
}

const (
	defaultMaxDecompressed = 64 << 20
	defaultMaxRecords      = 1 << 20
)

func (l Limits) withDefaults() Limits {
	if l.MaxDecompressed <= 0 {
		l.MaxDecompressed = defaultMaxDecompressed
	}
	if l.MaxRecords <= 0 {
		l.MaxRecords = defaultMaxRecords
	}
	return l
}

// EndMarker reads the record of a control batch (Kafka's
// EndTransactionMarker): whether the transaction of the batch's producer was
// committed or aborted. Not ok: another kind of control record.
func EndMarker(r Record) (committed, ok bool) {
	if len(r.Key) < 4 {
		return false, false
	}
	switch int16(uint16(r.Key[2])<<8 | uint16(r.Key[3])) {
	case 0:
		return false, true
	case 1:
		return true, true
	}
	return false, false
}
