package webhook_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
	"github.com/leakveil/leakveil/internal/sink/webhook"
)

// receiver keeps the bodies it gets and answers as told.
type receiver struct {
	*httptest.Server
	answer  func(n int, w http.ResponseWriter)
	bodies  [][]byte
	headers []http.Header
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answer: func(int, http.ResponseWriter) {}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.bodies, r.headers = append(r.bodies, body), append(r.headers, request.Header)
		r.answer(len(r.bodies)-1, w)
	}))
	t.Cleanup(r.Close)
	return r
}

func open(t *testing.T, o webhook.Options) *webhook.Sink {
	t.Helper()
	s, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func options(r *receiver, format string) webhook.Options {
	return webhook.Options{HTTP: transport.HTTPOptions{URL: r.URL}, Format: format}
}

func delivered(t *testing.T, report sink.Report, n int) {
	t.Helper()
	if len(report.Outcomes) != n {
		t.Fatalf("%d outcomes of %d", len(report.Outcomes), n)
	}
	for i, o := range report.Outcomes {
		if o.Verdict != sink.Delivered {
			t.Fatalf("item %d: %+v", i, o)
		}
	}
}

func TestJSON(t *testing.T) {
	r := receive(t)
	items := sinktest.Hostile(t)
	delivered(t, open(t, options(r, "")).Send(t.Context(), items), len(items))
	var got struct{ Alerts []json.RawMessage }
	if err := json.Unmarshal(r.bodies[0], &got); err != nil || len(r.bodies) != 1 {
		t.Fatal(err, len(r.bodies))
	}
	for i := range items {
		if !bytes.Equal(got.Alerts[i], items[i].Document) {
			t.Errorf("document %d differs", i)
		}
	}
}

// The signature is that of the specification's own example.
func TestSignature(t *testing.T) {
	key := []byte{0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0}
	if got := webhook.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)); got !=
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Fatal(got)
	}
}

func TestRequestsAreSigned(t *testing.T) {
	r := receive(t)
	t.Setenv("LEAKVEIL_TEST_KEY", sinktest.Secret())
	o := options(r, "slack")
	o.SigningKey = transport.Secret{Env: "LEAKVEIL_TEST_KEY"}
	o.Now = func() time.Time { return time.Unix(1700000000, 0) }
	s := open(t, o)
	items := sinktest.Items(t, 1)
	delivered(t, s.Send(t.Context(), items), 1)
	delivered(t, s.Send(t.Context(), items), 1)
	key, _ := o.SigningKey.Read()
	for i, h := range r.headers {
		if h.Get("Webhook-Id") != items[0].ID || h.Get("Webhook-Timestamp") != "1700000000" ||
			h.Get("Webhook-Signature") != webhook.Sign([]byte(key), items[0].ID, "1700000000", r.bodies[i]) {
			t.Error(h)
		}
	}
	if !bytes.Equal(r.bodies[0], r.bodies[1]) {
		t.Error("the same alert has two bodies")
	}
}

// Chat tools: text of records stands in code alone, and cannot end it.
func TestChat(t *testing.T) {
	for format, text := range map[string]func(map[string]any) string{
		"slack":   func(m map[string]any) string { return m["text"].(string) },
		"discord": func(m map[string]any) string { return m["content"].(string) },
	} {
		r := receive(t)
		items := append(sinktest.Hostile(t), sinktest.Fold(t, sinktest.Detection("<!channel> `@all` <https://evil|x>", 1))...)
		delivered(t, open(t, options(r, format)).Send(t.Context(), items), len(items))
		for _, body := range r.bodies {
			var message map[string]any
			if err := json.Unmarshal(body, &message); err != nil {
				t.Fatal(format, err)
			}
			got := text(message)
			if len(got) > 2000 && format == "discord" || !utf8.ValidString(got) {
				t.Errorf("%s: %d bytes", format, len(got))
			}
			for n, line := range strings.Split(got, "\n")[1:] {
				if strings.Count(line, "`") != 2 && len(got) < 1990 {
					t.Errorf("%s: line %d: %s", format, n, line)
				}
			}
			if format == "slack" && strings.ContainsAny(got, "<>") {
				t.Errorf("slack reads this as a link or a mention: %s", got)
			}
			if format == "discord" && len(message["allowed_mentions"].(map[string]any)["parse"].([]any)) != 0 {
				t.Error("discord may mention people")
			}
		}
	}
}

func TestTeams(t *testing.T) {
	r := receive(t)
	items := sinktest.Hostile(t)
	delivered(t, open(t, options(r, "teams")).Send(t.Context(), items), len(items))
	for _, body := range r.bodies {
		var message struct {
			Type        string
			Attachments []struct {
				ContentType string
				Content     struct {
					Type, Version string
					Body          []struct {
						Type    string
						Inlines []struct{ Type, Text string }
					}
				}
			}
		}
		if err := json.Unmarshal(body, &message); err != nil || message.Type != "message" || message.Attachments[0].Content.Type != "AdaptiveCard" {
			t.Fatal(err, message)
		}
		for _, block := range message.Attachments[0].Content.Body {
			if block.Type != "RichTextBlock" || block.Inlines[0].Type != "TextRun" || block.Inlines[0].Text == "" {
				t.Error("a block that is read as Markdown, or is empty:", block)
			}
		}
	}
}

