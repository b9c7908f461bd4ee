package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/rules"
)

// document is what the test reads of a detection or an alert, by the names of
// its documentation.
type document struct {
	Event struct {
		Kind string `json:"kind"`
	} `json:"event"`
	Leakveil struct {
		Detection struct{ ID string }
		Alert     struct {
			ID       string `json:"id"`
			GroupID  string `json:"group_id"`
			Sequence int64  `json:"sequence"`
		}
		Kind   string
		Count  int64
		Client struct{ ID, How string }
		Where  place
	} `json:"leakveil"`
}

type place struct {
	Topic      string
	Partition  int
	Offset     int64
	Field      string
	Start, End int
}

// alertState is what one reads from the alerts topic or from an alerts file.
type alertState struct {
	detections map[string]document
	repeated   int
	alerts     map[string]document // the highest sequence of each id
	texts      map[string][]byte   // by id and sequence
	groups     map[string]string   // group id to alert id
}

func newAlertState() *alertState {
	return &alertState{detections: map[string]document{}, alerts: map[string]document{}, texts: map[string][]byte{}, groups: map[string]string{}}
}

func (s *alertState) add(text []byte) error {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("not a JSON document: %w", err)
	}
	l := &d.Leakveil
	switch d.Event.Kind {
	case "event":
		if old, ok := s.detections[l.Detection.ID]; ok {
			s.repeated++
			if old != d {
				return fmt.Errorf("two detections of one id: %s", cmp.Diff(old, d))
			}
		}
		s.detections[l.Detection.ID] = d
	case "alert":
		version := fmt.Sprintf("%s %d", l.Alert.ID, l.Alert.Sequence)
		if old, ok := s.texts[version]; ok && !bytes.Equal(old, text) {
			return fmt.Errorf("one id and sequence, two alerts:\n%s\n%s", old, text)
		}
		s.texts[version] = text
		if old, ok := s.groups[l.Alert.GroupID]; ok && old != l.Alert.ID {
			return fmt.Errorf("a crash has changed the id of an alert of %s", l.Kind)
		}
		s.groups[l.Alert.GroupID] = l.Alert.ID
		if s.alerts[l.Alert.ID].Leakveil.Alert.Sequence < l.Alert.Sequence {
			s.alerts[l.Alert.ID] = d
		}
	default:
		return fmt.Errorf("event.kind is %q", d.Event.Kind)
	}
	return nil
}

// counted is the sum of the counts of the alerts' last states.
func (s *alertState) counted() (n int64) {
	for _, a := range s.alerts {
		n += a.Leakveil.Count
	}
	return n
}

func (e *e2e) verify() {
	addr := e.broker.Addr()
	input := e.verifyInput(readAll(e.t, addr, e.setup.input, e2ePartitions))
	e.verifyOutput(readAll(e.t, addr, e.setup.output(), e2ePartitions))
	state := newAlertState()
	for _, r := range readAll(e.t, addr, e.setup.alerts(), 3) {
		if err := state.add(r.Value); err != nil {
			e.t.Fatal(err)
		}
	}
	e.verifyDetections(state, input)
	if counted := state.counted(); counted != int64(len(state.detections)) {
		e.t.Errorf("alerts count %d detections of %d", counted, len(state.detections))
	}
	if dead := readAll(e.t, addr, e.setup.dead(), 1); len(dead) != 0 {
		e.t.Errorf("%d dead letters, the first: %s", len(dead), dead[0].Value)
	}
	e.verifyFiles(state)
	e.searchSecrets()
}

// verifyInput gives the number of the record at each place: what is to be read
// is what was written.
func (e *e2e) verifyInput(records []*kgo.Record) map[place]int {
	input := map[place]int{}
	seen := map[int]bool{}
	for _, r := range records {
		i := e.number(r)
		if seen[i] {
			e.t.Fatal("the test's own producer wrote a record twice")
		}
		seen[i] = true
		input[place{Topic: r.Topic, Partition: int(r.Partition), Offset: r.Offset}] = i
	}
	if len(seen) != len(e.lines) {
		e.t.Fatalf("the input has %d records, want %d", len(seen), len(e.lines))
	}
	return input
}

