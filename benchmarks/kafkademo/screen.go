package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

// screen prints what comes on leakveil's topics, and counts it.
type screen struct {
	names topics
	out   io.Writer

	mu         sync.Mutex
	seen       map[string]int64 // partition of a topic to the offset behind the last one
	passed     int
	masked     int
	dead       int
	detections map[string]string   // id to kind
	alerts     map[string]document // by id
	began      time.Time
}

// document is what is shown of a detection or an alert.
type document struct {
	Event    struct{ Kind string }
	Leakveil struct {
		Detection, Alert struct {
			ID       string
			Sequence int64
		}
		Kind, Severity string
		Count          int64
		Client         struct {
			ID, How    string
			Candidates []string
		}
		Advice struct{ Method string }
	}
}

func (d *document) client() string {
	switch c := d.Leakveil.Client; {
	case c.ID != "":
		return c.ID
	case len(c.Candidates) > 0:
		return "one of " + strings.Join(c.Candidates, ", ")
	}
	return "unknown"
}

func newScreen(out io.Writer, names topics) *screen {
	return &screen{names: names, out: out, seen: map[string]int64{}, detections: map[string]string{}, alerts: map[string]document{}, began: time.Now()}
}

// process takes what was read of one partition.
func (s *screen) process(_ context.Context, in kafka.Input) (kafka.Unit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := fmt.Sprintf("%s/%d", in.Topic, in.Partition)
	for i := range in.Records {
		r := &in.Records[i]
		if r.Offset < s.seen[place] {
			continue
		}
		s.seen[place] = r.Offset + 1
		switch in.Topic {
		case s.names.out:
			s.record(place, r)
		case s.names.alerts:
			s.document(r.Value)
		default:
			s.dead++
			fmt.Fprintf(s.out, "  dead letter  %s\n", r.Value)
		}
	}
	return kafka.Unit{}, nil
}

const (
	mark   = "REDACTED."
	before = 44
	width  = 124
)

// record shows a record that has changed, cut to what a screen holds.
func (s *screen) record(place string, r *recordbatch.Record) {
	s.passed++
	text := string(r.Value)
	at := strings.Index(text, mark)
	if at < 0 {
		return
	}
	s.masked++
	if at > before {
		text = "…" + text[at-before:]
	}
	if len(text) > width {
		text = text[:width] + "…"
	}
	partition := place[strings.LastIndexByte(place, '/')+1:]
	fmt.Fprintf(s.out, "  record %s@%-5d  %s\n", partition, r.Offset, strings.ToValidUTF8(text, "?"))
}

func (s *screen) document(text []byte) {
	var d document
	if json.Unmarshal(text, &d) != nil {
		return
	}
	l := &d.Leakveil
	if d.Event.Kind == "event" {
		s.detections[l.Detection.ID] = l.Kind
		return
	}
	old, known := s.alerts[l.Alert.ID]
	if known && old.Leakveil.Alert.Sequence >= l.Alert.Sequence {
		return
	}
	s.alerts[l.Alert.ID] = d
	fmt.Fprintf(s.out, "  %-14s  client %s (%s): %s, severity %s, %d so far; %s\n",
		map[bool]string{true: "alert, grown", false: "ALERT"}[known], d.client(), l.Client.How, l.Kind, l.Severity, l.Count, l.Advice.Method)
}

// counted is how many detections the alerts' last states count.
func (s *screen) counted() (n int64) {
	for _, d := range s.alerts {
		n += d.Leakveil.Count
	}
	return n
}

// wait returns when all of n records came out and all detections are alerted.
func (s *screen) wait(ctx context.Context, n int) error {
	limit := time.After(settle)
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		s.mu.Lock()
		passed, whole := s.passed, s.passed >= n && s.counted() >= int64(len(s.detections))
		s.mu.Unlock()
		if whole {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("%d of %d records came out within %v, or alerts are missing", passed, n, settle)
		}
	}
}

func (s *screen) summary() {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "\nSummary after %.0f s\n", time.Since(s.began).Seconds())
	fmt.Fprintf(s.out, "  records        %d came out, %d of them masked, %d dead letters\n", s.passed, s.masked, s.dead)
	fmt.Fprintf(s.out, "  detections     %d, folded into %d alerts\n\n  found by kind\n", len(s.detections), len(s.alerts))
	kinds := map[string]int64{}
	for _, kind := range s.detections {
		kinds[kind]++
	}
	for _, kind := range byCount(kinds) {
		fmt.Fprintf(s.out, "    %-24s %5d\n", kind, kinds[kind])
	}
	clients, advice := map[string]int64{}, map[string]map[string]bool{}
	for _, d := range s.alerts {
		name := d.client()
		clients[name] += d.Leakveil.Count
		if advice[name] == nil {
			advice[name] = map[string]bool{}
		}
		advice[name][d.Leakveil.Advice.Method] = true
	}
	fmt.Fprintf(s.out, "\n  clients to act on\n")
	for _, name := range byCount(clients) {
		fmt.Fprintf(s.out, "    %-24s %5d  %s\n", name, clients[name], strings.Join(slices.Sorted(maps.Keys(advice[name])), ", "))
	}
}

// byCount gives the names, the most frequent first.
func byCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
