package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/outbox"
	"github.com/leakveil/leakveil/internal/store"
)

// leaked is what a test puts into a database: so many detections of one alert.
type leaked struct {
	client, kind, rule, severity, service string
	ago                                   time.Duration
	expires                               time.Duration // from now; 0: none
	synthetic                             bool
	n                                     int
}

var leaks = []leaked{
	{"spa-bank", "code_verifier", "pkce-verifier", "medium", "login", time.Hour, 0, false, 3},
	{"spa-bank", "refresh_token", "refresh-token", "critical", "gateway", 2 * time.Hour, 0, false, 2},
	{"ci-bot", "access_token", "github-oauth-token", "critical", "build", 5 * time.Minute, 0, false, 1},
	{"=cmd|x", "access_token", "access-token", "high", "login", 30 * time.Hour, -time.Hour, false, 1},
	{"probe", "access_token", "access-token", "high", "probe", time.Minute, 0, true, 4},
	{"", "session_cookie", "session-cookie", "high", "web", 26 * time.Hour, time.Hour, false, 1},
}

// database makes one with the leaks and returns its path and the alerts' ids, in the
// order of the leaks.
func database(t *testing.T) (path string, ids []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "alerts.db")
	s, err := store.Open(t.Context(), store.Options{Path: path, Readers: []string{"siem"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fold, err := alert.NewFold(alert.Config{Key: bytes.Repeat([]byte("k"), 32), Window: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	now, at := time.Now(), int64(0)
	for i, l := range leaks {
		for n := range l.n {
			d := event.Detection{
				Time: now.Add(-l.ago), Kind: l.kind, Rule: l.rule, Severity: l.severity, Confidence: "certain", Service: l.service, KeyID: "k1", Action: "mask",
				Client:      event.Client{ID: l.client, How: event.SameRecord, Confidence: "certain"},
				Fingerprint: fmt.Sprintf("fingerprint-of-%07d", 10*i+n), Where: event.Where{Topic: "app-logs", Offset: at, Field: "value", Start: 3, End: 46},
			}
			if l.client == "" {
				d.Client = event.Client{How: event.Unknown}
			}
			if l.expires != 0 {
				d.Expires = now.Add(l.expires)
			}
			if l.synthetic {
				d.Traffic = event.Synthetic
			}
			d.ID = alert.DetectionID([]byte("k"), d.Where, d.Rule)
			fold.Add(at, now, d)
			at++
		}
		a := fold.Flush()[0]
		ids = append(ids, a.ID)
		if err := s.Append(t.Context(), []outbox.Entry{{ID: fmt.Sprintf("%s-%d", a.ID, a.Sequence), Data: alert.MarshalAlert(a)}}); err != nil {
			t.Fatal(err)
		}
	}
	return path, ids
}

// listed are the ids that a command lists, in order.
func listed(t *testing.T, got ran) (ids []string) {
	t.Helper()
	got.want(t, 0)
	for l := range strings.Lines(got.stdout) {
		var one struct{ ID, State string }
		if err := json.Unmarshal([]byte(l), &one); err != nil || one.ID == "" {
			t.Fatalf("%v: %s", err, l)
		}
		ids = append(ids, one.ID)
	}
	return ids
}

func TestAlertsList(t *testing.T) {
	path, ids := database(t)
	for line, want := range map[string][]int{
		"":                                       {2, 0, 1, 5, 3},
		"--limit 2":                              {2, 0},
		"--client spa-bank":                      {0, 1},
		"--client unknown":                       {5},
		"--kind access_token":                    {2, 3},
		"--service login":                        {0, 3},
		"--severity critical":                    {2, 1},
		"--state expired":                        {3},
		"--state open":                           {2, 0, 1, 5},
		"--state expired,closed --state open":    {2, 0, 1, 5, 3},
		"--since 90m":                            {2, 0},
		"--since 1d":                             {2, 0, 1},
		"--until 1d":                             {5, 3},
		"--since 2000-01-01 --until 2000-01-02":  nil,
		"--since 2000-01-01T00:00:00Z":           {2, 0, 1, 5, 3},
		"--synthetic":                            {4},
		"--fingerprint fingerprint-of-0000001":   {0},
		"--client spa-bank --kind refresh_token": {1},
		"--client nobody":                        nil,
		"--client spa-bank --severity high --since 9d": {1},
	} {
		got := listed(t, leakveil(t, "", append([]string{"alerts", "list", "--store", path, "--format", "json"}, strings.Fields(line)...)...))
		var wanted []string
		for _, i := range want {
			wanted = append(wanted, ids[i])
		}
		if strings.Join(got, " ") != strings.Join(wanted, " ") {
			t.Errorf("%s: %v, want %v", line, got, wanted)
		}
	}
	leakveil(t, "", "alerts", "list", "--store", path).want(t, 0, "ALERT", "STATE", "spa-bank", "expired", "unknown", "2h ago", ids[0])
	leakveil(t, "", "alerts", "list", "--store", path, "--limit", "1").want(t, 0, "there are more")
	leakveil(t, "", "alerts", "list", "--store", path, "--client", "nobody").want(t, 0, "no alert fits")
	leakveil(t, "", "alerts", "list", "--store", path, "--client", "nobody", "--format", "csv").want(t, 0, "id,state,severity")
}

// A spreadsheet must not take a client id for a formula.
func TestAlertsCSV(t *testing.T) {
	path, _ := database(t)
	for _, command := range [][]string{{"alerts", "export"}, {"clients", "--state", "open,expired"}} {
		got := leakveil(t, "", append(command, "--store", path, "--format", "csv")...)
		got.want(t, 0)
		rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
		if err != nil || len(rows) < 4 {
			t.Fatal(len(rows), err)
		}
		safe := false
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
					t.Errorf("%v: %q", command, cell)
				}
				safe = safe || cell == "'=cmd|x"
			}
		}
		if !safe {
			t.Errorf("%v: %v", command, rows)
		}
	}
}

func TestAlertsShow(t *testing.T) {
	path, ids := database(t)
	leakveil(t, "", "alerts", "show", "--store", path, "--", ids[2]).want(t, 0, "ci-bot", "https://api.github.com/credentials/revoke", "topic app-logs", "access_token")
	leakveil(t, "", "alerts", "show", "--store", path, "--system", "keycloak", "--", ids[1][:9]).want(t, 0, "/protocol/openid-connect/revoke", "fingerprint-of-0000010")
	leakveil(t, "", "alerts", "show", "--store", path, "--", ids[4]).want(t, 0, "synthetic", "nobody")
	got := leakveil(t, "", "alerts", "show", "--store", path, "--format", "json", "--", ids[1])
	if all := listed(t, got); len(all) != 1 || all[0] != ids[1] {
		t.Error(all)
	}
	leakveil(t, "", "alerts", "show", "--store", path, "nothing").want(t, 1, "no alert has this id")
	leakveil(t, "", "alerts", "show", "--store", path, "--system", "nothing", "x").want(t, 2, "is none of", "keycloak")
}

func TestAlertsStates(t *testing.T) {
	path, ids := database(t)
	run := func(code int, want string, args ...string) {
		t.Helper()
		leakveil(t, "", append([]string{"alerts", args[0], "--store", path}, args[1:]...)...).want(t, code, want)
	}
	state := func(i int, want string) {
		t.Helper()
		run(0, "state", "show", "--", ids[i])
		if got := leakveil(t, "", "alerts", "show", "--store", path, "--", ids[i]); !strings.Contains(got.stdout, want) {
			t.Errorf("%d is not %s:\n%s", i, want, got.stdout)
		}
	}
	run(0, "2 alerts now acknowledged", "ack", "--by", "ana", "--note", "rotating", "--", ids[0], ids[1][:8])
	state(0, "acknowledged, ")
	state(1, "by ana, rotating")
	run(0, "2 alerts now revoked", "close", "--revoked", "--client", "spa-bank")
	state(0, "revoked")
	run(0, "1 alert now closed", "close", "--", ids[2])
	state(2, "closed")
	run(0, "1 alert now open", "reopen", "--", ids[2])
	state(2, "open")
	run(1, "no alert has this id", "ack", "--", ids[2], "nothing")
	state(2, "open") // all or none
	run(2, "name alerts by their ids", "ack")
	run(2, "not both", "ack", "--client", "spa-bank", "--", ids[2])
	run(0, "0 alerts now closed", "close", "--client", "nobody")
	run(2, "ids that begin with - stand behind --", "ack", "-Zx")
}

func TestAlertsExport(t *testing.T) {
	path, ids := database(t)
	file := filepath.Join(t.TempDir(), "out.ndjson")
	leakveil(t, "", "alerts", "export", "--store", path, "--output", file).want(t, 0, "5 alerts")
	text, err := os.ReadFile(file)
	if err != nil || bytes.Count(text, []byte("\n")) != 5 || !bytes.Contains(text, []byte(ids[0])) {
		t.Fatalf("%v %s", err, text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	leakveil(t, "", "alerts", "export", "--store", path, "--output", file).want(t, 2, "file exists")
}

func TestClients(t *testing.T) {
	path, _ := database(t)
	got := leakveil(t, "", "clients", "--store", path)
	got.want(t, 0, "CLIENT", "ci-bot", "spa-bank", "unknown", "revoke refresh_token", "end_session session_cookie")
	if strings.Contains(got.stdout, "probe") || strings.Contains(got.stdout, "cmd|x") {
		t.Error(got.stdout)
	}
	if ci, spa := strings.Index(got.stdout, "ci-bot"), strings.Index(got.stdout, "spa-bank"); ci > spa {
		t.Error("the latest of the gravest is first:\n" + got.stdout)
	}
	one := leakveil(t, "", "clients", "--store", path, "--client", "spa-bank", "--system", "okta")
	one.want(t, 0, "1. revoke refresh_token (critical", "2. wait_or_end_session code_verifier", "/clients/{client}/tokens", "services: gateway, login")
	var line struct {
		Client string
		Steps  []struct {
			Kind, System string
			Calls        []struct{ Call string }
		}
	}
	out := leakveil(t, "", "clients", "--store", path, "--client", "ci-bot", "--format", "json").stdout
	if err := json.Unmarshal([]byte(out), &line); err != nil || line.Steps[0].System != "github" || len(line.Steps[0].Calls) != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	leakveil(t, "", "clients", "--store", path, "--client", "nobody").want(t, 0, "no client is affected")
}

func TestAlertsReplayAndDead(t *testing.T) {
	path, ids := database(t)
	s, err := store.Open(t.Context(), store.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	last, err := s.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := func() (got []string) {
		t.Helper()
		entries, err := s.View("siem").Read(t.Context(), last, 100, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got, last = append(got, e.ID), e.Seq
		}
		return got
	}
	for range 2 { // again and again
		leakveil(t, "", "alerts", "replay", "--store", path, "--sink", "siem", "--client", "spa-bank").want(t, 0, "2 documents for siem in the outbox")
		if got := read(); len(got) != 2 || got[0] != ids[1]+"-2" || got[1] != ids[0]+"-3" {
			t.Fatal(got)
		}
	}
	leakveil(t, "", "alerts", "dead", "--store", path).want(t, 0, "no dead letters")
	if err := s.Advance(t.Context(), "siem", last, []outbox.Dead{{Entry: outbox.Entry{ID: "x-1", Data: []byte("{}")}, Reason: "refused"}}); err != nil {
		t.Fatal(err)
	}
	leakveil(t, "", "alerts", "dead", "--store", path).want(t, 0, "siem", "refused", "x-1")
	leakveil(t, "", "alerts", "dead", "--store", path, "--forget", "gone").want(t, 0, "0 dead letters of gone deleted")
	leakveil(t, "", "alerts", "replay", "--store", path, "--sink", "siem", "--dead").want(t, 0, "1 document for siem in the outbox")
	if got := read(); len(got) != 1 || got[0] != "x-1" {
		t.Fatal(got)
	}
	leakveil(t, "", "alerts", "dead", "--store", path).want(t, 0, "no dead letters")
	leakveil(t, "", "alerts", "replay", "--store", path, "--sink", "nothing").want(t, 2, "knows no sink of this name")
}

func TestAlertsTest(t *testing.T) {
	var status atomic.Int32
	status.Store(200)
	var body atomic.Value
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body.Store(string(text))
		w.WriteHeader(int(status.Load()))
	}))
	defer web.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "leakveil.yaml")
	text := fmt.Sprintf(`input: {kafka: {brokers: ["127.0.0.1:9"], topics: [a]}}
fingerprint: {key_file: /nowhere}
alerts:
  store: {path: %s/alerts.db}
  sinks: [{name: chat, type: webhook, url: %q}]
`, dir, web.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	leakveil(t, "", "alerts", "test", "--config", file, "--sink", "chat").want(t, 0, "chat took the test alert")
	for _, part := range []string{`"traffic":"test"`, "leakveil-test", `"severity":"info"`} {
		if got, _ := body.Load().(string); !strings.Contains(got, part) {
			t.Errorf("%s is not in %s", part, got)
		}
	}
	status.Store(401)
	leakveil(t, "", "alerts", "test", "--config", file, "--sink", "chat").want(t, 1, "did not take the test alert: unauthorized")
	leakveil(t, "", "alerts", "test", "--config", file, "--sink", "siem").want(t, 2, "no sink of the configuration has this name; it has: chat")
	leakveil(t, "", "alerts", "list", "--config", file).want(t, 2, "no such file")
	if _, err := os.Stat(filepath.Join(dir, "alerts.db")); !os.IsNotExist(err) {
		t.Error("a database was made", err)
	}
}

func TestAlertsWrongUse(t *testing.T) {
	path, _ := database(t)
	for line, want := range map[string]string{
		"alerts":                                             "say which: list, show, ack",
		"alerts list":                                        "name the configuration of run",
		"alerts list --config a --store b":                   "keep one",
		"alerts list --store /nowhere":                       "no such file",
		"alerts list --store S --kind x":                     "is no kind",
		"alerts list --store S --severity x":                 "is none of info",
		"alerts list --store S --state x":                    "is none of open",
		"alerts list --store S --since yesterday":            "is no time",
		"alerts list --store S --format xml":                 "is none of",
		"alerts list --store S --limit 0":                    "want 1 to",
		"alerts dead --store S --limit 0":                    "want 1 or more",
		"alerts show --store S":                              "accepts 1 arg",
		"alerts replay --store S":                            "--sink is missing",
		"alerts replay --store S --sink a --dead --kind jwt": "goes with no filter",
		"alerts test":                                        "--config and --sink are needed",
		"clients --store S --system x":                       "is none of",
		"clients --store S --limit -1":                       "want 1 or more",
	} {
		got := leakveil(t, "", strings.Fields(strings.ReplaceAll(line, "S ", path+" "))...)
		if strings.HasSuffix(line, " S") {
			got = leakveil(t, "", strings.Fields(strings.TrimSuffix(line, "S")+path)...)
		}
		got.want(t, 2, "leakveil: ", want)
	}
	for _, flag := range []string{"--note", "--by"} {
		for _, text := range []string{"x\x1b[31m", "x\ny", "x\xff", strings.Repeat("x", 1025)} {
			leakveil(t, "", "alerts", "ack", "--store", path, flag, text, "h3Vb").want(t, 2, "leakveil: ", flag+": ")
		}
	}
	damaged := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	leakveil(t, "", "alerts", "list", "--store", damaged).want(t, 1, "is damaged", "move it away")
}
