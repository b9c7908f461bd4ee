package build_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// generator makes documents of hostile text, the same ones for the same seed.
type generator struct {
	t      testing.TB
	random *rand.Rand
	worker *pipeline.Worker
	n      int
	// marker begins every secret that is planted in the records behind the documents.
	marker string
}

func newGenerator(t testing.TB, seed uint64) *generator {
	t.Helper()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.CompileWith(detect.Options{Engine: detect.Auto}, set)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pipeline.NewWorker(pipeline.Options{Database: db, Key: redact.RandomKey(), Attribute: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return &generator{t: t, random: rand.New(rand.NewPCG(seed, 1)), worker: w, marker: sinktest.Secret()[:12]}
}

// pieces are what texts are made of, besides whole hostile client ids.
var pieces = []string{
	"|", "=", `\`, `"`, "'", "]", "[", "{", "}", "\r", "\n", "\r\n", "\t", " ", "  ", "\x00", "\x1b[31m", "\x7f", "\u0085", "\u2028", "\u2029", "\u202e",
	"\ufeff", "\ufffd", "\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "é", "ü", "日本", "😀", "e\u0301", "a", "Z9", "client", "0", "<", ">", "&",
	"%0a", "%00", `\n`, `\u0000`, `\x00`, "^", "0x09", "\\|", "\\=", "cs1=", " act=", "CEF:0|", "LEEF:2.0|", "<134>1 ", "1234 <13>1 ", "]} ", `"}}`,
	"${x}", "{{.}}", "@", ",", ";", ":", "/", "//", "..", "~", "`", "*", "_", "#",
}

// text is hostile, short or, now and then, long.
func (g *generator) text() string {
	if g.random.IntN(4) == 0 {
		return sinktest.HostileClients[g.random.IntN(len(sinktest.HostileClients))]
	}
	var b strings.Builder
	n := g.random.IntN(12)
	if g.random.IntN(50) == 0 {
		n = g.random.IntN(2000)
	}
	for range n {
		b.WriteString(pieces[g.random.IntN(len(pieces))])
	}
	return b.String()
}

// secret is a verifier with the marker at its front.
func (g *generator) secret() string { return g.marker + sinktest.Secret()[:31] }

// detections returns n: half of them found by the pipeline in a record with a secret, the
// others put together from hostile text.
func (g *generator) detections(n int) (out []event.Detection) {
	for len(out) < n {
		g.n++
		d := sinktest.Detection(g.text(), g.n)
		kinds, severities := rules.Kinds(), []string{"info", "low", "medium", "high", "critical"}
		d.Kind, d.Severity = string(kinds[g.random.IntN(len(kinds))]), severities[g.random.IntN(len(severities))]
		d.Confidence = []string{"proven", "certain", "likely", "possible"}[g.random.IntN(4)]
		d.Service, d.Region = g.text(), g.text()
		d.Time = time.UnixMilli(g.random.Int64N(4_000_000_000_000)).UTC()
		switch g.random.IntN(4) {
		case 0:
			d.Where = event.Where{File: g.text(), Line: int64(g.n), Start: 1, End: 44}
		case 1:
			d.Where = event.Where{Signal: "logs", Field: "attributes." + g.text(), TraceID: fmt.Sprintf("%016x%016x", g.random.Uint64(), g.random.Uint64()), Start: g.n, End: g.n + 43}
		default:
			d.Where.Topic, d.Where.Field = g.text(), []string{"value", "key", "header", "header_name"}[g.random.IntN(4)]
		}
		if g.random.IntN(3) == 0 {
			d.Client.Candidates = []string{g.text(), g.text(), g.text()}
		}
		if g.random.IntN(2) == 0 {
			g.find(&d)
		}
		out = append(out, d)
	}
	return out
}

// find replaces what a finding says by what the pipeline says of a record.
func (g *generator) find(d *event.Detection) {
	var b detect.Batch
	b.AddText(0, []byte("POST /token?client_id="+strings.ReplaceAll(g.text(), "\n", " ")+"&code_verifier="+g.secret()))
	results, err := g.worker.Find(&b)
	if err != nil {
		g.t.Fatal(err)
	}
	if len(results) == 0 { // the text before it made something else of it
		return
	}
	r := &results[0]
	d.Kind, d.Rule, d.Client = string(r.Kind), r.Rule.ID, r.Client
	d.Fingerprint, d.Where.Start, d.Where.End = string(r.Fingerprint[:]), r.Start, r.End
}

// items returns at least n documents: alerts, and now and then a batch that was skipped.
func (g *generator) items(n int) []sink.Item {
	var items []sink.Item
	for len(items) < n {
		items = append(items, sinktest.Fold(g.t, g.detections(n-len(items))...)...)
	}
	id := base64.RawURLEncoding.EncodeToString([]byte(sinktest.Secret()[:16]))
	items = append(items, sink.Item{ID: id, Document: alert.MarshalSkipped(alert.Skipped{
		ID: id, Topic: "app-logs", Partition: 1, First: 5, Last: 9, Reason: "crc", At: time.Now(),
	})})
	return items
}

// clean fails when a text holds the beginning of a secret, as it is or encoded.
func (g *generator) clean(what string, text []byte) {
	g.t.Helper()
	m := g.marker
	for _, form := range []string{
		m, base64.StdEncoding.EncodeToString([]byte(m)), base64.RawURLEncoding.EncodeToString([]byte(m))[:15], base64.StdEncoding.EncodeToString([]byte("x" + m))[2:14],
		base64.StdEncoding.EncodeToString([]byte("xx" + m))[3:15], hex.EncodeToString([]byte(m)), url.QueryEscape(m),
	} {
		if strings.Contains(string(text), form) {
			g.t.Fatalf("%s: a secret is in it", what)
		}
	}
}
