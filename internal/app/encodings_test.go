package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// canaries are secrets that must be in no output.
type canaries struct {
	t *testing.T
	needles
	planted int
}

func (c *canaries) next() string {
	v := randomSecret()
	c.add(c.t, v)
	c.planted++
	return v
}

// attributes plants secrets in the ways of attributes.
func (c *canaries) attributes(m pcommon.Map) {
	m.PutStr("code_verifier", c.next())
	m.PutStr("url.query", "a=b&code_verifier="+c.next())
	m.PutEmptyMap("http.request.header").PutEmptySlice("authorization").AppendEmpty().SetStr("Bearer " + c.next())
	m.PutEmptyBytes("body").FromRaw([]byte(`{"refresh_token":"` + c.next() + `"}`))
	m.PutInt("http.response.status_code", 200)
}

var kafkaTrace, kafkaSpan = pcommon.TraceID{7, 1, 2, 3, 0xfe}, pcommon.SpanID{9, 8, 7}

// requests are one of each signal with secrets in their places, as the Collector's kafka
// exporter writes them, and one of each without any.
func (c *canaries) requests(encoding string) (leaking, clean map[string][]byte) {
	leaking, clean = map[string][]byte{}, map[string][]byte{}
	encode := map[string]func(any) ([]byte, error){
		"otlp_proto": func(d any) ([]byte, error) {
			switch d := d.(type) {
			case plog.Logs:
				return (&plog.ProtoMarshaler{}).MarshalLogs(d)
			case ptrace.Traces:
				return (&ptrace.ProtoMarshaler{}).MarshalTraces(d)
			default:
				return (&pmetric.ProtoMarshaler{}).MarshalMetrics(d.(pmetric.Metrics))
			}
		},
		"otlp_json": func(d any) ([]byte, error) {
			switch d := d.(type) {
			case plog.Logs:
				return (&plog.JSONMarshaler{}).MarshalLogs(d)
			case ptrace.Traces:
				return (&ptrace.JSONMarshaler{}).MarshalTraces(d)
			default:
				return (&pmetric.JSONMarshaler{}).MarshalMetrics(d.(pmetric.Metrics))
			}
		},
	}[encoding]
	for _, leak := range []bool{true, false} {
		plant, secret, to := c.attributes, c.next, leaking
		if !leak {
			plant, secret, to = func(m pcommon.Map) { m.PutStr("http.route", "/cb") }, func() string { return "no" }, clean
		}
		for signal, d := range map[string]any{"logs": kafkaLogs(plant, secret), "spans": kafkaSpans(plant, secret), "metrics": kafkaMetrics(plant, secret)} {
			value, err := encode(d)
			if err != nil {
				c.t.Fatal(err)
			}
			to[signal] = value
		}
	}
	return leaking, clean
}

func kafkaLogs(plant func(pcommon.Map), secret func() string) plog.Logs {
	ld := plog.NewLogs()
	r := ld.ResourceLogs().AppendEmpty()
	r.Resource().Attributes().PutStr("service.name", "login")
	plant(r.Resource().Attributes())
	s := r.ScopeLogs().AppendEmpty()
	plant(s.Scope().Attributes())
	for i := range 3 {
		l := s.LogRecords().AppendEmpty()
		l.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		l.SetTraceID(kafkaTrace)
		l.SetSpanID(kafkaSpan)
		plant(l.Attributes())
		switch i {
		case 0:
			l.Body().SetStr("client_id=web-shop code_verifier=" + secret())
		case 1:
			l.Body().SetEmptyMap().PutEmptyMap("code_verifier").PutStr("value", secret())
		default:
			l.Body().SetEmptyBytes().FromRaw([]byte("code_verifier=" + secret()))
		}
	}
	return ld
}

func kafkaSpans(plant func(pcommon.Map), secret func() string) ptrace.Traces {
	td := ptrace.NewTraces()
	r := td.ResourceSpans().AppendEmpty()
	r.Resource().Attributes().PutStr("service.name", "login")
	list := r.ScopeSpans().AppendEmpty().Spans()
	one, two := list.AppendEmpty(), list.AppendEmpty()
	for _, s := range []ptrace.Span{one, two} {
		s.SetTraceID(kafkaTrace)
		s.SetSpanID(kafkaSpan)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	}
	plant(one.Attributes())
	one.SetName("GET /cb?code_verifier=" + secret())
	one.Status().SetMessage("code_verifier=" + secret())
	plant(one.Events().AppendEmpty().Attributes())
	plant(one.Links().AppendEmpty().Attributes())
	two.Attributes().PutStr("url.full", "https://idp.example/authorize?client_id=web-shop&response_type=code")
	return td
}

func kafkaMetrics(plant func(pcommon.Map), secret func() string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("http.server.requests")
	m.SetDescription("code_verifier=" + secret())
	p := m.SetEmptySum().DataPoints().AppendEmpty()
	p.SetIntValue(7)
	plant(p.Attributes())
	plant(p.Exemplars().AppendEmpty().FilteredAttributes())
	return md
}

