package recordbatch

import (
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	// xerialBlock is the block size of Java's SnappyOutputStream.
	xerialBlock = 32 << 10
	// zstdWindow is about the size of a batch; a larger one costs memory alone.
	zstdWindow = 1 << 20
)

// compressors holds the codecs' state between batches, made at first use.
type compressors struct {
	out  appender
	gzip *gzip.Writer
	lz4  *lz4.Writer
	zstd *zstd.Encoder
}

// appender is an io.Writer onto a slice.
type appender struct{ buf []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.buf = append(a.buf, p...)
	return len(p), nil
}

// compress appends src, compressed, to dst.
func (c *compressors) compress(codec Codec, dst, src []byte) ([]byte, error) {
	switch codec {
	case Gzip:
		if c.gzip == nil {
			c.gzip = gzip.NewWriter(nil)
		}
		c.gzip.Reset(&c.out)
		return c.stream(c.gzip, dst, src)
	case Snappy:
		return appendXerial(dst, src), nil
	case LZ4:
		if err := c.resetLZ4(); err != nil {
			return nil, err
		}
		return c.stream(c.lz4, dst, src)
	case Zstd:
		if c.zstd == nil {
			enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(zstdWindow), zstd.WithZeroFrames(true))
			if err != nil {
				return nil, err
			}
			c.zstd = enc
		}
		return c.zstd.EncodeAll(src, dst), nil
	}
	return nil, fmt.Errorf("%w: %d", ErrCodec, codec)
}

// resetLZ4 writes frames as Java's producer does: independent blocks of 64 KiB,
// no checksum of the content (the batch has its CRC).
func (c *compressors) resetLZ4() error {
	if c.lz4 == nil {
		c.lz4 = lz4.NewWriter(nil)
		if err := c.lz4.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false)); err != nil {
			return err
		}
	}
	c.lz4.Reset(&c.out)
	return nil
}

func (c *compressors) stream(w interface {
	Write([]byte) (int, error)
	Close() error
}, dst, src []byte) ([]byte, error) {
	c.out.buf = dst
	defer func() { c.out.buf = nil }()
	if _, err := w.Write(src); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return c.out.buf, nil
}

func appendXerial(dst, src []byte) []byte {
	dst = append(dst, xerialMagic...)
	for len(src) > 0 {
		n := min(len(src), xerialBlock)
		at := len(dst)
		room := 4 + s2.MaxEncodedLen(n)
		dst = append(dst, make([]byte, room)...)
		block := s2.EncodeSnappy(dst[at+4:], src[:n])
		binary.BigEndian.PutUint32(dst[at:], uint32(len(block)))
		dst = dst[:at+4+len(block)]
		src = src[n:]
	}
	return dst
}
