package content_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/content"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/elastic"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// Every panel asks a real OpenSearch, as the tool that it is made for would, and
// gets what the documents say.
func TestEveryPanelOnARealOpenSearch(t *testing.T) {
	certs := backend.NewCerts(t)
	server := backend.StartOpenSearch(t, certs, "")
	everyPanel(t, server, transport.HTTPOptions{
		URL: server.URL, TLS: transport.TLS{CAFile: certs.CA, CertFile: certs.ClientCert, KeyFile: certs.ClientKey},
	}, fmt.Sprintf("cacert = %q\ncert = %q\nkey = %q\n", certs.CA, certs.ClientCert, certs.ClientKey))
}

// The same on real Elasticsearches, in the long job.
func TestEveryPanelOnARealElasticsearch(t *testing.T) {
	for _, version := range []string{"8.15.0", "9.1.0"} {
		t.Run(version, func(t *testing.T) {
			if !long {
				return
			}
			if server, ok := backend.StartElasticsearch(t, version); ok {
				everyPanel(t, server, transport.HTTPOptions{URL: server.URL}, "silent\n")
			} else if version == "8.15.0" {
				t.Error("there is no Java 17")
			} else {
				t.Logf("there is no Java for %s", version)
			}
		})
	}
}

func everyPanel(t *testing.T, server *backend.OpenSearch, http transport.HTTPOptions, curl string) {
	records := index(t, server, http)
	sources := map[string]map[string]question{
		"OpenSearch Dashboards": asked(t), "Grafana": drawn(t, content.GrafanaOpenSearch), "Grafana with Elasticsearch": drawn(t, content.GrafanaElasticsearch),
	}
	for tool, questions := range sources {
		for _, p := range content.Panels() {
			if p.Draw == content.List {
				continue
			}
			q, ok := questions[p.Title]
			if !ok {
				t.Errorf("%s has no panel %s", tool, p.Title)
				continue
			}
			q.isOf(t, tool, p)
			want := expected(q, p, records)
			if len(want) == 0 {
				t.Errorf("%s: the documents have nothing for panel %s", tool, p.ID)
			}
			var answer struct{ Aggregations map[string]json.RawMessage }
			server.Do(t, "POST", "/"+content.IndexPattern+"/_search", q.body(), &answer)
			if diff := cmp.Diff(want, q.rows(answer.Aggregations)); diff != "" {
				t.Errorf("%s, %s (-documents +answer): %s", tool, p.ID, diff)
			}
		}
	}
	t.Run("lists", func(t *testing.T) { lists(t, server, records) })
	t.Run("sigma", func(t *testing.T) { sigmaOnOpenSearch(t, server, records) })
	t.Run("queries", func(t *testing.T) { queriesOnOpenSearch(t, server, curl, records) })
}

// lists looks for the documents of panels that show them.
func lists(t *testing.T, server *backend.OpenSearch, records []field.Record) {
	for _, o := range savedObjects(t) {
		if o["type"] != "search" {
			continue
		}
		source := parse(t, at[string](t, o, "attributes", "kibanaSavedObjectMeta", "searchSourceJSON"))
		query, _ := json.Marshal(object{"query": object{"query_string": object{"query": at[string](t, source, "query", "query")}}})
		found := server.Documents(t, content.IndexPattern, string(query))
		alerts := 0
		for _, r := range records {
			if r.Text("event.dataset") == "leakveil.alert" && !r.Has("leakveil.traffic") {
				alerts++
			}
		}
		if len(found) != alerts || alerts == 0 {
			t.Errorf("%d found, not %d", len(found), alerts)
		}
	}
}

