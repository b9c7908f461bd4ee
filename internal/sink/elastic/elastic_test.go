package elastic_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/elastic"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

var update = flag.Bool("update", false, "write deploy/siem/opensearch/index-template.json anew")

func open(t *testing.T, o elastic.Options) *elastic.Sink {
	t.Helper()
	s, err := elastic.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func fake(t *testing.T, answer http.HandlerFunc) *elastic.Sink {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return open(t, elastic.Options{HTTP: transport.HTTPOptions{URL: server.URL}})
}

func TestTemplateFileIsTheTable(t *testing.T) {
	path := "../../../deploy/siem/opensearch/index-template.json"
	want := elastic.Template(elastic.DefaultStream)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s is not the table: go test ./internal/sink/elastic -update (%v)", path, err)
	}
}

func TestPoliciesAreJSON(t *testing.T) {
	for _, name := range []string{"opensearch/ism-policy.json", "elasticsearch/ilm-policy.json"} {
		text, err := os.ReadFile(filepath.Join("../../../deploy/siem", name))
		if err != nil || !json.Valid(text) {
			t.Error(name, err)
		}
	}
}

func TestBodyHasTwoLinesADocument(t *testing.T) {
	items := sinktest.Hostile(t)
	var body []byte
	fake(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		if r.URL.Path != "/logs-leakveil.alert-default/_bulk" || r.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Error(r.URL, r.Header)
		}
	}).Send(t.Context(), items)
	lines := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	if len(lines) != 2*len(items) {
		t.Fatalf("%d lines for %d documents", len(lines), len(items))
	}
	for i, item := range items {
		var action struct {
			Create struct {
				ID string `json:"_id"`
			}
		}
		if err := json.Unmarshal(lines[2*i], &action); err != nil || action.Create.ID != item.ID || !bytes.Equal(lines[2*i+1], item.Document) {
			t.Errorf("%d: %s %v", i, lines[2*i], err)
		}
	}
}

// Per-item statuses are told apart; what the server quotes goes nowhere.
func TestItemsAreToldApart(t *testing.T) {
	statuses := []int{201, 200, 409, 400, 429, 503, 500, 403, 404, 401, 413, 999, 0}
	want := []sink.Outcome{
		{Verdict: sink.Delivered}, {Verdict: sink.Delivered}, {Verdict: sink.Delivered}, {Verdict: sink.Reject, Reason: sink.ReasonRefused},
		{Verdict: sink.Retry, Reason: sink.ReasonBusy}, {Verdict: sink.Retry, Reason: sink.ReasonBusy}, {Verdict: sink.Retry, Reason: sink.ReasonServer},
		{Verdict: sink.Retry, Reason: sink.ReasonAuth}, {Verdict: sink.Retry, Reason: sink.ReasonNotFound}, {Verdict: sink.Retry, Reason: sink.ReasonAuth},
		{Verdict: sink.Reject, Reason: sink.ReasonTooLarge}, {Verdict: sink.Retry, Reason: sink.ReasonServer}, {Verdict: sink.Retry, Reason: sink.ReasonServer},
	}
	secret := sinktest.Secret()
	report := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		var items []string
		for _, status := range statuses {
			items = append(items, fmt.Sprintf(`{"create":{"status":%d,"error":{"reason":%q}}}`, status, secret))
		}
		fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
	}).Send(t.Context(), sinktest.Items(t, len(statuses)))
	for i, o := range report.Outcomes {
		if o != want[i] {
			t.Errorf("%d: %+v", statuses[i], o)
		}
	}
}

func TestAnswersWithoutSense(t *testing.T) {
	for _, answer := range []string{"", "{}", "<html>", `{"items":[]}`, `{"items":[{"create":{"status":201}},{"create":{"status":201}}]}`} {
		s := fake(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
		if o := s.Send(t.Context(), sinktest.Items(t, 1)).Outcomes[0]; o != (sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}) {
			t.Errorf("%s: %+v", answer, o)
		}
	}
	cut := fake(t, func(w http.ResponseWriter, _ *http.Request) { // accepted, then the connection breaks
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"items":[{"create":{"status":201}}`))
	})
	if o := cut.Send(t.Context(), sinktest.Items(t, 1)).Outcomes[0]; o.Verdict != sink.Retry {
		t.Errorf("%+v", o)
	}
}

func TestMalformedDocumentsAreNotSent(t *testing.T) {
	items := sinktest.Items(t, 3)
	items[0].Document = []byte("{\n}")
	items[2].Document = []byte(`{"half`)
	o := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"items":[{"create":{"status":201}}]}`))
	}).Send(t.Context(), items).Outcomes
	if o[0].Verdict != sink.Reject || o[1].Verdict != sink.Delivered || o[2].Verdict != sink.Reject {
		t.Error(o)
	}
}

func TestTemplateIsInstalledBeforeTheFirstDocument(t *testing.T) {
	var paths []string
	status := 403
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.Method+" "+r.URL.Path)
		if r.Method == http.MethodPut {
			w.WriteHeader(status)
			return
		}
		_, _ = w.Write([]byte(`{"items":[{"create":{"status":201}}]}`))
	}))
	defer server.Close()
	s := open(t, elastic.Options{HTTP: transport.HTTPOptions{URL: server.URL}, InstallTemplate: true, Stream: "alerts"})
	for _, status = range []int{403, 400} {
		if o := s.Send(t.Context(), sinktest.Items(t, 1)).Outcomes[0]; o.Verdict != sink.Retry {
			t.Errorf("%+v", o)
		}
	}
	status = 200
	for range 2 {
		if o := s.Send(t.Context(), sinktest.Items(t, 1)).Outcomes[0]; o.Verdict != sink.Delivered {
			t.Errorf("%+v", o)
		}
	}
	put, bulk := "PUT /_index_template/leakveil-alerts", "POST /alerts/_bulk"
	if got := strings.Join(paths, ", "); got != strings.Join([]string{put, put, put, bulk, bulk}, ", ") {
		t.Error(got)
	}
}

func TestBadOptions(t *testing.T) {
	for _, stream := range []string{"Upper", "a/b", "a*", "-a", "_a", "a b", strings.Repeat("a", 300)} {
		if _, err := elastic.New(elastic.Options{HTTP: transport.HTTPOptions{URL: "https://h"}, Stream: stream}); err == nil {
			t.Errorf("%s was taken", stream)
		}
	}
}
