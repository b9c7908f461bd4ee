package app_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// moody is a webhook's receiver: every third request it says 503, every fifth it
// takes and then breaks the connection.
type moody struct {
	mu    sync.Mutex
	n     int
	all   bytes.Buffer
	alert map[string]int64 // highest sequence of each id
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	if err != nil || m.n%3 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	m.all.Write(body)
	var got struct{ Alerts []json.RawMessage }
	if json.Unmarshal(body, &got) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, document := range got.Alerts {
		note(m.alert, document)
	}
	if m.n%5 == 0 {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	}
}

// note keeps the highest sequence of an alert's document.
func note(highest map[string]int64, document []byte) {
	var doc struct {
		Leakveil struct {
			Alert struct {
				ID       string
				Sequence int64
			}
		}
	}
	if json.Unmarshal(document, &doc) == nil && doc.Leakveil.Alert.ID != "" {
		a := doc.Leakveil.Alert
		highest[a.ID] = max(highest[a.ID], a.Sequence)
	}
}

func linesOf(t *testing.T, path string) map[string]int64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	highest := map[string]int64{}
	for _, line := range bytes.Split(text, []byte("\n")) {
		note(highest, line)
	}
	return highest
}

func covers(have, want map[string]int64) bool {
	for id, sequence := range want {
		if have[id] < sequence {
			return false
		}
	}
	return len(want) > 0
}

// Every alert on the topic reaches every sink that lives, while one sink is dead
// all the time, another fails now and then, and the process is killed.
func TestAlertsReachEverySink(t *testing.T) {
	b := broker(t)
	receiver := &moody{alert: map[string]int64{}}
	web := httptest.NewServer(receiver)
	defer web.Close()
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	deadAddress := dead.Addr().String()
	_ = dead.Close()
	dir := t.TempDir()
	file, store := filepath.Join(dir, "sink.ndjson"), filepath.Join(dir, "alerts.db")
	s := setup{broker: b.Addr(), group: "sinks", input: "sinks-in"}
	s.alertsMore = fmt.Sprintf(`  store: {path: %s}
  notify: {group_wait: 1s, group_interval: 2s, rate: {global: 0}}
  sinks:
    - {name: dead, type: otlp, url: "http://%s"}
    - {name: web, type: webhook, url: %q}
    - {name: file, type: file, path: %s}
`, store, deadAddress, web.URL, file)
	s.topics(t, b, 2)
	m := newMember(t, s, newKey(t))
	var secrets []string
	const rounds = 4
	for round := range rounds {
		m.start()
		var batch []*kgo.Record
		for i := range 50 {
			secret := make([]byte, 32)
			_, _ = rand.Read(secret)
			verifier := base64.RawURLEncoding.EncodeToString(secret)
			secrets = append(secrets, verifier)
			batch = append(batch, &kgo.Record{Topic: s.input, Partition: int32(i % 2),
				Value: fmt.Appendf(nil, "POST /token client_id=client-%d-%d&code_verifier=%s", round, i, verifier)})
		}
		produce(t, b.Addr(), batch...)
		want := (round + 1) * 50
		await(t, "alerts on the topic", []*member{m}, func() bool { return len(onTopic(t, b.Addr(), s.alerts())) >= want })
		work(t, m, round)
		if round < rounds-1 {
			m.kill()
		}
	}
	want := onTopic(t, b.Addr(), s.alerts())
	await(t, "the file", []*member{m}, func() bool { return covers(linesOf(t, file), want) })
	await(t, "the webhook", []*member{m}, func() bool {
		receiver.mu.Lock()
		defer receiver.mu.Unlock()
		return covers(receiver.alert, want)
	})
	if code := m.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, m.tail())
	}
	texts := map[string][]byte{"webhook": receiver.all.Bytes(), "log": m.log()}
	for _, path := range []string{file, store, store + "-wal"} {
		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		texts[path] = text
	}
	for name, text := range texts {
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				t.Fatalf("%s holds a secret", name)
			}
		}
	}
	if !bytes.Contains(m.log(), []byte("sink=dead")) {
		t.Error("the log does not say that a sink is dead")
	}
}

// work is what people do with the database of a member that runs.
func work(t *testing.T, m *member, round int) {
	t.Helper()
	for _, args := range [][]string{
		{"alerts", "list", "--since", "1d"}, {"clients", "--severity", "low"}, {"alerts", "ack", "--client", fmt.Sprintf("client-%d-1", round), "--note", "seen"},
		{"alerts", "export"}, {"alerts", "replay", "--sink", "file", "--client", fmt.Sprintf("client-%d-2", round)},
	} {
		if out, err := exec.Command(mustBinary(t), append(args, "--config", filepath.Join(m.dir, "leakveil.yaml"))...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
}

// onTopic returns the highest sequence of each alert on the topic.
func onTopic(t *testing.T, address, topic string) map[string]int64 {
	t.Helper()
	highest := map[string]int64{}
	for _, r := range readAll(t, address, topic, 3) {
		note(highest, r.Value)
	}
	return highest
}
