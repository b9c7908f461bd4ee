package recordbatch

import "encoding/binary"

// Overhead is what a batch needs besides its records, in bytes.
const Overhead = headerSize

// MaxSize is the most bytes that r takes in a batch, before compression.
func MaxSize(r *Record) int {
	// Length, attributes, timestamp delta, offset delta, count of headers.
	size := binary.MaxVarintLen32 + 1 + binary.MaxVarintLen64 + binary.MaxVarintLen32 + binary.MaxVarintLen32
	size += bytesSize(r.Key) + bytesSize(r.Value)
	for i := range r.Headers {
		size += bytesSize(r.Headers[i].Key) + bytesSize(r.Headers[i].Value)
	}
	return size
}

// Split cuts recs, in order, into the fewest runs that each fit, uncompressed,
// in a batch of maxBytes. A record that does not fit by itself is a run of its
// own. The runs share recs's memory. maxBytes <= 0 means no limit.
func Split(recs []Record, maxBytes int) [][]Record {
	if len(recs) == 0 {
		return nil
	}
	if maxBytes <= 0 {
		return [][]Record{recs}
	}
	var runs [][]Record
	start, size := 0, Overhead
	for i := range recs {
		n := MaxSize(&recs[i])
		if i > start && size+n > maxBytes {
			runs = append(runs, recs[start:i:i])
			start, size = i, Overhead
		}
		size += n
	}
	return append(runs, recs[start:])
}
