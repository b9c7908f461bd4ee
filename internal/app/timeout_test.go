package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// tally counts by reason what is withheld.
type tally struct{ withheld map[string]int64 }

func (t *tally) Findings(string, string, int64)   {}
func (t *tally) Withheld(reason string, n int64)  { t.withheld[reason] += n }
func (t *tally) Dropped(int64)                    {}
func (t *tally) DeadLetters(string, int64)        {}
func (t *tally) Detections(string, string, int64) {}
func (t *tally) Payloads(string, string, int64)   {}
func (t *tally) BatchDone(time.Duration)          {}

func verifier() string {
	random := make([]byte, 33)
	_, _ = rand.Read(random) // it never fails
	return "code_verifier=" + base64.RawURLEncoding.EncodeToString(random)
}

// A record that takes longer than limits.scan_timeout, even alone, becomes a stub
// and a dead letter by reference; the records that were looked at with it go on.
func TestRecordThatTakesTooLongIsWithheldAlone(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	work := func() time.Time { now = now.Add(time.Millisecond); return now } // time is work
	w, err := pipeline.NewWorker(pipeline.Options{Database: db, Key: redact.RandomKey(), Attribute: true, Timeout: 50 * time.Millisecond, Now: work})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	counted := &tally{map[string]int64{}}
	p := newProcessor(&processor{
		maxRecord: 16 << 20, output: func(in string) string { return in + ".masked" }, dead: "dead", alerts: "alerts",
		key: []byte("key"), counts: counted, now: time.Now,
	}, w)
	var slow strings.Builder
	for range 2000 {
		slow.WriteString(verifier() + "&")
	}
	values := []string{"before " + verifier(), slow.String(), "clean", "behind " + verifier()}
	in := kafka.Input{Topic: "in", Partition: 3}
	for i, v := range values {
		in.Records = append(in.Records, recordbatch.Record{Offset: int64(40 + i), Key: []byte("k"), Value: []byte(v)})
	}
	u, err := p.process(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(counted.withheld) != 0 {
		t.Error("counted before it is delivered")
	}
	u.Delivered()
	if len(u.Out) != 4 || len(u.Dead) != 1 || len(u.Detections) != 2 || counted.withheld["timeout"] != 1 || len(counted.withheld) != 1 {
		t.Fatalf("%d records, %d dead letters, %d detections, withheld %v", len(u.Out), len(u.Dead), len(u.Detections), counted.withheld)
	}
	if string(u.Out[2].Value) != "clean" || !bytes.HasPrefix(u.Out[0].Value, []byte("before code_verifier=REDACTED.")) ||
		!bytes.HasPrefix(u.Out[3].Value, []byte("behind code_verifier=REDACTED.")) {
		t.Errorf("the neighbours are %q, %q, %q", u.Out[0].Value, u.Out[2].Value, u.Out[3].Value)
	}
	stub := u.Out[1]
	if want := `"reason":"timeout"`; !bytes.Contains(stub.Value, []byte(want)) || !bytes.Contains(stub.Value, []byte("in/3/41")) || string(stub.Key) != "in/3/41" {
		t.Errorf("stub %s with key %q", stub.Value[:min(len(stub.Value), 200)], stub.Key)
	}
	letter := u.Dead[0].Record.Value
	if !bytes.Contains(letter, []byte(`"reason":"timeout"`)) || !bytes.Contains(letter, []byte(`"first_offset":41,"last_offset":41`)) || bytes.Contains(letter, []byte("code_verifier")) {
		t.Errorf("dead letter %s", letter)
	}
}
