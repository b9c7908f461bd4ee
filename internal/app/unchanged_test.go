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
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// A unit is called unchanged only when it is: its batch may then be written as it
// came, secrets and all.
func TestUnitIsUnchangedOnlyWithoutMasks(t *testing.T) {
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	clean, secret := recordbatch.Record{Value: []byte("clean")}, recordbatch.Record{Value: []byte(verifier())}
	key := recordbatch.Record{Key: []byte(verifier())}
	header := recordbatch.Record{Headers: []recordbatch.Header{{Key: []byte("note"), Value: []byte(verifier())}}}
	large := recordbatch.Record{Value: bytes.Repeat([]byte("clean "), 1000)}
	for name, c := range map[string]struct {
		action  redact.Action
		records []recordbatch.Record
		want    bool
	}{
		"clean":              {redact.ActionMask, []recordbatch.Record{clean, clean}, true},
		"tombstones":         {redact.ActionMask, []recordbatch.Record{{}, {Key: []byte("k")}}, true},
		"a secret":           {redact.ActionMask, []recordbatch.Record{clean, secret, clean}, false},
		"a secret in a key":  {redact.ActionMask, []recordbatch.Record{key, clean}, false},
		"a secret in header": {redact.ActionMask, []recordbatch.Record{clean, header}, false},
		"a dropped record":   {redact.ActionDropRecord, []recordbatch.Record{secret, clean}, false},
		"reported only":      {redact.ActionReport, []recordbatch.Record{secret, clean}, true},
		"withheld":           {redact.ActionMask, []recordbatch.Record{clean, large}, false},
	} {
		w, err := pipeline.NewWorker(pipeline.Options{Database: db, Key: redact.RandomKey(), Policy: redact.Policy{rules.CodeVerifier: c.action}})
		if err != nil {
			t.Fatal(err)
		}
		p := newProcessor(&processor{
			maxRecord: 4 << 10, output: func(in string) string { return in + ".masked" },
			key: []byte("key"), counts: &tally{map[string]int64{}}, now: time.Now,
		}, w)
		u, err := p.process(context.Background(), kafka.Input{Topic: "in", Records: c.records})
		if err != nil || u.Unchanged != c.want {
			t.Errorf("%s: unchanged %t, %v", name, u.Unchanged, err)
		}
		_ = w.Close()
	}
}
