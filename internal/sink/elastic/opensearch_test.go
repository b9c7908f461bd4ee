package elastic_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/elastic"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// A real OpenSearch with TLS and users: each case is one answer of the server.
func TestARealOpenSearch(t *testing.T) {
	certs := backend.NewCerts(t)
	server := backend.StartOpenSearch(t, certs, "indexing_pressure.memory.limit: 4mb")
	options := func(stream string) elastic.Options {
		return elastic.Options{Stream: stream, HTTP: transport.HTTPOptions{
			URL: server.URL, TLS: transport.TLS{CAFile: certs.CA}, Username: server.Writer, Password: transport.Secret{File: server.PasswordFile}, Gzip: true,
		}}
	}
	administrator := options("")
	administrator.HTTP.Username, administrator.HTTP.Password = "", transport.Secret{}
	administrator.HTTP.TLS.CertFile, administrator.HTTP.TLS.KeyFile = certs.ClientCert, certs.ClientKey
	if a := open(t, administrator).Install(t.Context()); a.Outcome.Verdict != sink.Delivered {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	s := open(t, options(""))
	t.Run("documents arrive once", func(t *testing.T) { arriveOnce(t, server, s) })
	t.Run("queries by the template's fields", func(t *testing.T) { queries(t, server, s) })
	t.Run("a bad document hurts no other", func(t *testing.T) { badDocument(t, server, s) })
	t.Run("a full disk is waited for", func(t *testing.T) { fullDisk(t, server, s) })
	t.Run("pressure is waited for", func(t *testing.T) {
		expect(t, s, large(t), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy})
	})
	t.Run("a stream that may not be made", func(t *testing.T) {
		other := administrator
		other.Stream = "other-stream"
		expect(t, open(t, other), sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNotFound})
	})
	t.Run("a stream that this user may not write", func(t *testing.T) {
		server.Do(t, "PUT", "/other-index", "", nil)
		expect(t, open(t, options("other-index")), sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth})
	})
	t.Run("a wrong password", func(t *testing.T) {
		wrong := options("")
		t.Setenv("LEAKVEIL_TEST_PASSWORD", sinktest.Secret())
		wrong.HTTP.Password = transport.Secret{Env: "LEAKVEIL_TEST_PASSWORD"}
		expect(t, open(t, wrong), sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth})
	})
	t.Run("an unknown authority", func(t *testing.T) {
		unknown := options("")
		unknown.HTTP.TLS = transport.TLS{}
		expect(t, open(t, unknown), sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNetwork})
	})
}

// The same on real Elasticsearches without users, in the long job: errors have other
// names there.
func TestARealElasticsearchWithoutUsers(t *testing.T) {
	for _, version := range []string{"8.15.0", "9.1.0"} {
		t.Run(version, func(t *testing.T) {
			if os.Getenv("LEAKVEIL_LONG") == "" {
				return
			}
			server, ok := backend.StartElasticsearch(t, version)
			if !ok {
				t.Logf("there is no Java for %s", version)
				return
			}
			s := open(t, elastic.Options{HTTP: transport.HTTPOptions{URL: server.URL, Gzip: true}})
			if a := s.Install(t.Context()); a.Outcome.Verdict != sink.Delivered {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			t.Run("documents arrive once", func(t *testing.T) { arriveOnce(t, server, s) })
			t.Run("queries by the template's fields", func(t *testing.T) { queries(t, server, s) })
			t.Run("a bad document hurts no other", func(t *testing.T) { badDocument(t, server, s) })
			t.Run("a full disk is waited for", func(t *testing.T) { fullDisk(t, server, s) })
			t.Run("a stream that may not be made", func(t *testing.T) {
				other := open(t, elastic.Options{Stream: "other-stream", HTTP: transport.HTTPOptions{URL: server.URL}})
				expect(t, other, sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNotFound})
			})
		})
	}
}

func fullDisk(t *testing.T, server *backend.OpenSearch, s *elastic.Sink) {
	block := func(value string) {
		server.Do(t, "PUT", "/"+elastic.DefaultStream+"/_settings", `{"index.blocks.read_only_allow_delete":`+value+`}`, nil)
	}
	block("true")
	expect(t, s, sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy})
	block("null")
	expect(t, s, sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Delivered})
}

func expect(t *testing.T, s *elastic.Sink, items []sink.Item, want sink.Outcome) {
	t.Helper()
	for i, o := range s.Send(t.Context(), items).Outcomes {
		if o != want {
			t.Fatalf("item %d: %+v, not %+v", i, o, want)
		}
	}
}

