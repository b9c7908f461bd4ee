package format

import (
	"strconv"
	"strings"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// Syslog is the part of an RFC 5424 message that does not depend on an alert.
type Syslog struct {
	// Facility is 0 to 23; 13 is log audit.
	Facility int
	// Host and App are printable ASCII without blanks, at most 255 and 48 bytes.
	Host, App string
	// ID is that of the structured data, as name@enterprise number.
	ID string
}

var syslogSeverity = map[string]int{"critical": 2, "high": 3, "medium": 4, "low": 5, "info": 6}

// structured are the fields in the structured data, by their LEEF names.
var structured = map[string]bool{
	"leakveil.alert.id": true, "leakveil.alert.sequence": true, "leakveil.kind": true, "leakveil.client.id": true, "leakveil.client.how": true,
}

var sdValue = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`, "\r", " ", "\n", " ")

// Message renders an RFC 5424 message around text, without a frame.
func (s Syslog) Message(r field.Record, text []byte) []byte {
	var b strings.Builder
	b.WriteString("<" + strconv.Itoa(s.Facility*8+syslogSeverity[r.Severity()]) + ">1 ")
	b.WriteString(made(r).Format("2006-01-02T15:04:05.000Z07:00"))
	b.WriteString(" " + printable(s.Host, 255) + " " + printable(s.App, 48) + " - " + printable(r.Text("event.action"), 32))
	empty := true // readers stumble over an element without parameters
	for _, f := range field.Fields() {
		if structured[f.Path] && r.Has(f.Path) {
			if empty {
				b.WriteString(" [" + s.ID)
				empty = false
			}
			b.WriteString(" " + f.LEEF + `="` + sdValue.Replace(field.Cut(r.Text(f.Path), maxValue)) + `"`)
		}
	}
	if empty {
		b.WriteString(" - ")
	} else {
		b.WriteString("] ")
	}
	b.Write(text)
	return []byte(b.String())
}

// printable is a header field: printable ASCII, "-" for nothing.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return -1
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), limit)]
}
