package detect

import (
	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// Finding is a confirmed value. It says where a secret is, never what it is.
// Offsets are in the batch's arena.
type Finding struct {
	// Start and End bound the smallest range that a mask replaces.
	Start, End int
	// Blob is the start of the base64 blob that the value is the tail of; equal
	// to Start elsewhere.
	Blob int
	// Segment is the segment's number, -1 when the batch is lines; Low and High
	// are its bounds.
	Segment   int
	Low, High int
	// RecordLow and RecordHigh bound the whole record.
	RecordLow, RecordHigh int
	// KeyStart is where the key, prefix or scheme begins.
	KeyStart int
	// Form says how the value is written.
	Form layer.Form
	// Inside are the findings of a base64 blob, by their offsets in its decoded
	// text. The finding is then the blob: its rule is that of the most severe one.
	Inside []Finding

	Rule       *rules.Rule
	Kind       rules.Kind
	Confidence rules.Confidence
	// Repeat marks the same value found again in its record by its bytes alone.
	Repeat bool
	// Truncated marks a value of which only the beginning is there: a mark (…, ...)
	// stands where it would go on, or its record ends too early.
	Truncated bool
	// Lines is the number of further lines that the value goes on over. What stands
	// on each of them is a finding of its own, marked as Part, since each line gets
	// its own mask; it counts as one with the finding before it.
	Lines int
	Part  bool
	// Dump says where in a dump in hexadecimal the finding stands, when its form has a
	// Fill: what is masked is then one column of one row.
	Dump Dump
}

// Value appends the fully decoded value of f to dst: what is fingerprinted.
func (f *Finding) Value(dst, arena []byte) []byte {
	if f.Form.Fill != layer.NoFill {
		return f.Dump.value(dst, arena)
	}
	if len(f.Inside) == 0 {
		return f.Form.Decode(dst, arena[f.Blob:f.End])
	}
	text := f.Form.Decode(nil, arena[f.Blob:f.End])
	defer clear(text[:cap(text)])
	for i := range f.Inside {
		if f.Inside[i].Rule == f.Rule {
			return f.Inside[i].Value(dst, text)
		}
	}
	return append(dst, text...)
}

// Observation is what a trigger of another role than secret found: a public
// fact. Start and End bound the value in the arena.
type Observation struct {
	Rule       *rules.Rule
	Start, End int
	Segment    int
	RecordLow  int
	RecordHigh int
}
