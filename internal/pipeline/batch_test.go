package pipeline

import "github.com/leakveil/leakveil/detect"

// newBatch gathers texts, each a record.
func newBatch(texts ...string) *detect.Batch {
	b := &detect.Batch{}
	b.Reset()
	for i, text := range texts {
		b.AddText(i, []byte(text))
	}
	return b
}

// masked is what becomes of a text made of lines.
func (w *Worker) masked(text []byte) *Lines {
	l := &Lines{}
	w.Lines(l, text)
	return l
}
