package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// scale is how hard a run is.
type scale struct {
	detections, kills int
	window            time.Duration // of one mood of one receiver
	patience          time.Duration
}

func scaleOf() scale {
	if os.Getenv("LEAKVEIL_LONG") != "" {
		return scale{100_000, 50, 4 * time.Second, 40 * time.Minute}
	}
	return scale{2000, 4, 300 * time.Millisecond, 5 * time.Minute}
}

// perRequest is how many detections one request of OTLP has.
const perRequest = 50

// soc are the receivers of a test, and their configuration.
type soc struct {
	doubles []*double
	config  string
}

func newSOC(t *testing.T, dir string) *soc {
	t.Helper()
	s := &soc{}
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("a-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	add := func(name, format string, args ...any) {
		s.config += fmt.Sprintf("    - {name: %s, every_state: true, "+format+"}\n", append([]any{name}, args...)...)
	}
	double := func(name string) *double {
		d := newDouble(name)
		s.doubles = append(s.doubles, d)
		return d
	}
	add("elastic", "type: elasticsearch, url: %q, gzip: true", double("elastic").serve(t, bulk))
	add("splunk", "type: splunk_hec, url: %q, token_file: %s, ack: true", double("splunk").serve(t, hec), token)
	add("otlp-grpc", "type: otlp, url: %q", double("otlp-grpc").serveGRPC(t))
	add("otlp-http", "type: otlp, protocol: http, url: %q", double("otlp-http").serve(t, otlpHTTP))
	add("manager", "type: alertmanager, url: %q", double("manager").serve(t, managed))
	add("hook", "type: webhook, url: %q", double("hook").serve(t, hook))
	add("kafka", "type: kafka, protocol: tcp, brokers: [%q], topic: soc", double("kafka").serveKafka(t))
	add("file", "type: file, path: DIR/sink.ndjson, max_bytes: 1GiB")
	return s
}

// disturb gives every receiver each mood in turn, over and over, until ctx ends. Each goes
// at a pace of its own, so that they are at different moods at the same time.
func (s *soc) disturb(ctx context.Context, window time.Duration) {
	var all sync.WaitGroup
	for i, d := range s.doubles {
		all.Go(func() {
			for turn := i; ctx.Err() == nil; turn++ {
				for _, mood := range []fault{faults[turn%len(faults)], well} {
					d.set(mood)
					select {
					case <-time.After(window + window*time.Duration(i)/8):
					case <-ctx.Done():
					}
				}
			}
			d.set(well)
		})
	}
	all.Wait()
}

// untouched tells a receiver that was not asked yet while it was in some mood.
func (s *soc) untouched() bool {
	for _, d := range s.doubles {
		d.mu.Lock()
		n := len(d.felt)
		d.mu.Unlock()
		if n <= len(faults) {
			return true
		}
	}
	return false
}

// send brings the requests to leakveil, four at a time, each until it is answered, and
// counts them.
func send(ctx context.Context, address string, bodies [][]byte, answered *atomic.Int64) *sync.WaitGroup {
	return sendMade(ctx, address, len(bodies), func(i int) []byte { return bodies[i] }, answered)
}

// sendMade is send for n requests that are made when it is their turn.
func sendMade(ctx context.Context, address string, n int, body func(i int) []byte, answered *atomic.Int64) *sync.WaitGroup {
	var senders sync.WaitGroup
	var next atomic.Int64
	for range 4 {
		senders.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(n) {
					return
				}
				request := body(int(i))
				for !once(ctx, address, request) {
					select {
					case <-time.After(50 * time.Millisecond):
					case <-ctx.Done():
						return
					}
				}
				answered.Add(1)
			}
		})
	}
	return &senders
}

// While every receiver in turn says 503, 429 with Retry-After, breaks the connection after
// it has taken the documents, gets some twice, and stalls, and leakveil is killed again and
// again, the distinct ids at each receiver in the end are those of all alerts: none is
// lost, none is made up, and no byte of a secret is anywhere.
func TestEverySinkOverFaultsAndKills(t *testing.T) {
	size := scaleOf()
	dir := t.TempDir()
	s := newSOC(t, dir)
	m, address := otlpMember(t, "limits: {memory_budget: 64MiB}\nalerts:\n  interval: 1s\n  store: {path: DIR/alerts.db}\n  sinks:\n"+s.config)
	p := &planted{t: t}
	expected := 0
	more := func(n int) []byte {
		var clients []string
		for range n {
			clients = append(clients, fmt.Sprintf("client-%d", expected))
			expected++
		}
		return leaks(p, clients...)
	}
	var bodies [][]byte
	for expected < size.detections {
		bodies = append(bodies, more(perRequest))
	}
	ctx, cancel := context.WithTimeout(t.Context(), size.patience)
	defer cancel()
	disturbing, calm := context.WithCancel(ctx)
	var disturbed sync.WaitGroup
	disturbed.Go(func() { s.disturb(disturbing, size.window) })
	var answered atomic.Int64
	begun := time.Now()
	m.start()
	senders := send(ctx, address, bodies, &answered)
	for kill := range size.kills {
		want := int64((kill + 1) * len(bodies) / (size.kills + 1))
		for answered.Load() < want && ctx.Err() == nil {
			m.check()
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(size.window) // into whatever the receivers are at
		m.kill()
		m.start()
	}
	senders.Wait()
	sent := time.Since(begun)
	for s.untouched() && ctx.Err() == nil { // some moods came when there was nothing to send
		send(ctx, address, [][]byte{more(5)}, &answered).Wait()
		time.Sleep(size.window / 4)
	}
	calm()
	disturbed.Wait()
	for _, d := range s.doubles {
		inTime(ctx, t, d.name, m, func() bool { return d.count() >= expected })
	}
	file := map[string]int{}
	inTime(ctx, t, "the file", m, func() bool {
		text, _ := os.ReadFile(filepath.Join(m.dir, "sink.ndjson"))
		clear(file)
		for line := range bytes.Lines(text) {
			file[idOf(line)]++
		}
		return len(file) >= expected
	})
	t.Logf("%d detections, %d kills, sent in %v, all there after %v", expected, m.kills, sent.Round(time.Second), time.Since(begun).Round(time.Second))
	if code := m.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, m.tail())
	}
	for _, d := range s.doubles {
		again := 0
		for id, n := range d.ids {
			again += n - 1
			if file[id] == 0 {
				t.Errorf("%s has %s, which the file has not", d.name, id)
			}
		}
		t.Logf("%-10s %d distinct ids, %d repeats, requests by mood %v", d.name, len(d.ids), again, d.felt)
		if len(d.ids) != expected {
			t.Errorf("%s: %d distinct ids, want %d", d.name, len(d.ids), expected)
		}
	}
	searchAll(t, m, p, s)
}

// inTime waits until ctx ends.
func inTime(ctx context.Context, t *testing.T, what string, m *member, done func() bool) {
	t.Helper()
	for !done() {
		m.check()
		if ctx.Err() != nil {
			t.Fatalf("%s: not in time\n%s", what, m.tail())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// searchAll looks for the planted secrets in everything that was written.
func searchAll(t *testing.T, m *member, p *planted, s *soc) {
	t.Helper()
	texts := map[string][]byte{}
	for _, d := range s.doubles {
		texts[d.name] = d.bytes.Bytes()
	}
	err := filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(path) != "out.ndjson" {
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
