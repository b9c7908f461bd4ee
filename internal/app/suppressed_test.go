package app

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/suppress"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// What a suppress entry fits leaves as it came and without a detection, is counted
// once delivered, and takes nothing else with it.
func TestSuppressedRecords(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	key := redact.RandomKey()
	passes, masked := []byte(verifier()), []byte(verifier())
	print := redact.NewFingerprinter(key).Of(bytes.TrimPrefix(passes, []byte("code_verifier=")))
	list := suppress.New(&rules.Set{Suppress: []rules.Suppression{{Fingerprint: string(print[:]), Expires: "2999-12-31"}}}, nil)
	w, err := pipeline.NewWorker(pipeline.Options{Database: db, Key: key, Attribute: true, Suppress: list})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	counted := &actions{tally{map[string]int64{}}, map[string]int64{}}
	p := newProcessor(&processor{
		maxRecord: 4 << 10, output: func(in string) string { return in + ".masked" },
		key: []byte("key"), counts: counted, now: time.Now,
	}, w)
	u, err := p.process(context.Background(), kafka.Input{Topic: "in", Records: []recordbatch.Record{{Value: passes}, {Value: masked}}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(u.Out[0].Value, passes) || bytes.Equal(u.Out[1].Value, masked) || len(u.Detections) != 1 || u.Unchanged {
		t.Errorf("%d detections, unchanged %t", len(u.Detections), u.Unchanged)
	}
	if len(counted.of) != 0 {
		t.Error("counted before it is delivered")
	}
	u.Delivered()
	if list.Passed() != 1 || counted.of["suppressed"] != 1 || counted.of["mask"] != 1 {
		t.Errorf("%d passed, counted %v", list.Passed(), counted.of)
	}
}

// actions counts findings by what was done.
type actions struct {
	tally
	of map[string]int64
}

func (a *actions) Findings(_, action string, n int64) { a.of[action] += n }
