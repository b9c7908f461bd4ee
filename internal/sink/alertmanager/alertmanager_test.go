package alertmanager_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/alertmanager"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

type alert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
}

func open(t *testing.T, url string) *alertmanager.Sink {
	t.Helper()
	s, err := alertmanager.New(alertmanager.Options{HTTP: transport.HTTPOptions{URL: url}, Labels: map[string]string{"team": "iam"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func post(t *testing.T, items []sink.Item) (alerts []alert) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/am/api/v2/alerts" || json.Unmarshal(body, &alerts) != nil {
			w.WriteHeader(404)
		}
	}))
	defer server.Close()
	for i, o := range open(t, server.URL+"/am/").Send(t.Context(), items).Outcomes {
		if o.Verdict != sink.Delivered {
			t.Fatalf("%d: %+v", i, o)
		}
	}
	return alerts
}

func TestAlerts(t *testing.T) {
	items := sinktest.Hostile(t)
	alerts := post(t, items)
	if len(alerts) != len(items) {
		t.Fatal(len(alerts))
	}
	seen := map[string]bool{}
	for _, a := range alerts {
		seen[a.Labels["alert_id"]] = true
		if a.Labels["team"] != "iam" || a.Labels["severity"] == "" || a.StartsAt.After(time.Now()) || a.EndsAt.Before(time.Now().Add(23*time.Hour)) {
			t.Errorf("%+v", a)
		}
		for name, value := range a.Labels {
			if value == "" || !utf8.ValidString(value) {
				t.Errorf("%s is %q", name, value)
			}
		}
	}
	if len(seen) != len(items) {
		t.Error(len(seen), "different alerts")
	}
}

// An update must be the same alert there: the same labels.
func TestUpdatesHaveTheSameLabels(t *testing.T) {
	d := sinktest.Detection("spa-bank", 1)
	second := d
	second.Where.Offset, second.Service = 9, "another"
	first, update := post(t, sinktest.Fold(t, d)), post(t, sinktest.Fold(t, d, second))
	if !maps.Equal(first[0].Labels, update[0].Labels) || update[0].Annotations["count"] != "2" {
		t.Error(first[0].Labels, update[0])
	}
}

func TestOutcomes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }))
	defer server.Close()
	items := sinktest.Items(t, 2)
	items[0].Document = []byte("{}")
	o := open(t, server.URL).Send(t.Context(), items).Outcomes
	if o[0].Verdict != sink.Reject || o[1].Verdict != sink.Split {
		t.Error(o)
	}
}

// A real Alertmanager takes every alert, and an update as the same alert.
func TestARealAlertmanager(t *testing.T) {
	url := backend.StartAlertmanager(t)
	items := sinktest.Hostile(t)
	for range 2 {
		for i, o := range open(t, url).Send(t.Context(), items).Outcomes {
			if o.Verdict != sink.Delivered {
				t.Fatalf("%d: %+v", i, o)
			}
		}
	}
	response, err := http.Get(url + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got []alert
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil || len(got) != len(items) {
		t.Fatal(len(got), err)
	}
}

// One with client certificates and a password takes those who have both.
func TestASecureAlertmanager(t *testing.T) {
	certs := backend.NewCerts(t)
	password := sinktest.Secret()
	url := backend.StartSecureAlertmanager(t, certs, password)
	t.Setenv("LEAKVEIL_TEST_PASSWORD", password)
	t.Setenv("LEAKVEIL_TEST_WRONG", sinktest.Secret())
	right := transport.HTTPOptions{
		URL: url, Username: "leakveil", Password: transport.Secret{Env: "LEAKVEIL_TEST_PASSWORD"},
		TLS: transport.TLS{CAFile: certs.CA, CertFile: certs.ClientCert, KeyFile: certs.ClientKey},
	}
	wrong, foreign := right, right
	wrong.Password.Env = "LEAKVEIL_TEST_WRONG"
	foreign.TLS.CertFile, foreign.TLS.KeyFile = certs.ForeignCert, certs.ForeignKey
	for name, c := range map[string]struct {
		o    transport.HTTPOptions
		want sink.Outcome
	}{
		"right":   {right, sink.Outcome{Verdict: sink.Delivered}},
		"wrong":   {wrong, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth}},
		"foreign": {foreign, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNetwork}},
	} {
		s, err := alertmanager.New(alertmanager.Options{HTTP: c.o})
		if err != nil {
			t.Fatal(err)
		}
		if o := s.Send(t.Context(), sinktest.Items(t, 1)).Outcomes[0]; o != c.want {
			t.Errorf("%s: %+v, not %+v", name, o, c.want)
		}
		_ = s.Close()
	}
}