// index writes alerts of many kinds by the sink, updates and repeats among them,
// and returns the different documents.
func index(t *testing.T, server *backend.OpenSearch, http transport.HTTPOptions) (records []field.Record) {
	t.Helper()
	s, err := elastic.New(elastic.Options{HTTP: http})
	if err != nil {
		t.Fatal(err)
	}
	if a := s.Install(t.Context()); a.Outcome.Verdict != sink.Delivered {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	items := documents(t)
	for range 2 { // the second time all of them are there
		for _, o := range s.Send(t.Context(), items).Outcomes {
			if o.Verdict != sink.Delivered {
				t.Fatalf("%+v", o)
			}
		}
	}
	server.Do(t, "POST", "/"+content.IndexPattern+"/_refresh", "", nil)
	return parsed(t, items)
}

func parsed(t *testing.T, items []sink.Item) (records []field.Record) {
	t.Helper()
	for _, item := range items {
		r, err := field.Parse(item.Document)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

func documents(t *testing.T) (items []sink.Item) {
	key := []byte("a key for alert ids, of 32 bytes")
	fold, err := alert.NewFold(alert.Config{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	take := func(all []alert.Alert) {
		for _, a := range all {
			doc := alert.MarshalAlert(a)
			r, err := field.Parse(doc)
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, sink.Item{ID: r.ID(), Document: doc})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Now().UTC().Add(-6 * time.Hour)
	for i := range 600 {
		at := start.Add(time.Duration(i) * 30 * time.Second)
		d := detection(random, i, at)
		d.ID = alert.DetectionID(key, d.Where, d.Rule)
		fold.Add(int64(i), at, d)
		if i%40 == 39 {
			take(fold.Changed()) // the same alerts again, with higher numbers
		}
	}
	take(fold.Flush())
	for i := range 3 {
		id := fmt.Sprintf("%022d", i)
		doc := alert.MarshalSkipped(alert.Skipped{ID: id, Topic: "app-logs", Partition: 1, First: 5, Last: 9, Reason: "crc", At: start.Add(time.Duration(i) * time.Hour)})
		items = append(items, sink.Item{ID: id, Document: doc})
	}
	return items
}

func detection(random *rand.Rand, i int, at time.Time) event.Detection {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	kinds := [][3]string{{"code_verifier", "pkce-verifier", "medium"}, {"refresh_token", "refresh-token", "high"}, {"client_secret", "client-secret", "critical"}, {"session_cookie", "session-cookie", "high"}}
	kind := kinds[random.IntN(len(kinds))]
	fingerprint := make([]byte, 16)
	fingerprint[0] = byte(random.IntN(60)) // some come again, in other services
	client := event.Client{ID: pick("web-shop", "spa-bank", "mobile app", `quoted"client`), How: event.SameRecord, Confidence: "certain"}
	switch random.IntN(6) {
	case 0:
		client = event.Client{How: event.Unknown}
	case 1:
		client = event.Client{How: event.Ambiguous, Candidates: []string{"web-shop", "spa-bank"}}
	}
	synthetic := ""
	if random.IntN(10) == 0 {
		synthetic = "synthetic"
	}
	return event.Detection{
		Traffic: synthetic,
		Time:    at, Kind: kind[0], Rule: kind[1], Severity: kind[2], Confidence: "certain", Client: client,
		Fingerprint: base64.RawURLEncoding.EncodeToString(fingerprint), KeyID: "k1", Service: pick("login", "gateway", "shop"), Region: "eu-west-1",
		Where: event.Where{Topic: "app-logs", Offset: int64(i), Field: "value", Start: 1, End: 44}, Action: pick("mask", "mask", "mask", "report"),
	}
}

// expected computes a question's answer from the documents.
func expected(q question, p content.Panel, records []field.Record) map[string]string {
	groups := map[string][]field.Record{}
	for _, r := range records {
		if fits(p, r) {
			for _, key := range keys(q.buckets, r) {
				groups[key] = append(groups[key], r)
			}
		}
	}
	out := map[string]string{}
	for key, of := range groups {
		var values []string
		for _, m := range q.metrics {
			values = append(values, fmt.Sprintf("%s(%s)=%d", m.kind, m.field, computed(m, of)))
		}
		out[key] = strings.Join(values, " ")
	}
	return out
}

func fits(p content.Panel, r field.Record) bool {
	for name, values := range p.Where {
		if !slices.ContainsFunc(r.List(name), func(v string) bool { return slices.Contains(values, v) }) {
			return false
		}
	}
	return !r.Has("leakveil.traffic")
}

// keys are the groups that a document is in: one for each choice of values.
func keys(buckets []bucket, r field.Record) []string {
	all := []string{""}
	for i, b := range buckets {
		values := r.List(b.field)
		if b.kind == "date_histogram" {
			values = []string{r.Time(b.field).Truncate(time.Hour).Format(time.RFC3339)}
		}
		var next []string
		for _, key := range all {
			for _, v := range values {
				if i > 0 {
					v = key + " | " + v
				}
				next = append(next, v)
			}
		}
		all = next
	}
	return all
}

func computed(m metric, records []field.Record) int64 {
	different := map[string]bool{}
	var least, most int64
	for i, r := range records {
		for _, v := range r.List(m.field) {
			different[v] = true
		}
		if m.kind == "cardinality" {
			continue
		}
		at := r.Time(m.field).UnixMilli()
		if i == 0 || at < least {
			least = at
		}
		most = max(most, at)
	}
	switch m.kind {
	case "min":
		return least
	case "max":
		return most
	}
	return int64(len(different))
}