// number tells which of the records r is, by its key.
func (e *e2e) number(r *kgo.Record) int {
	p, seq, _ := strings.Cut(string(r.Key), "/")
	partition, err := strconv.Atoi(p)
	number, err2 := strconv.Atoi(seq)
	i := number*e2ePartitions + partition
	if err != nil || err2 != nil || partition != int(r.Partition) || i < 0 || i >= len(e.lines) {
		e.t.Fatalf("%s/%d offset %d: key %q is of no record of this partition", r.Topic, r.Partition, r.Offset, r.Key)
	}
	return i
}

// repeatsPerCrash bounds the duplicates: a member that is killed has not
// committed what it delivered within a tenth of a second, and what is in flight.
const repeatsPerCrash = 5000

func (e *e2e) verifyOutput(records []*kgo.Record) {
	var next [e2ePartitions]int // the sequence number to come first
	repeated := 0
	for _, r := range records {
		i := e.number(r)
		switch seq := i / e2ePartitions; {
		case seq < next[r.Partition]:
			repeated++
		case seq > next[r.Partition]:
			e.t.Fatalf("output partition %d: record %d comes where %d is to come", r.Partition, seq, next[r.Partition])
		default:
			next[r.Partition]++
		}
		e.verifyRecord(i, r)
	}
	total := 0
	for _, n := range next {
		total += n
	}
	if total != len(e.lines) {
		e.t.Errorf("the output has %d of %d records", total, len(e.lines))
	}
	crashes := e.kills + e.restarts*len(e.members)
	e.t.Logf("%d records, %d kills, %d broker restarts: %d duplicates", len(e.lines), e.kills, e.restarts, repeated)
	if repeated > crashes*repeatsPerCrash {
		e.t.Errorf("%d duplicates of %d crashes", repeated, crashes)
	}
}

func (e *e2e) verifyRecord(i int, got *kgo.Record) {
	want := e.record(i)
	if !bytes.Equal(got.Key, want.Key) || !got.Timestamp.Equal(want.Timestamp) {
		e.t.Fatalf("record %d: key %q and time %v, want %q and %v", i, got.Key, got.Timestamp, want.Key, want.Timestamp)
	}
	if diff := cmp.Diff(want.Headers, got.Headers); diff != "" {
		e.t.Fatalf("record %d: headers: %s", i, diff)
	}
	if why := differs(&e.lines[i], got.Value); why != "" {
		e.t.Fatalf("record %d: %s\n in  %s\n out %s", i, why, e.lines[i].Text, got.Value)
	}
}

// differs checks a value: outside of the secrets nothing has changed, and each
// secret is a mask.
func differs(line *corpus.Line, got []byte) string {
	at := 0
	for i, s := range line.Secrets {
		before := line.Text[at:s.Start]
		if !bytes.HasPrefix(got, before) {
			return "text before a secret has changed"
		}
		got, at = got[len(before):], s.End
		if s.Kind != rules.BasicCredentials && !bytes.HasPrefix(got, []byte("REDACTED.")) {
			return "a " + string(s.Kind) + " is not masked"
		}
		end := len(got) - len(line.Text[at:])
		if i+1 < len(line.Secrets) {
			end = bytes.Index(got, line.Text[at:line.Secrets[i+1].Start])
		}
		if end < 0 {
			return "text behind a secret has changed"
		}
		got = got[end:]
	}
	if !bytes.Equal(got, line.Text[at:]) {
		return "text has changed"
	}
	return ""
}

