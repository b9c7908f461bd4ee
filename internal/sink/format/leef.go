package format

import (
	"strconv"
	"strings"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// leefText takes out what would end a value or a header: LEEF has no escape.
var leefText = strings.NewReplacer("\t", " ", "\r", " ", "\n", " ")

// LEEF renders a document as QRadar's Log Event Extended Format 2.0 with tabs
// between attributes.
func LEEF(r field.Record) []byte {
	var b strings.Builder
	b.WriteString("LEEF:2.0")
	for _, part := range []string{"leakveil", "leakveil", Version, signature(r), "x09"} {
		b.WriteString("|" + strings.ReplaceAll(leefText.Replace(field.Cut(part, maxValue)), "|", "_"))
	}
	b.WriteString("|devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX")
	b.WriteString("\tsev=" + strconv.FormatInt(min(10, max(1, r.Int("event.severity")/10)), 10))
	for _, f := range field.Fields() {
		value := trimmed(leefText.Replace(field.Cut(r.Text(f.Path), maxValue)))
		if f.LEEF != "" && value != "" {
			b.WriteString("\t" + f.LEEF + "=" + value)
		}
	}
	return []byte(b.String())
}
