package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/redact"
)

func detected(offset int64, client, keyID string) event.Detection {
	d := event.Detection{
		Time: time.Unix(1_700_000_000, 0), Kind: "code_verifier", Rule: "pkce-verifier", Severity: "medium", Confidence: "certain",
		Client: event.Client{ID: client, How: event.SameRecord, Confidence: "certain"}, KeyID: keyID, Action: "mask",
		Where: event.Where{Topic: "in", Offset: offset, Field: "value", End: 43},
	}
	d.ID = alert.DetectionID([]byte("key"), d.Where, d.Rule)
	return d
}

// A file without a topic is read in full at start, under the key that signs now.
// What was handed out under an older one is not news.
func TestAlertsOfAnOlderKeyAreNotHandedOutAgain(t *testing.T) {
	c := &config.Config{}
	c.Alerts.File.Path = filepath.Join(t.TempDir(), "alerts.ndjson")
	open := func(key redact.Key) *alerts {
		a := &App{config: c, key: key, deliver: &kafka.AtLeastOnce{}, log: slog.New(slog.DiscardHandler)}
		if err := a.openAlerts(t.Context()); err != nil {
			t.Fatal(err)
		}
		return a.alerts
	}
	find := func(a *alerts, d event.Detection) {
		if err := a.local(t.Context(), []event.Detection{d}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := redact.RandomKey(), redact.RandomKey()
	a := open(first)
	find(a, detected(1, "told", first.ID()))
	a.sweep(t.Context())
	find(a, detected(2, "untold", first.ID())) // and the process is killed
	a.close()
	for _, key := range []redact.Key{first, second} {
		a = open(key)
		pending := a.folds[0].pending
		if len(pending) != 1 || pending[0].Client.ID != "untold" {
			t.Errorf("%d alerts to hand out, want the one that a crash kept", len(pending))
		}
		a.close() // killed again
	}
	a = open(second)
	a.sweep(t.Context())
	a.close()
	a = open(second)
	defer a.close()
	if n := len(a.folds[0].pending); n != 0 {
		t.Errorf("%d alerts are handed out at each start", n)
	}
}

// With the older key among fingerprint.keys, an alert that it opened goes on under its id.
func TestAlertsOfAnOlderKeyKeepTheirIDs(t *testing.T) {
	dir := t.TempDir()
	c := &config.Config{}
	c.Alerts.File.Path = filepath.Join(dir, "alerts.ndjson")
	key := func(id string) config.FingerprintKey {
		file := filepath.Join(dir, id)
		if err := os.WriteFile(file, []byte(rand.Text()+rand.Text()), 0o600); err != nil {
			t.Fatal(err)
		}
		return config.FingerprintKey{ID: id, File: file}
	}
	old, now := key("old"), key("now")
	told := map[string]int64{}
	for i, keys := range [][]config.FingerprintKey{{old}, {now, old}} {
		c.Fingerprint.Keys = keys
		a := &App{config: c, deliver: &kafka.AtLeastOnce{}, log: slog.New(slog.DiscardHandler)}
		if err := errors.Join(a.openKey(t.Context()), a.openAlerts(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err := a.alerts.local(t.Context(), []event.Detection{detected(int64(i), "shop", "old")}); err != nil {
			t.Fatal(err)
		}
		for _, one := range append(a.alerts.folds[0].pending, a.alerts.folds[0].fold.Flush()...) {
			told[one.ID] = max(told[one.ID], one.Sequence)
		}
		a.alerts.close()
	}
	if len(told) != 1 || slices.Max(slices.Collect(maps.Values(told))) != 2 {
		t.Errorf("alerts by id: %v, want one with two detections", told)
	}
}

// storedOffset answers that a group has committed it.
type storedOffset int64

func (s storedOffset) RoundTrip(_ context.Context, _ net.Addr, req kafkago.Request) (kafkago.Response, error) {
	q, ok := req.(*offsetfetch.Request)
	if !ok {
		return nil, fmt.Errorf("unexpected request %T", req)
	}
	return &offsetfetch.Response{Topics: []offsetfetch.ResponseTopic{{Name: q.Topics[0].Name, Partitions: []offsetfetch.ResponsePartition{
		{PartitionIndex: q.Topics[0].PartitionIndexes[0], CommittedOffset: int64(s)},
	}}}}, nil
}

// A new owner of a partition of the alerts topic reads again what rebuilds the open
// alerts. What closes among that was handed out by the owner before.
func TestReplayedAlertsThatCloseAreNotHandedOutAgain(t *testing.T) {
	key := redact.RandomKey()
	written := time.Unix(1_700_000_000, 0)
	var in kafka.Input
	add := func(client string, after time.Duration) {
		offset := int64(len(in.Records))
		in.Records = append(in.Records, recordbatch.Record{Offset: offset,
			Value: alert.MarshalDetection(detected(offset, client, key.ID()), written.Add(after))})
		in.Info.LastOffset = offset
	}
	add("open", 0)
	add("closes", 0)
	add("open", 9*time.Minute)
	add("open", 18*time.Minute) // the other one is idle by now
	add("new", 18*time.Minute)
	for stored, want := range map[storedOffset]string{0: "closes open new", 4: "open new"} {
		a := &alerts{
			topic: "alerts", fold: alert.Config{Key: key.Derive("alert id")}, folds: map[int32]*partitionFold{},
			next: newOffsetStore(kafkago.TCP("127.0.0.1:1"), stored, "g", "alerts"), log: slog.New(slog.DiscardHandler), now: time.Now,
		}
		u, err := a.foldBatch(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, one := range a.folds[0].pending {
			got += " " + one.Client.ID
		}
		if got != " "+want || len(u.Events) != len(a.folds[0].pending) {
			t.Errorf("handed out up to offset %d:%s and %d documents, want %s", stored, got, len(u.Events), want)
		}
	}
}
