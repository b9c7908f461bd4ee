package splunkhec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/splunkhec"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

const token = "9b8a0c1e-5d3f-4a6b-8c7d-1e2f3a4b5c6d"

func open(t *testing.T, url string, change func(*splunkhec.Options)) *splunkhec.Sink {
	t.Helper()
	t.Setenv("LEAKVEIL_TEST_TOKEN", token)
	o := splunkhec.Options{HTTP: transport.HTTPOptions{URL: url, Token: transport.Secret{Env: "LEAKVEIL_TEST_TOKEN"}}}
	if change != nil {
		change(&o)
	}
	s, err := splunkhec.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func expect(t *testing.T, s *splunkhec.Sink, items []sink.Item, want sink.Outcome) {
	t.Helper()
	for i, o := range s.Send(t.Context(), items).Outcomes {
		if o != want {
			t.Fatalf("item %d: %+v, not %+v", i, o, want)
		}
	}
}

// events reads a body as the collector does: objects one after the other.
func events(t *testing.T, body []byte) (all []map[string]any) {
	t.Helper()
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		var event map[string]any
		if err := d.Decode(&event); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, event)
	}
}

func TestEvents(t *testing.T) {
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		if r.URL.Path != "/services/collector/event" || r.Header.Get("Authorization") != "Splunk "+token {
			w.WriteHeader(403)
			return
		}
		_, _ = w.Write([]byte(`{"text":"Success","code":0}`))
	}))
	defer server.Close()
	items := sinktest.Hostile(t)
	expect(t, open(t, server.URL, func(o *splunkhec.Options) { o.Index = "security" }), items, sink.Outcome{Verdict: sink.Delivered})
	got := events(t, body)
	if len(got) != len(items) {
		t.Fatalf("%d events", len(got))
	}
	for i, e := range got {
		fields := e["event"].(map[string]any)
		document, _ := json.Marshal(fields["document"])
		var want any
		_ = json.Unmarshal(items[i].Document, &want)
		whole, _ := json.Marshal(want)
		if !bytes.Equal(document, whole) || fields["id"] != items[i].ID || e["index"] != "security" || e["sourcetype"] != "leakveil:alert" {
			t.Errorf("%d: %v", i, e)
		}
	}
	first := got[0]["event"].(map[string]any)
	for name, want := range map[string]any{
		"app": "leakveil", "type": "alert", "severity": "medium", "severity_id": 47.0, "signature": "Leaked in a log: code_verifier",
		"signature_id": "pkce-verifier", "client_id": "spa-bank", "kind": "code_verifier", "count": 1.0, "topic": "app-logs",
	} {
		if first[name] != want {
			t.Errorf("%s is %v", name, first[name])
		}
	}
	if at := got[0]["time"].(float64); at < 1.7e9 || at > 1.9e9 {
		t.Error("time is not in seconds:", at)
	}
	if !bytes.Contains(body, []byte(`"time":1795161600.000`)) {
		t.Error("the time has no milliseconds")
	}
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   sink.Outcome
	}{
		"accepted":      {200, `{"text":"Success","code":0}`, sink.Outcome{Verdict: sink.Delivered}},
		"a proxy":       {200, `<html>`, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}},
		"no code":       {200, `{}`, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}},
		"wrong token":   {403, `{"code":4}`, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth}},
		"wrong index":   {400, `{"code":7}`, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNotFound}},
		"no channel":    {400, `{"code":10}`, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}},
		"bad event":     {400, `{"code":6,"invalid-event-number":1}`, sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}},
		"not a code":    {400, `bad`, sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}},
		"busy":          {503, `{"code":9}`, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy}},
		"too large":     {413, ``, sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonTooLarge}},
		"its own fault": {500, `{"code":8}`, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonServer}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			expect(t, open(t, server.URL, nil), sinktest.Items(t, 2), c.want)
		})
	}
}

// acknowledging is a double of an indexer that acknowledges after some questions:
// no free server does.
type acknowledging struct {
	t        *testing.T
	after    int
	asked    int
	channels map[string]bool
}

const ackID = 7301934410

func (a *acknowledging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.channels[r.Header.Get("X-Splunk-Request-Channel")] = true
	if r.URL.Path == "/services/collector/event" {
		fmt.Fprintf(w, `{"text":"Success","code":0,"ackId":%d}`, ackID)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path != "/services/collector/ack" || string(body) != fmt.Sprintf(`{"acks":[%d]}`, ackID) || r.URL.Query().Get("channel") == "" {
		a.t.Errorf("%s %s", r.URL, body)
	}
	a.asked++
	fmt.Fprintf(w, `{"acks":{"%d":%v}}`, ackID, a.asked > a.after)
}

func TestAcknowledgement(t *testing.T) {
	double := &acknowledging{t: t, after: 2, channels: map[string]bool{}}
	server := httptest.NewServer(double)
	defer server.Close()
	s := open(t, server.URL, func(o *splunkhec.Options) { o.Ack = true })
	expect(t, s, sinktest.Items(t, 1), sink.Outcome{Verdict: sink.Delivered})
	if double.asked != 3 || len(double.channels) != 1 {
		t.Error(double.asked, double.channels)
	}
	double.after = 1 << 30
	s = open(t, server.URL, func(o *splunkhec.Options) { o.Ack, o.AckTimeout = true, 300*time.Millisecond })
	expect(t, s, sinktest.Items(t, 1), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonUnconfirmed})
}

// Tenzir is a collector with Splunk's codes.
func TestARealCollector(t *testing.T) {
	certs := backend.NewCerts(t)
	port := backend.FreePort(t)
	z := backend.StartTenzir(t, fmt.Sprintf(`accept_splunk "127.0.0.1:%d", hec_token=%q, max_request_size=200000, tls={certfile: %q, keyfile: %q}`,
		port, token, certs.ServerCert, certs.ServerKey), port)
	url := fmt.Sprintf("https://127.0.0.1:%d", port)
	trust := func(o *splunkhec.Options) { o.HTTP.TLS.CAFile = certs.CA }
	items := sinktest.Hostile(t)
	half := len(items) / 2
	expect(t, open(t, url, trust), items[:half], sink.Outcome{Verdict: sink.Delivered})
	expect(t, open(t, url, func(o *splunkhec.Options) { trust(o); o.HTTP.Gzip = true }), items[half:], sink.Outcome{Verdict: sink.Delivered})
	backend.Eventually(t, "all events", func() bool { return len(z.Events(t)) == len(items) })
	got := map[string]bool{}
	for _, e := range z.Events(t) {
		text, _ := json.Marshal(e)
		for _, item := range items {
			if strings.Contains(string(text), `"id":"`+item.ID+`"`) {
				got[item.ID] = true
			}
		}
	}
	if len(got) != len(items) {
		t.Errorf("%d of %d alerts can be found", len(got), len(items))
	}
	wrong := open(t, url, trust)
	t.Setenv("LEAKVEIL_TEST_TOKEN", "00000000-0000-0000-0000-000000000000")
	expect(t, wrong, items[:1], sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth})
	t.Setenv("LEAKVEIL_TEST_TOKEN", token)
	expect(t, wrong, sinktest.Items(t, 200), sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonTooLarge})
}
