package gateway_test

import "encoding/binary"

// nested is a request of logs whose body nests values as deep as size bytes allow: fields
// are those that lead from a value to the next inside it.
func nested(size int, fields ...byte) []byte {
	const around = 64 // bytes of what stands around the body, at most
	var lengths []int
	n := 0
	for n < size-around {
		for range fields {
			lengths = append(lengths, n)
			n += 1 + len(binary.AppendUvarint(nil, uint64(n)))
		}
	}
	out := make([]byte, 0, n+around)
	put := func(field byte, length int) {
		out = binary.AppendUvarint(append(out, field<<3|2), uint64(length))
	}
	record := n + 1 + len(binary.AppendUvarint(nil, uint64(n)))
	scope := record + 1 + len(binary.AppendUvarint(nil, uint64(record)))
	resource := scope + 1 + len(binary.AppendUvarint(nil, uint64(scope)))
	put(1, resource)
	put(2, scope)
	put(2, record)
	put(5, n)
	for i := len(lengths) - 1; i >= 0; i-- {
		put(fields[(len(lengths)-1-i)%len(fields)], lengths[i])
	}
	return out
}
