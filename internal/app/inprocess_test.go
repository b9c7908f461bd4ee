package app_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/app"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/kafkatest"
	"github.com/leakveil/leakveil/internal/telemetry"
)

// randomSecret is a value that a verifier, a token and a client secret may have.
func randomSecret() string {
	random := make([]byte, 33)
	_, _ = rand.Read(random) // it never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// open builds the App of a setup in this process.
func (s setup) open(t *testing.T) (*app.App, error) {
	t.Helper()
	dir := t.TempDir()
	c, err := config.Load(s.write(t, dir, newKey(t), ""))
	if err != nil {
		t.Fatal(err)
	}
	return app.New(t.Context(), c, telemetry.Build{Version: "test"}, slog.New(slog.DiscardHandler))
}

// running is an App at work in this process.
type running struct {
	setup
	t      *testing.T
	client *kafkago.Client
	stop   func() // drains and waits
}

func (s setup) run(t *testing.T) *running {
	t.Helper()
	a, err := s.open(t)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stopped := false
	r := &running{setup: s, t: t, client: ask(t, s.broker)}
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		a.Close()
	}
	t.Cleanup(r.stop)
	return r
}

// finish waits until all of the input is done, and stops.
func (r *running) finish(partitions int) {
	r.t.Helper()
	await(r.t, "committing the input", nil, func() bool { return lag(r.client, r.group, r.input, partitions) == 0 })
	r.stop()
}

// newSetup makes topics for one test on the shared broker. A test may create
// them itself, by giving no partitions.
func newSetup(t *testing.T, name string, partitions int) (setup, *kafkatest.Broker) {
	t.Helper()
	b := broker(t)
	s := setup{broker: b.Addr(), group: name, input: name + "-in", noAlertsFile: true}
	if partitions > 0 {
		s.topics(t, b, partitions)
	}
	return s, b
}

// stubFor is what stands for a withheld record.
func stubFor(topic string, partition, offset, size int, reason string) string {
	return fmt.Sprintf(`{"leakveil":"withheld","reason":%q,"len":%d,"ref":"%s/%d/%d"}`, reason, size, topic, partition, offset)
}

// configPath is for tests that start the program themselves.
func (s setup) configPath(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s.write(t, dir, newKey(t), "")
	return filepath.Join(dir, "leakveil.yaml")
}