// verifyDetections wants one detection for each planted secret, at its place,
// with its client, and none besides.
func (e *e2e) verifyDetections(state *alertState, input map[place]int) {
	at := map[place]document{}
	for _, d := range state.detections {
		w := d.Leakveil.Where
		if _, ok := at[w]; ok {
			e.t.Fatalf("two ids for one place: %+v", w)
		}
		at[w] = d
	}
	kinds := map[rules.Kind]int{}
	for where, i := range input {
		for _, s := range e.lines[i].Secrets {
			w := where
			w.Field, w.Start, w.End = "value", s.Start, s.End
			d, ok := at[w]
			if l := d.Leakveil; !ok || l.Kind != string(s.Kind) || l.Client.ID != s.Client {
				e.t.Errorf("a %s of client %q is detected as %q of client %q (%s), in\n%s", s.Kind, s.Client, l.Kind, l.Client.ID, l.Client.How, e.lines[i].Text)
			}
			delete(at, w)
			kinds[s.Kind]++
		}
	}
	for w, d := range at {
		e.t.Errorf("%s at %+v was not planted, in\n%s", d.Leakveil.Kind, w, e.lines[input[place{Topic: w.Topic, Partition: w.Partition, Offset: w.Offset}]].Text)
	}
	for _, k := range rules.Kinds() {
		if kinds[k] == 0 {
			e.t.Errorf("no %s was planted", k)
		}
	}
	e.t.Logf("%d planted secrets by kind: %v; %d detections were written again", e.secrets, kinds, state.repeated)
}

// verifyFiles wants every detection in an alerts file, of whichever member.
func (e *e2e) verifyFiles(state *alertState) {
	files := newAlertState()
	for _, m := range e.members {
		text, err := os.ReadFile(filepath.Join(m.dir, "alerts.ndjson"))
		if err != nil {
			e.t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if err := files.add(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
				e.t.Fatalf("alerts file: %v", err)
			}
		}
	}
	for id, d := range state.detections {
		if _, ok := files.detections[id]; !ok {
			e.t.Errorf("a %s is in no alerts file", d.Leakveil.Kind)
		}
	}
}

// searchSecrets looks for every secret in everything but the input.
func (e *e2e) searchSecrets() {
	var n needles
	for i := range e.lines {
		for _, s := range e.lines[i].Secrets {
			n.add(e.t, s.Value)
			n.add(e.t, string(e.lines[i].Text[s.Start:s.End]))
		}
	}
	look := func(where string, text []byte) {
		if form := n.in(text); form != "" {
			e.t.Errorf("%s holds a secret (%s)", where, form)
		}
	}
	e.searchDisk(look)
	for topic, partitions := range partitionsOf(e.t, e.broker.Addr()) {
		if topic == e.setup.input {
			continue
		}
		for _, r := range readAll(e.t, e.broker.Addr(), topic, partitions) {
			text := append(append(append([]byte{}, r.Key...), '\n'), r.Value...)
			for _, h := range r.Headers {
				text = append(append(append(append(text, '\n'), h.Key...), '\n'), h.Value...)
			}
			look(fmt.Sprintf("%s/%d offset %d", topic, r.Partition, r.Offset), text)
		}
	}
	for _, m := range e.members {
		look("the metrics", m.scrapes)
		for _, name := range []string{"log", "alerts.ndjson"} {
			text, err := os.ReadFile(filepath.Join(m.dir, name))
			if err != nil {
				e.t.Fatal(err)
			}
			look(name, text)
		}
	}
	look("the broker's log", []byte(e.broker.Log()))
}

// searchDisk looks through the broker's own files, as they are.
func (e *e2e) searchDisk(look func(where string, text []byte)) {
	searched := 0
	err := filepath.WalkDir(e.broker.Data(), func(path string, d fs.DirEntry, err error) error {
		partition, input := strings.CutPrefix(filepath.Base(filepath.Dir(path)), e.setup.input+"-")
		_, notNumber := strconv.Atoi(partition)
		// Index files hold numbers and megabytes of zeros.
		if err != nil || d.IsDir() || input && notNumber == nil || strings.HasSuffix(path, "index") {
			return ignoreGone(err)
		}
		text, err := os.ReadFile(path)
		look(path, text)
		searched += len(text)
		return ignoreGone(err)
	})
	if err != nil || searched == 0 {
		e.t.Errorf("searching the broker's files: %d bytes, %v", searched, err)
	}
}

// ignoreGone passes over files that the broker has just removed.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
