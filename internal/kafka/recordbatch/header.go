package recordbatch

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// Places of the header's fields, in bytes from the start of the batch.
const (
	atLength          = 8
	atLeaderEpoch     = 12
	atMagic           = 16
	atCRC             = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atBaseSequence    = 53
	atCount           = 57
	headerSize        = 61

	lengthEnd = 12 // the length field counts the bytes behind itself
)

// Bits of the attributes.
const (
	codecMask             = 0x07
	logAppendTimeBit      = 0x08
	transactionalBit      = 0x10
	controlBit            = 0x20
	minRecordSize         = 7 // length, attributes, two deltas, three lengths: a byte each
	minHeaderSize         = 2
	currentMagic     byte = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Next splits the first batch off a fetch's record set. raw is a whole batch of
// any magic, rest what follows it; both point into set. The error is ErrShort
// when set ends before the batch does, and ErrCorrupt when the length makes no
// sense, in which case nothing behind it can be found either.
func Next(set []byte) (raw, rest []byte, err error) {
	if len(set) < lengthEnd {
		return nil, nil, ErrShort
	}
	length := int32(binary.BigEndian.Uint32(set[atLength:]))
	if length <= atMagic-lengthEnd {
		return nil, nil, fmt.Errorf("%w: length field is %d", ErrCorrupt, length)
	}
	if int64(len(set)) < lengthEnd+int64(length) {
		return nil, nil, ErrShort
	}
	end := lengthEnd + int(length)
	return set[:end:end], set[end:], nil
}

// PeekInfo reads the header of the batch that raw is, as Next gave it, and
// checks that it makes sense. It does not check the CRC (which covers neither
// BaseOffset nor LeaderEpoch), nor the codec, so that a batch that cannot be
// decoded still has its range of offsets. With ErrMagic, both offsets are those
// of the old format's offset field, which names the batch's last record.
func PeekInfo(raw []byte) (Info, error) {
	if len(raw) <= atMagic {
		return Info{}, fmt.Errorf("%w: %d bytes", ErrShort, len(raw))
	}
	in := Info{
		BaseOffset: int64(binary.BigEndian.Uint64(raw)),
		Size:       len(raw),
	}
	in.LastOffset = in.BaseOffset
	if raw[atMagic] != currentMagic {
		return in, fmt.Errorf("%w but of %d", ErrMagic, int8(raw[atMagic]))
	}
	if len(raw) < headerSize {
		return in, fmt.Errorf("%w: %d bytes, less than its header", ErrCorrupt, len(raw))
	}
	in.readFields(raw)
	return in, in.check(raw)
}

func (in *Info) readFields(raw []byte) {
	be := binary.BigEndian
	attributes := be.Uint16(raw[atAttributes:])
	in.LeaderEpoch = int32(be.Uint32(raw[atLeaderEpoch:]))
	in.Codec = Codec(attributes & codecMask)
	in.LogAppendTime = attributes&logAppendTimeBit != 0
	in.Transactional = attributes&transactionalBit != 0
	in.Control = attributes&controlBit != 0
	in.MaxTimestamp = int64(be.Uint64(raw[atMaxTimestamp:]))
	in.ProducerID = int64(be.Uint64(raw[atProducerID:]))
	in.ProducerEpoch = int16(be.Uint16(raw[atProducerEpoch:]))
	in.BaseSequence = int32(be.Uint32(raw[atBaseSequence:]))
	in.Count = int32(be.Uint32(raw[atCount:]))
}

// check completes the range of offsets and looks for contradictions.
func (in *Info) check(raw []byte) error {
	length := int64(int32(binary.BigEndian.Uint32(raw[atLength:])))
	delta := int32(binary.BigEndian.Uint32(raw[atLastOffsetDelta:]))
	if length != int64(len(raw)-lengthEnd) {
		return fmt.Errorf("%w: length field is %d in %d bytes", ErrCorrupt, length, len(raw))
	}
	if in.BaseOffset < 0 || delta < 0 || in.BaseOffset > math.MaxInt64-int64(delta) {
		return fmt.Errorf("%w: base offset %d, last offset delta %d", ErrCorrupt, in.BaseOffset, delta)
	}
	in.LastOffset = in.BaseOffset + int64(delta)
	if in.Count < 0 || int64(in.Count) > int64(delta)+1 {
		return fmt.Errorf("%w: %d records in %d offsets", ErrCorrupt, in.Count, int64(delta)+1)
	}
	return nil
}

func checksum(raw []byte) uint32 { return crc32.Checksum(raw[atAttributes:], castagnoli) }
