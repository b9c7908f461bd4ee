package recordbatch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	minBuffer = 64 << 10
	// zstdMaxWindow is the window of zstd's highest level; decoding into one
	// buffer takes no memory for it.
	zstdMaxWindow = 128 << 20
	zstdMaxBlock  = 128 << 10 // RFC 8878 §3.1.1.2.4
	// snappyMaxRatio bounds what a snappy block may claim: its densest element
	// makes 64 bytes out of 3.
	snappyMaxRatio = 22
)

// decompressors holds the codecs' state between batches, made at first use.
type decompressors struct {
	src  bytes.Reader
	gzip *gzip.Reader
	// gzipBare: the last gzip was one member (RFC 1952) without optional fields.
	gzipBare bool
	lz4      *lz4.Reader
	zstd     *zstd.Decoder
}

// decompress writes what src decompresses to into dst, which it grows up to
// limit bytes. Errors do not carry the codecs' own texts: these are not ours to
// answer for.
func (c *decompressors) decompress(codec Codec, dst, src []byte, limit int) ([]byte, error) {
	c.src.Reset(src)
	defer c.src.Reset(nil)
	var (
		out []byte
		err error
	)
	switch codec {
	case Gzip:
		out, err = c.gunzip(dst, limit)
	case Snappy:
		out, err = unsnappy(dst, src, limit)
	case LZ4:
		out, err = c.unlz4(dst, limit)
	case Zstd:
		out, err = c.unzstd(dst, src, limit)
	default:
		return nil, fmt.Errorf("%w: %d", ErrCodec, codec)
	}
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, ErrTooLarge):
		return nil, fmt.Errorf("%w: %s decompresses to more than %d bytes", ErrTooLarge, codec, limit)
	}
	return nil, fmt.Errorf("%w: %s does not decompress", ErrCorrupt, codec)
}

func (c *decompressors) gunzip(dst []byte, limit int) ([]byte, error) {
	if c.gzip == nil {
		c.gzip = new(gzip.Reader)
	}
	for members := 1; ; members++ {
		if err := c.gzip.Reset(&c.src); err != nil {
			return nil, err
		}
		c.gzip.Multistream(false)
		h := &c.gzip.Header
		c.gzipBare = members == 1 && len(h.Extra) == 0 && h.Name == "" && h.Comment == ""
		var err error
		if dst, err = readAll(dst, c.gzip, limit); err != nil || c.src.Len() == 0 {
			return dst, err
		}
	}
}

func (c *decompressors) unlz4(dst []byte, limit int) ([]byte, error) {
	if c.lz4 == nil {
		c.lz4 = lz4.NewReader(nil)
	}
	c.lz4.Reset(&c.src)
	return readAll(dst, c.lz4, limit)
}

// readAll is io.ReadAll into dst with a limit on the memory it asks for.
func readAll(dst []byte, r io.Reader, limit int) ([]byte, error) {
	for {
		if len(dst) > limit {
			return nil, ErrTooLarge
		}
		if len(dst) == cap(dst) {
			dst = grow(dst, limit+1) // one more shows that the limit is passed
		}
		n, err := r.Read(dst[len(dst):min(cap(dst), limit+1)])
		dst = dst[:len(dst)+n]
		if err == io.EOF && len(dst) <= limit {
			return dst, nil
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
	}
}

// grow doubles dst, up to most bytes.
func grow(dst []byte, most int) []byte {
	size := min(max(2*cap(dst), minBuffer), most)
	return append(make([]byte, 0, size), dst...)
}

// unzstd decodes into one buffer, made beforehand: so a frame's claimed window
// costs nothing, and the decoder, whose error for a full buffer has no type, is
// known to have had room for all that the frames can hold.
func (c *decompressors) unzstd(dst, src []byte, limit int) ([]byte, error) {
	if c.zstd == nil {
		dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(zstdMaxWindow))
		if err != nil {
			return nil, err
		}
		c.zstd = dec
	}
	bound, err := zstdBound(src)
	if err != nil {
		return nil, err
	}
	size := min(bound, limit)
	if cap(dst) < size {
		dst = make([]byte, 0, size)
	}
	out, err := c.zstd.DecodeAll(src, dst[:0:size])
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || err != nil && bound > limit {
		return nil, ErrTooLarge
	}
	return out, err
}

