package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// counting is a webhook's receiver that remembers how often it got each document.
type counting struct {
	mu    sync.Mutex
	times map[string]int   // by alert id and sequence
	alert map[string]int64 // highest sequence of each id
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var got struct{ Alerts []json.RawMessage }
	if err != nil || json.Unmarshal(body, &got) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, document := range got.Alerts {
		one := map[string]int64{}
		note(one, document)
		for id, sequence := range one {
			c.times[fmt.Sprintf("%s-%d", id, sequence)]++
		}
		note(c.alert, document)
	}
}

// twice is how many documents came more than once.
func (c *counting) twice() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, times := range c.times {
		if times > 1 {
			n++
		}
	}
	return n
}

func (c *counting) covers(want map[string]int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return covers(c.alert, want)
}

// Two members of run fold alerts onto the topic and have no sinks; forward carries
// every state to the sink, once, whoever is stopped, and loses none when it is killed.
// The command line works on its database all the while.
func TestForward(t *testing.T) {
	b := broker(t)
	receiver := &counting{times: map[string]int{}, alert: map[string]int64{}}
	web := httptest.NewServer(receiver)
	defer web.Close()
	store := filepath.Join(t.TempDir(), "alerts.db")
	s := setup{broker: b.Addr(), group: "forwarded", input: "forwarded-in", noAlertsFile: true, alertsKafka: ", forward: true"}
	s.alertsMore = fmt.Sprintf("  store: {path: %s}\n  notify: {group_wait: 0s, group_interval: 1s}\n  sinks: [{name: web, type: webhook, url: %q, every_state: true}]\n", store, web.URL)
	s.topics(t, b, 4)
	key := newKey(t)
	members := []*member{newMember(t, s, key), newMember(t, s, key), newMember(t, s, key)}
	runs, forward := members[:2], members[2]
	forward.command = "forward"
	for _, m := range members {
		m.start()
	}
	client := &kafkago.Client{Addr: kafkago.TCP(b.Addr())}
	const rounds, each = 5, 40
	for round := range rounds {
		var batch []*kgo.Record
		for i := range each {
			batch = append(batch, &kgo.Record{Topic: s.input, Partition: int32(i % 4),
				Value: fmt.Appendf(nil, "POST /token client_id=client-%d&code_verifier=%s", i%20, randomSecret())})
		}
		produce(t, b.Addr(), batch...)
		switch round {
		case 0:
			await(t, "alerts of the first round", members, func() bool { return receiver.covers(onTopic(t, b.Addr(), s.alerts())) })
		case 1: // a member's partitions move
			if code := runs[0].stop(); code != 0 {
				t.Errorf("exit code %d\n%s", code, runs[0].tail())
			}
			runs[0].start()
		case 2:
			if code := forward.stop(); code != 0 {
				t.Errorf("exit code %d\n%s", code, forward.tail())
			}
			forward.start()
		case 3:
			await(t, "alerts before the kill", members, func() bool { return receiver.covers(onTopic(t, b.Addr(), s.alerts())) })
			if n := receiver.twice(); n > 0 {
				t.Errorf("%d documents came twice, and nobody was killed", n)
			}
			forward.kill()
			forward.start()
		}
		for _, args := range [][]string{{"alerts", "list"}, {"clients"}, {"alerts", "ack", "--client", "client-0"}} {
			out, err := exec.Command(mustBinary(t), append(args, "--config", filepath.Join(forward.dir, "leakveil.yaml"))...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
		}
	}
	total := func() (n int64) {
		for _, sequence := range onTopic(t, b.Addr(), s.alerts()) {
			n += sequence
		}
		return n
	}
	await(t, "all detections in alerts on the topic", members, func() bool { return total() >= rounds*each })
	await(t, "the sink", members, func() bool { return receiver.covers(onTopic(t, b.Addr(), s.alerts())) })
	await(t, "the commits of forward", members, func() bool { return lag(client, s.group+".forward", s.alerts(), 3) == 0 })
	for _, m := range members {
		if code := m.stop(); code != 0 {
			t.Errorf("exit code %d\n%s", code, m.tail())
		}
	}
	out, err := exec.Command(mustBinary(t), "alerts", "export", "--store", store, "--format", "ndjson").Output()
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]int64{}
	for line := range strings.Lines(string(out)) {
		note(exported, []byte(line))
	}
	want := onTopic(t, b.Addr(), s.alerts())
	if len(exported) != len(want) || !covers(exported, want) {
		t.Errorf("%d alerts are stored, %d are on the topic", len(exported), len(want))
	}
	if receiver.twice() > 200 { // what was on its way when it was killed: one batch
		t.Errorf("%d documents came twice", receiver.twice())
	}
}

// Where run serves the sinks itself, forward would send everything twice.
func TestForwardRefusesWhatRunForwards(t *testing.T) {
	b := broker(t)
	s := setup{broker: b.Addr(), group: "unforwarded", input: "unforwarded-in", noAlertsFile: true}
	s.alertsMore = fmt.Sprintf("  store: {path: %s}\n", filepath.Join(t.TempDir(), "alerts.db"))
	m := newMember(t, s, newKey(t))
	out, err := exec.Command(mustBinary(t), "forward", "--config", filepath.Join(m.dir, "leakveil.yaml")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "alerts.kafka.forward is false") {
		t.Fatalf("%v\n%s", err, out)
	}
}