func TestPagerDuty(t *testing.T) {
	r := receive(t)
	r.answer = func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) }
	key := sinktest.Secret()
	t.Setenv("LEAKVEIL_TEST_KEY", key)
	o := options(r, "pagerduty")
	o.RoutingKey = transport.Secret{Env: "LEAKVEIL_TEST_KEY"}
	items := sinktest.Hostile(t)
	delivered(t, open(t, o).Send(t.Context(), items), len(items))
	for i, body := range r.bodies {
		var event struct {
			RoutingKey string `json:"routing_key"`
			Action     string `json:"event_action"`
			Key        string `json:"dedup_key"`
			Payload    struct {
				Summary, Source, Severity, Timestamp string
				Details                              json.RawMessage `json:"custom_details"`
			}
		}
		if err := json.Unmarshal(body, &event); err != nil {
			t.Fatal(err)
		}
		p := event.Payload
		if event.RoutingKey != key || event.Action != "trigger" || event.Key == "" || len(event.Key) > 255 || len(p.Summary) > 1024 ||
			p.Source == "" || p.Severity != "warning" && p.Severity != "error" || !bytes.Equal(p.Details, items[i].Document) {
			t.Errorf("%+v", event)
		}
		if _, err := time.Parse(time.RFC3339, p.Timestamp); err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(items[i].ID, event.Key) {
			t.Errorf("the key of %s is %s: updates would be new incidents", items[i].ID, event.Key)
		}
	}
}

func TestTemplate(t *testing.T) {
	r := receive(t)
	o := options(r, "template")
	o.Template = `{"client": {{.Text "leakveil.client.id" | json}}, "services": {{.List "service.name" | json}}, "what": {{.Title | json}}, "id": {{.ID | json}}}`
	items := sinktest.Hostile(t)
	delivered(t, open(t, o).Send(t.Context(), items), len(items))
	for i, body := range r.bodies {
		var got struct{ Client, What, ID string }
		if err := json.Unmarshal(body, &got); err != nil || got.ID != items[i].ID {
			t.Fatal(err, got)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "no template": "{{", "no JSON": "hello", "unescaped": `{"client": "{{.Text "leakveil.client.id"}}"}`, "no such method": `{{.Nothing}}`,
		"unescaped region": `{"a": "{{.Text "cloud.region"}}"}`, "unescaped topic": `{"a": "{{.Text "leakveil.where.topic"}}"}`,
		"unescaped candidates": `{"a": "{{.Text "leakveil.client.candidates"}}"}`, "unescaped excerpt": `{"a": "{{.Text "leakveil.excerpt"}}"}`,
		"unescaped last place": `{"a": "{{.Text "leakveil.last_where.file"}}"}`, "unescaped held": `{"a": "{{.Text "leakveil.digest.clients"}}"}`,
	} {
		o.Template = text
		if _, err := webhook.New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	o.ContentType, o.Template = "text/plain", "client {{.Text \"leakveil.client.id\"}}"
	delivered(t, open(t, o).Send(t.Context(), items[:1]), 1)
}

func TestOutcomes(t *testing.T) {
	secret := sinktest.Secret()
	r := receive(t)
	r.answer = func(n int, w http.ResponseWriter) {
		switch n {
		case 1:
			w.WriteHeader(422)
		case 3:
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(429)
		}
		_, _ = w.Write([]byte(secret))
	}
	items := sinktest.Items(t, 6)
	items[4].Document = []byte("no document")
	report := open(t, options(r, "slack")).Send(t.Context(), items)
	want := []sink.Verdict{sink.Delivered, sink.Reject, sink.Delivered, sink.Retry, sink.Retry, sink.Retry}
	for i, o := range report.Outcomes {
		if o.Verdict != want[i] || strings.Contains(o.Reason, secret) {
			t.Errorf("item %d: %+v", i, o)
		}
	}
	if report.RetryAfter != 9*time.Second || len(r.bodies) != 4 {
		t.Error(report.RetryAfter, len(r.bodies))
	}
	if o := open(t, options(r, "slack")).Send(t.Context(), items[4:5]).Outcomes[0]; o.Verdict != sink.Reject || o.Reason != sink.ReasonMalformed {
		t.Error(o)
	}
}

func TestBadOptions(t *testing.T) {
	short := "short-" + sinktest.Secret()[:8]
	t.Setenv("LEAKVEIL_TEST_KEY", short)
	r := receive(t)
	for name, change := range map[string]func(*webhook.Options){
		"format":       func(o *webhook.Options) { o.Format = "x" },
		"short key":    func(o *webhook.Options) { o.SigningKey = transport.Secret{Env: "LEAKVEIL_TEST_KEY"} },
		"no key":       func(o *webhook.Options) { o.SigningKey = transport.Secret{Env: "LEAKVEIL_TEST_NO_KEY"} },
		"no pager key": func(o *webhook.Options) { o.Format = "pagerduty" },
		"key in plain": func(o *webhook.Options) {
			o.Format, o.HTTP.URL, o.RoutingKey = "pagerduty", "http://h.example", transport.Secret{Env: "LEAKVEIL_TEST_KEY"}
		},
	} {
		o := options(r, "")
		change(&o)
		if _, err := webhook.New(o); err == nil || strings.Contains(err.Error(), short) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a client is called, every ready body is JSON.
func FuzzBodies(f *testing.F) {
	for _, client := range sinktest.HostileClients {
		f.Add(client, client)
	}
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
	f.Cleanup(server.Close)
	f.Setenv("LEAKVEIL_TEST_KEY", "key")
	f.Fuzz(func(t *testing.T, client, service string) {
		d := sinktest.Detection(client, 1)
		d.Service = service
		items := sinktest.Fold(t, d)
		for _, format := range []string{"json", "slack", "discord", "teams", "pagerduty"} {
			o := webhook.Options{HTTP: transport.HTTPOptions{URL: server.URL}, Format: format}
			if format == "pagerduty" {
				o.RoutingKey = transport.Secret{Env: "LEAKVEIL_TEST_KEY"}
			}
			delivered(t, open(t, o).Send(t.Context(), items), 1)
			if !json.Valid(body) {
				t.Fatalf("%s: %s", format, body)
			}
		}
	})
}