// zstdBound walks the frames' block headers (RFC 8878 §3.1.1) and gives the most
// bytes that they can decompress to.
func zstdBound(src []byte) (int, error) {
	bound := 0
	for len(src) > 0 {
		var h zstd.Header
		if err := h.Decode(src); err != nil {
			return 0, err
		}
		if h.Skippable {
			end := int64(h.HeaderSize) + int64(h.SkippableSize)
			if end > int64(len(src)) {
				return 0, ErrCorrupt
			}
			src = src[end:]
			continue
		}
		blocks, rest, err := zstdBlocks(src[h.HeaderSize:])
		if err != nil {
			return 0, err
		}
		if h.HasFCS && h.FrameContentSize < uint64(blocks) {
			blocks = int(h.FrameContentSize)
		}
		bound += blocks
		if h.HasCheckSum {
			if len(rest) < 4 {
				return 0, ErrCorrupt
			}
			rest = rest[4:]
		}
		src = rest
	}
	return bound, nil
}

// zstdBlocks gives the bound of one frame's blocks and what stands behind them.
func zstdBlocks(src []byte) (bound int, rest []byte, err error) {
	const headerLen, raw, runLength = 3, 0, 1
	for {
		if len(src) < headerLen {
			return 0, nil, ErrCorrupt
		}
		header := int(src[0]) | int(src[1])<<8 | int(src[2])<<16
		last, kind, size := header&1 == 1, header>>1&3, header>>3
		src = src[headerLen:]
		stored := size
		switch kind {
		case raw:
			bound += size
		case runLength:
			bound, stored = bound+size, 1
		default:
			bound += zstdMaxBlock
		}
		if stored > len(src) {
			return 0, nil, ErrCorrupt
		}
		src = src[stored:]
		if last {
			return bound, src, nil
		}
	}
}

// xerialMagic opens the framing of Java's SnappyOutputStream: magic, version,
// lowest compatible version, then blocks of a length (int32) and a snappy block.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1}

const xerialMagicOnly = 8 // magic without the versions

// unsnappy reads both framings that clients write: xerial and a bare block.
func unsnappy(dst, src []byte, limit int) ([]byte, error) {
	if !bytes.HasPrefix(src, xerialMagic[:xerialMagicOnly]) {
		return appendSnappyBlock(dst, src, limit)
	}
	if len(src) < len(xerialMagic) {
		return nil, ErrCorrupt
	}
	src = src[len(xerialMagic):]
	for len(src) > 0 {
		if len(src) < 4 {
			return nil, ErrCorrupt
		}
		size := int64(binary.BigEndian.Uint32(src))
		src = src[4:]
		if size > int64(len(src)) {
			return nil, ErrCorrupt
		}
		var err error
		if dst, err = appendSnappyBlock(dst, src[:size], limit); err != nil {
			return nil, err
		}
		src = src[size:]
	}
	return dst, nil
}

func appendSnappyBlock(dst, block []byte, limit int) ([]byte, error) {
	size, err := s2.DecodedLen(block)
	if err != nil {
		return nil, err
	}
	if size > limit-len(dst) {
		return nil, ErrTooLarge
	}
	if size > snappyMaxRatio*len(block) {
		return nil, ErrCorrupt
	}
	for cap(dst)-len(dst) < size {
		dst = grow(dst, limit)
	}
	start, end := len(dst), len(dst)+size
	if _, err := s2.Decode(dst[start:end:end], block); err != nil {
		return nil, err
	}
	return dst[:end], nil
}