// Requests on topics, as the Collector's kafka exporter writes them: what they hold is
// masked inside, clean ones stay byte for byte, what is none is withheld, each detection
// says where it is by topic and by trace, and no output has a secret.
func TestOTLPOnTopics(t *testing.T) {
	for encoding, prefix := range map[string]string{"otlp_proto": "otlp_", "otlp_json": "as_json_"} {
		t.Run(encoding, func(t *testing.T) {
			b := broker(t)
			c := &canaries{t: t}
			leaking, clean := c.requests(encoding)
			s := setup{broker: b.Addr(), group: encoding, inputMore: fmt.Sprintf("topics_regex: \"%s(logs|spans|metrics)\", encoding: %s", prefix, encoding)}
			topics := []kafkatest.Topic{{Name: s.alerts(), Partitions: 3}, {Name: s.dead()}}
			var records []*kgo.Record
			for signal := range leaking {
				name := prefix + signal
				topics = append(topics, kafkatest.Topic{Name: name, Partitions: 1}, kafkatest.Topic{Name: name + ".masked", Partitions: 1})
				for _, value := range [][]byte{clean[signal], leaking[signal], []byte("code_verifier=" + c.next()), clean[signal]} {
					records = append(records, &kgo.Record{Topic: name, Key: kafkaTrace[:], Value: value, Headers: []kgo.RecordHeader{{Key: "tenant", Value: []byte("a")}}})
				}
			}
			b.CreateTopics(t, topics...)
			produce(t, b.Addr(), records...)
			m := newMember(t, s, newKey(t))
			m.start()
			client := ask(t, b.Addr())
			await(t, "committing the input", []*member{m}, func() bool {
				left := int64(0)
				for signal := range leaking {
					left += lag(client, s.group, prefix+signal, 1)
				}
				return left == 0
			})
			await(t, "alerts", []*member{m}, func() bool { return len(onTopic(t, b.Addr(), s.alerts())) > 0 })
			m.scrape()
			if code := m.stop(); code != 0 {
				t.Errorf("exit code %d\n%s", code, m.tail())
			}
			file, err := os.ReadFile(filepath.Join(m.dir, "alerts.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			search := map[string][]byte{"log": m.log(), "metrics": m.scrapes, "alerts file": file}
			for _, topic := range []kafkatest.Topic{topics[0], topics[1]} {
				search[topic.Name] = raw(readAll(t, b.Addr(), topic.Name, max(1, topic.Partitions)))
			}
			for signal := range leaking {
				out := readAll(t, b.Addr(), prefix+signal+".masked", 1)
				search[signal] = raw(out)
				if len(out) != 4 || !bytes.Equal(out[0].Value, clean[signal]) || !bytes.Equal(out[3].Value, clean[signal]) || string(out[0].Headers[0].Value) != "a" {
					t.Errorf("%s: %d records, or a clean one is not as it was", signal, len(out))
					continue
				}
				if !strings.Contains(string(out[2].Value), `"reason":"undecodable"`) || !bytes.Contains(out[1].Value, []byte("REDACTED.code_verifier.")) {
					t.Errorf("%s: %q\n%q", signal, out[1].Value, out[2].Value)
				}
			}
			for name, text := range search {
				if form := c.in(text); form != "" {
					t.Errorf("%s holds a secret, %s", name, form)
				}
			}
			if len(search[s.dead()]) == 0 || bytes.Count(search[s.dead()], []byte("undecodable")) != 3 {
				t.Errorf("dead letters %q", search[s.dead()])
			}
			checkPlaces(t, file, prefix, c.planted-3)
			for _, line := range []string{fmt.Sprintf(`became="kept",encoding="%s"} 6`, encoding), fmt.Sprintf(`became="masked",encoding="%s"} 3`, encoding), fmt.Sprintf(`became="withheld",encoding="%s"} 3`, encoding)} {
				if !bytes.Contains(m.scrapes, []byte("leakveil_payloads_total{"+line)) {
					t.Errorf("the metrics lack %s", line)
				}
			}
		})
	}
}

func raw(records []*kgo.Record) []byte {
	var out []byte
	for _, r := range records {
		out = append(append(append(out, r.Key...), '\n'), r.Value...)
		for _, h := range r.Headers {
			out = append(append(out, h.Key...), h.Value...)
		}
	}
	return out
}

// checkPlaces wants that many detections, each with both of its places.
func checkPlaces(t *testing.T, file []byte, prefix string, want int) {
	t.Helper()
	seen := map[string]bool{}
	traced, named := 0, 0
	for line := range bytes.Lines(file) {
		var d struct {
			Event    struct{ Kind, ID string }
			Service  struct{ Name any }
			Leakveil struct {
				Client struct{ ID, How string }
				Where  struct {
					Topic, Signal, Field string
					Offset               *int64
					TraceID              string `json:"trace_id"`
					SpanID               string `json:"span_id"`
				}
			}
		}
		if json.Unmarshal(line, &d) != nil || d.Event.Kind != "event" {
			continue
		}
		seen[d.Event.ID] = true
		w := d.Leakveil.Where
		signal := map[string]string{"logs": "logs", "spans": "traces", "metrics": "metrics"}[strings.TrimPrefix(w.Topic, prefix)]
		if signal == "" || w.Signal != signal || w.Offset == nil || *w.Offset != 1 || w.Field == "" {
			t.Errorf("a detection at %+v", w)
		}
		if w.TraceID == fmt.Sprintf("%x", kafkaTrace[:]) && w.SpanID == fmt.Sprintf("%x", kafkaSpan[:]) {
			traced++
		}
		if d.Leakveil.Client.ID == "web-shop" {
			named++
		}
	}
	if len(seen) != want || traced < want/2 || named < want/3 {
		t.Errorf("%d detections, want %d; %d with their trace, %d with their client", len(seen), want, traced, named)
	}
}
