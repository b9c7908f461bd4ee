package layer

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
)

// Bounds on what compressed data becomes: as many times its own length, and as many
// bytes. Logs and JSON shrink to a twentieth at best; what is made to be a bomb
// shrinks to a thousandth.
const (
	maxRatio    = 32
	maxInflated = 8 << 20
	inflateRoom = 1 << 10
)

// decompressor reads gzip data, or what begins as zlib data does.
func decompressor(data []byte) (io.Reader, error) {
	const deflate, check = 8, 31
	if len(data) > 1 && data[0]&15 == deflate && (int(data[0])<<8|int(data[1]))%check == 0 {
		return zlib.NewReader(bytes.NewReader(data))
	}
	in, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	in.Multistream(false)
	return in, nil
}

// Inflate appends to dst what gzip or zlib data (RFC 1952, RFC 1950) holds, as far as it can be read:
// the data may be cut. It reports false when there is more than the bounds let in.
func Inflate(dst, data []byte) ([]byte, bool) {
	in, err := decompressor(data)
	if err != nil {
		return dst, true
	}
	limit := min(maxInflated, len(data)*maxRatio+inflateRoom)
	out := bytes.NewBuffer(dst)
	n, _ := io.Copy(out, io.LimitReader(in, int64(limit)+1)) // cut data still has a beginning
	if n > int64(limit) {
		return out.Bytes()[:len(dst)+limit], false
	}
	return out.Bytes(), true
}
