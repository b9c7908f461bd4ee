package format

import (
	"strconv"
	"strings"

	"github.com/leakveil/leakveil/internal/sink/field"
)

var (
	cefHeader = strings.NewReplacer(`\`, `\\`, `|`, `\|`, "\r", " ", "\n", " ")
	cefValue  = strings.NewReplacer(`\`, `\\`, `=`, `\=`, "\r", `\r`, "\n", `\n`)
)

// CEF renders a document as ArcSight's Common Event Format, version 0.
func CEF(r field.Record) []byte {
	var b strings.Builder
	b.WriteString("CEF:0")
	for _, part := range []string{"leakveil", "leakveil", Version, signature(r), r.Title(), strconv.FormatInt(r.Int("event.severity")/10, 10)} {
		b.WriteString("|" + cefHeader.Replace(field.Cut(part, maxValue)))
	}
	b.WriteByte('|')
	between := ""
	for _, f := range field.Fields() {
		value := cefText(f, r)
		if f.CEF == "" || value == "" {
			continue
		}
		if f.Label != "" {
			b.WriteString(between + f.CEF + "Label=" + f.Label)
			between = " "
		}
		b.WriteString(between + f.CEF + "=" + cefValue.Replace(value))
		between = " "
	}
	return []byte(b.String())
}

// signature is the rule, or what happened where there is none.
func signature(r field.Record) string {
	if rule := r.Text("rule.id"); rule != "" {
		return rule
	}
	return r.Text("event.action")
}

// cefText is a field's value: times in milliseconds since 1970, lists with commas.
func cefText(f field.Field, r field.Record) string {
	if f.Type == field.Date && r.Has(f.Path) {
		return strconv.FormatInt(r.Time(f.Path).UnixMilli(), 10)
	}
	return trimmed(field.Cut(r.Text(f.Path), maxValue))
}

// trimmed is s without blanks at its ends: parsers drop those of a value, and a
// value of blanks alone is none.
func trimmed(s string) string { return strings.TrimSpace(s) }
