package format_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/format"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
)

// Whatever a client or a host is called, a strict parser reads the message, and
// the structured data says what was put in.
func FuzzSyslog(f *testing.F) {
	for _, client := range sinktest.HostileClients {
		f.Add(client, client, client)
	}
	f.Fuzz(func(t *testing.T, client, host, app string) {
		item := sinktest.Fold(t, sinktest.Detection(client, 1))[0]
		r := record(t, item)
		message := format.Syslog{Facility: 13, Host: host, App: app, ID: "leakveil@32473"}.Message(r, item.Document)
		if !utf8.Valid(message) || strings.ContainsAny(string(message), "\r\n") {
			t.Fatalf("%q", message)
		}
		parsed, err := rfc5424.NewParser(rfc5424.WithCompliantMsg()).Parse(message)
		if err != nil {
			t.Fatalf("%v: %s", err, message)
		}
		m := parsed.(*rfc5424.SyslogMessage)
		data := (*m.StructuredData)["leakveil@32473"]
		want := strings.NewReplacer("\r", " ", "\n", " ").Replace(field.Cut(r.Text("leakveil.client.id"), 1023))
		if data["oauthClientId"] != want || *m.Message != string(item.Document) {
			t.Fatalf("%q, not %q", data["oauthClientId"], want)
		}
	})
}
