package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
)

// otlpMember is a process of leakveil run with an OTLP input; more is YAML.
func otlpMember(t *testing.T, more string) (m *member, address string) {
	t.Helper()
	m = &member{t: t, program: mustBinary(t), dir: t.TempDir(), listen: otlpnettest.FreeAddress(t)}
	address = otlpnettest.FreeAddress(t)
	text := fmt.Sprintf("input: {otlp: {enabled: true, grpc: \"\", http: %q}}\noutput: {file: {path: %s/out.ndjson}}\nfingerprint: {key_file: %s}\nhttp: {listen: %q}\n%s",
		address, m.dir, newKey(t), m.listen, bytes.ReplaceAll([]byte(more), []byte("DIR"), []byte(m.dir)))
	if err := os.WriteFile(filepath.Join(m.dir, "leakveil.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.kill)
	return m, address
}

// leaks is a request of OTLP with one secret for each client.
func leaks(p *planted, clients ...string) []byte {
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, client := range clients {
		r := list.AppendEmpty()
		r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		r.Body().SetStr("POST /token client_id=" + client + "&code_verifier=" + p.secret())
	}
	body, _ := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	return body
}

// clientsOf adds the clients that a webhook's body or a file's lines name.
func clientsOf(to map[string]int64, text []byte) {
	type alerted struct {
		Leakveil struct {
			Count  int64
			Client struct{ ID string }
		}
	}
	var all struct{ Alerts []alerted }
	if json.Unmarshal(text, &all) != nil || all.Alerts == nil {
		for line := range bytes.Lines(text) {
			var one alerted
			if json.Unmarshal(line, &one) == nil {
				all.Alerts = append(all.Alerts, one)
			}
		}
	}
	for _, a := range all.Alerts {
		to[a.Leakveil.Client.ID] = max(to[a.Leakveil.Client.ID], a.Leakveil.Count)
	}
}

// A request over OTLP is answered when its detections are durable in the store: after
// every kill -9, each client of an answered request is in an alert at every sink, once,
// and no byte of a secret is on the disk.
func TestOTLPStoreSurvivesKills(t *testing.T) {
	var mu sync.Mutex
	posted, raw := map[string]int64{}, bytes.Buffer{}
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		raw.Write(body)
		clientsOf(posted, body)
	}))
	defer web.Close()
	m, address := otlpMember(t, fmt.Sprintf(`alerts:
  interval: 1s
  store: {path: DIR/alerts.db}
  sinks:
    - {name: web, type: webhook, url: %q, every_state: true}
    - {name: file, type: file, path: DIR/sink.ndjson, every_state: true}
`, web.URL))
	p := &planted{t: t}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var answered []string
	kills := 6
	for round := range kills + 1 {
		m.start()
		await(t, "getting ready", []*member{m}, m.ready)
		var senders sync.WaitGroup
		var done atomic.Int32
		for s := range 4 {
			var bodies [][]byte
			var clients [][]string
			for i := range 10 {
				var some []string
				for j := range 5 {
					some = append(some, fmt.Sprintf("client-%d-%d-%d-%d", round, s, i, j))
				}
				bodies, clients = append(bodies, leaks(p, some...)), append(clients, some)
			}
			senders.Go(func() {
				for i, body := range bodies {
					if once(ctx, address, body) {
						mu.Lock()
						answered = append(answered, clients[i]...)
						mu.Unlock()
						done.Add(1)
					}
				}
			})
		}
		if round < kills { // somewhere in the middle
			await(t, "some requests", nil, func() bool { return int(done.Load()) >= 5+5*round })
			m.kill()
		}
		senders.Wait()
	}
	if len(answered) < 500 {
		t.Fatalf("only %d clients were answered", len(answered))
	}
	missing := func(have map[string]int64) bool {
		return slices.ContainsFunc(answered, func(client string) bool { return have[client] == 0 })
	}
	await(t, "the webhook", []*member{m}, func() bool { mu.Lock(); defer mu.Unlock(); return !missing(posted) })
	inFile := map[string]int64{}
	await(t, "the file", []*member{m}, func() bool {
		text, _ := os.ReadFile(filepath.Join(m.dir, "sink.ndjson"))
		clientsOf(inFile, text)
		return !missing(inFile)
	})
	if code := m.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, m.tail())
	}
	for client, count := range posted {
		if count != 1 {
			t.Errorf("%s: %d detections, 1 was sent", client, count)
		}
	}
	texts := map[string][]byte{"webhook": raw.Bytes()}
	err := filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			texts[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		if form := p.all.in(text); form != "" {
			t.Errorf("%s holds a secret (%s)", name, form)
		}
	}
}

// once sends a request one time.
func once(ctx context.Context, address string, body []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/logs", bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK
}
