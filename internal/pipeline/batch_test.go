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
