package pipeline

import (
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
)

// inside returns the spans of what a base64 blob holds, and what is done with the
// blob: the record is dropped when one of the kinds drops it, and the blob is left
// alone when all are.
func (w *Worker) inside(arena []byte, f *detect.Finding) ([]redact.Span, redact.Action) {
	if len(f.Inside) == 0 {
		return nil, ""
	}
	text := f.Form.Decode(nil, arena[f.Blob:f.End])
	defer clear(text[:cap(text)])
	spans := make([]redact.Span, 0, len(f.Inside))
	action := redact.ActionReport
	for i := range f.Inside {
		in := &f.Inside[i]
		value := in.Value(nil, text)
		span := redact.Span{Start: in.Start, End: in.End, Blob: in.Blob, Kind: in.Kind, Form: in.Form, Fingerprint: w.prints.Of(value)}
		clear(value[:cap(value)])
		own := w.masks.Action(in.Kind)
		if len(in.Inside) > 0 {
			span.Inside, own = w.inside(text, in)
		}
		if action != redact.ActionDropRecord && own != redact.ActionReport {
			action = own
		}
		spans = append(spans, span)
	}
	return spans, action
}
