package recordbatch

import (
	"bytes"
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

// Readdress appends raw, a batch as Next gave it, to dst with the header that its
// writer decides made new: offset 0, and the producer's fields of p. The records
// stay as they are, compressed or not. p's codec is ignored. It is for batches that
// Decoder.Verbatim allowed.
func Readdress(dst, raw []byte, p Params) []byte {
	start := len(dst)
	dst = append(dst, raw...)
	b := dst[start:]
	be := binary.BigEndian
	attributes := be.Uint16(b[atAttributes:]) &^ transactionalBit
	if p.Transactional {
		attributes |= transactionalBit
	}
	be.PutUint64(b, 0)
	be.PutUint32(b[atLeaderEpoch:], 1<<32-1) // -1: the broker's to set
	be.PutUint16(b[atAttributes:], attributes)
	be.PutUint64(b[atProducerID:], uint64(p.ProducerID))
	be.PutUint16(b[atProducerEpoch:], uint16(p.ProducerEpoch))
	be.PutUint32(b[atBaseSequence:], uint32(p.BaseSequence))
	be.PutUint32(b[atCRC:], checksum(b))
	return dst
}

// Verbatim reports whether the batch that was just decoded into records may be
// written again byte for byte (Readdress). It may not when it has something that a
// reader of its records does not see, and that nobody has looked at: comments and
// unused parts of the compression, attributes of records. Nor may it when a broker
// would refuse it: holes in the offsets, times that the broker gave.
func (d *Decoder) Verbatim(raw []byte, records []Record) bool {
	if d.attributes || len(records) == 0 || len(raw) < headerSize {
		return false
	}
	attributes := binary.BigEndian.Uint16(raw[atAttributes:])
	if attributes&^(codecMask|transactionalBit) != 0 {
		return false
	}
	base := int64(binary.BigEndian.Uint64(raw))
	for i := range records {
		if records[i].Offset != base+int64(i) {
			return false
		}
	}
	if int64(binary.BigEndian.Uint32(raw[atLastOffsetDelta:])) != int64(len(records)-1) {
		return false
	}
	payload := raw[headerSize:]
	switch Codec(attributes & codecMask) {
	case None:
		return true
	case Gzip:
		return d.codecs.gzipBare
	case Snappy:
		return !bytes.HasPrefix(payload, xerialMagic[:xerialMagicOnly]) || bytes.HasPrefix(payload, xerialMagic)
	case LZ4:
		return lz4Bare(payload)
	case Zstd:
		return zstdBare(payload)
	}
	return false
}

// zstdBare reports whether src is one frame (RFC 8878 §3.1.1) and nothing else.
func zstdBare(src []byte) bool {
	var h zstd.Header
	if err := h.Decode(src); err != nil || h.Skippable || h.DictionaryID != 0 || h.HeaderSize > len(src) {
		return false
	}
	_, rest, err := zstdBlocks(src[h.HeaderSize:])
	checksum := 0
	if h.HasCheckSum {
		checksum = 4
	}
	return err == nil && len(rest) == checksum
}

// lz4Bare reports whether src is one frame (LZ4 frame format 1.6) without optional
// fields in its header, and nothing else.
func lz4Bare(src []byte) bool {
	const (
		magic                                         = 0x184D2204
		headerLen                                     = 7
		dictionary, contentSum, contentSize, blockSum = 1 << 0, 1 << 2, 1 << 3, 1 << 4
		stored                                        = 1 << 31
	)
	if len(src) < headerLen || binary.LittleEndian.Uint32(src) != magic || src[4]&(dictionary|contentSize) != 0 {
		return false
	}
	behindBlock, behindAll := 0, 0
	if src[4]&blockSum != 0 {
		behindBlock = 4
	}
	if src[4]&contentSum != 0 {
		behindAll = 4
	}
	for src = src[headerLen:]; len(src) >= 4; {
		size := int(binary.LittleEndian.Uint32(src) &^ stored)
		src = src[4:]
		if size == 0 {
			return len(src) == behindAll
		}
		if size+behindBlock > len(src) {
			return false
		}
		src = src[size+behindBlock:]
	}
	return false
}