func arriveOnce(t *testing.T, server *backend.OpenSearch, s *elastic.Sink) {
	items := sinktest.Hostile(t)
	for range 3 {
		expect(t, s, items, sink.Outcome{Verdict: sink.Delivered})
	}
	got := server.Documents(t, elastic.DefaultStream, `{}`)
	if len(got) != len(items) {
		t.Fatalf("%d documents, not %d", len(got), len(items))
	}
	for _, item := range items {
		var a, b any
		if json.Unmarshal(got[item.ID], &a) != nil || json.Unmarshal(item.Document, &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: %s", item.ID, got[item.ID])
		}
	}
	server.Do(t, "POST", "/"+elastic.DefaultStream+"/_rollover", "", nil)
	expect(t, s, items[:1], sink.Outcome{Verdict: sink.Delivered}) // a limit of ids: it is stored again
	server.Do(t, "POST", "/"+elastic.DefaultStream+"/_refresh", "", nil)
	var count struct{ Count int }
	server.Do(t, "POST", "/"+elastic.DefaultStream+"/_count", `{"query":{"term":{"_id":"`+items[0].ID+`"}}}`, &count)
	if count.Count != 2 {
		t.Errorf("stored %d times: the documentation says twice", count.Count)
	}
}

func queries(t *testing.T, server *backend.OpenSearch, s *elastic.Sink) {
	d := sinktest.Detection("queried-client", 77)
	d.Severity = "critical"
	expect(t, s, sinktest.Fold(t, d), sink.Outcome{Verdict: sink.Delivered})
	for _, query := range []string{
		`{"term":{"leakveil.client.id":"queried-client"}}`,
		`{"bool":{"must":[{"term":{"leakveil.severity":"critical"}},{"range":{"event.severity":{"gte":99}}},{"range":{"event.start":{"gte":"2026-11-20"}}}]}}`,
		`{"bool":{"must":[{"term":{"leakveil.fingerprints":"` + d.Fingerprint + `"}},{"term":{"service.name":"login"}},{"match":{"leakveil.advice.text":"revocation"}}]}}`,
	} {
		if n := len(server.Documents(t, elastic.DefaultStream, `{"query":`+query+`}`)); n != 1 {
			t.Errorf("%s finds %d", query, n)
		}
	}
	var answer struct {
		Aggregations struct {
			Clients struct {
				Buckets []struct {
					Key   string
					Leaks struct{ Value float64 }
				}
			}
		}
	}
	server.Do(t, "POST", "/"+elastic.DefaultStream+"/_search?size=0", `{"query":{"term":{"leakveil.client.id":"queried-client"}},
		"aggs":{"clients":{"terms":{"field":"leakveil.client.id"},"aggs":{"leaks":{"max":{"field":"leakveil.count"}}}}}}`, &answer)
	if b := answer.Aggregations.Clients.Buckets; len(b) != 1 || b[0].Key != "queried-client" || b[0].Leaks.Value != 1 {
		t.Errorf("%+v", b)
	}
}

func badDocument(t *testing.T, server *backend.OpenSearch, s *elastic.Sink) {
	items := sinktest.Items(t, 3)
	items[1].Document = bytes.Replace(items[1].Document, []byte(`"@timestamp":"2026`), []byte(`"@timestamp":"x2026`), 1)
	items[1].ID = "bad-1"
	report := s.Send(t.Context(), items)
	for i, want := range []sink.Outcome{{Verdict: sink.Delivered}, {Verdict: sink.Reject, Reason: sink.ReasonRefused}, {Verdict: sink.Delivered}} {
		if report.Outcomes[i] != want {
			t.Errorf("%d: %+v", i, report.Outcomes[i])
		}
	}
	if got := server.Documents(t, elastic.DefaultStream, `{"query":{"term":{"_id":"bad-1"}}}`); len(got) != 0 {
		t.Error("the bad document is there")
	}
}

// large is more than the server takes at once under its memory limit.
func large(t *testing.T) []sink.Item {
	items := sinktest.Items(t, 1)
	filler := bytes.Repeat([]byte("x"), 900<<10)
	var out []sink.Item
	for i := range 8 {
		document := append([]byte(`{"filler":"`), filler...)
		document = append(append(document, `",`...), items[0].Document[1:]...)
		out = append(out, sink.Item{ID: fmt.Sprint("large-", i), Document: document})
	}
	return out
}
