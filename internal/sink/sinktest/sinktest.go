// Package sinktest has what the tests of sinks share: real alert documents with
// client ids as an attacker would choose them, and a receiver that quotes what it
// was sent. It must be imported by tests alone.
package sinktest

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
)

// HostileClients are client ids that break formats which do not escape.
var HostileClients = []string{
	"spa-bank", "", " ", "a|b", "a=b", `a\b`, `a\\`, `a"b`, "a]b", `a\]b`, "a\r\nCEF:0|x|x|x|x|x|9|", "a\nb", "a\tb", "a^b",
	"a\x00b", "a\u2028b", "a\u202eb", "\xff\xfe", strings.Repeat("long", 25_000), strings.Repeat("ü", 300), "0x09", "cs1=x cs1Label=y",
	`{"a":1}`, `</script><script>`, "${jndi:ldap://x}", "{{.}}", "%s%n", "=cmd|' /C calc'!A0", "<13>1 - - - - - -", "日本語🔐",
	"a b  c   d", "key=value other=value", `\n\r\t`, `a\`, "|", "=", `\`, "]", `"`, ",", "'", "`", "😀", "a,b", "x@y.z",
}

// Secret returns a random value, of the form of a code_verifier.
func Secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

var start = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// Fold returns the documents of n alerts of as many clients' detections.
func Fold(t testing.TB, detections ...event.Detection) (docs []sink.Item) {
	t.Helper()
	key := []byte("a key for alert ids, of 32 bytes")
	fold, err := alert.NewFold(alert.Config{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range detections {
		d.ID = alert.DetectionID(key, d.Where, d.Rule)
		fold.Add(int64(i), d.Time.Add(time.Second), d)
	}
	for _, a := range fold.Changed() {
		doc := alert.MarshalAlert(a)
		r, err := field.Parse(doc)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, sink.Item{ID: r.ID(), Document: doc})
	}
	return docs
}

// Detection returns a detection of the client at offset n.
func Detection(client string, n int) event.Detection {
	fingerprint := make([]byte, 16)
	_, _ = rand.Read(fingerprint)
	c := event.Client{ID: client, How: event.SameRecord, Confidence: "certain"}
	if client == "" {
		c = event.Client{How: event.Ambiguous, Candidates: []string{"app-a", "app|b"}}
	}
	return event.Detection{
		Time: start.Add(time.Duration(n) * time.Millisecond), Kind: "code_verifier", Rule: "pkce-verifier", Severity: "medium", Confidence: "certain",
		Client: c, Fingerprint: base64.RawURLEncoding.EncodeToString(fingerprint), KeyID: "k1",
		Where:   event.Where{Topic: "app-logs", Partition: 3, Offset: int64(n), Field: "value", Start: 18, End: 61},
		Service: "login", Region: "eu-west-1", Action: "mask",
	}
}

// Items returns n alerts of one client each.
func Items(t testing.TB, n int) []sink.Item {
	t.Helper()
	var all []event.Detection
	for i := range n {
		all = append(all, Detection("client-"+base64.RawURLEncoding.EncodeToString([]byte{byte(i >> 8), byte(i)}), i))
	}
	return Fold(t, all...)
}

// digest returns a digest that names HostileClients.
func digest() sink.Item {
	d := alert.Digest{
		ID: "AAAAAAAAAAAAAAAAAAAAAB", From: start, Until: start.Add(time.Hour), Alerts: 70, Detections: 90, Severity: "high",
		Reasons: map[string]int64{"global_rate": 70}, Kinds: map[string]int64{"jwt": 60, "password": 10}, Severities: map[string]int64{"high": 70},
		Others: 3, AlertIDs: []string{"AAAAAAAAAAAAAAAAAAAAAC"},
	}
	for i, client := range HostileClients {
		d.Clients = append(d.Clients, alert.ClientCount{Client: client, Alerts: int64(i + 1)})
	}
	return sink.Item{ID: d.ID, Document: alert.MarshalDigest(d)}
}

// Hostile returns an alert for each of HostileClients, one skipped batch and one
// digest.
func Hostile(t testing.TB) []sink.Item {
	t.Helper()
	var all []event.Detection
	for i, client := range HostileClients {
		d := Detection(client, i)
		d.Service, d.Region = client, client
		all = append(all, d)
		d = Detection(client, i)
		d.Where = event.Where{File: "/var/log/" + client, Line: int64(i), Start: 1, End: 44}
		all = append(all, d)
	}
	items := Fold(t, all...)
	skipped := alert.MarshalSkipped(alert.Skipped{
		ID: "AAAAAAAAAAAAAAAAAAAAAA", Topic: "app-logs", Partition: 1, First: 5, Last: 9, Reason: "crc", At: start,
	})
	return append(items, sink.Item{ID: "AAAAAAAAAAAAAAAAAAAAAA", Document: skipped}, digest())
}
