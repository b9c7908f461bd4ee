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
	// snappyMaxRatio bounds what a snappy block may claim: its densest element
	// makes 64 bytes out of 3.
	snappyMaxRatio = 22
)

// decompressors holds the codecs' state between batches, made at first use.
type decompressors struct {
	src  bytes.Reader
	gzip *gzip.Reader
	lz4  *lz4.Reader
	zstd *zstd.Decoder
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
	if err := c.gzip.Reset(&c.src); err != nil {
		return nil, err
	}
	return readAll(dst, c.gzip, limit)
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

// unzstd decodes into one buffer (a frame's claimed window costs nothing then)
// and tries again with a larger one until the limit.
func (c *decompressors) unzstd(dst, src []byte, limit int) ([]byte, error) {
	if c.zstd == nil {
		dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(zstdMaxWindow))
		if err != nil {
			return nil, err
		}
		c.zstd = dec
	}
	if size := min(8*len(src), limit); cap(dst) < size {
		dst = make([]byte, 0, size)
	}
	for {
		if cap(dst) > limit {
			dst = dst[:0:limit]
		}
		out, err := c.zstd.DecodeAll(src, dst[:0])
		if err == nil || !errors.Is(err, zstd.ErrDecoderSizeExceeded) && !errors.Is(err, zstd.ErrWindowSizeExceeded) {
			return out, err
		}
		if cap(dst) >= limit || errors.Is(err, zstd.ErrWindowSizeExceeded) {
			return nil, ErrTooLarge
		}
		dst = grow(dst[:0], limit)
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
