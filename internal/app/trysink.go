package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/build"
	"github.com/leakveil/leakveil/redact"
)

// ErrNoSink means that the configuration has no sink of the name.
var ErrNoSink = errors.New("no sink of the configuration has this name")

// TrySink sends one marked alert to a sink of the configuration, at once and beside
// the outbox, and returns the alert's id and what the sink said.
func TrySink(ctx context.Context, c *config.Config, name string, at time.Time) (id string, o sink.Outcome, err error) {
	i := slices.IndexFunc(c.Alerts.Sinks, func(s config.AlertSink) bool { return s.Name == name })
	if i < 0 {
		var names []string
		for _, s := range c.Alerts.Sinks {
			names = append(names, s.Name)
		}
		return "", o, fmt.Errorf("%q: %w; it has: %s", name, ErrNoSink, strings.Join(names, ", "))
	}
	made, err := build.New(sinkOptions(c.Alerts.Sinks[i]))
	if err != nil {
		return "", o, fmt.Errorf("alerts.sinks[%d] (%s): %w", i, name, err)
	}
	if closer, ok := made.(sink.Closer); ok {
		defer func() { _ = closer.Close() }()
	}
	id, document, err := testAlert(at)
	if err != nil {
		return "", o, err
	}
	ctx, cancel := context.WithTimeout(ctx, sink.DefaultTimeout)
	defer cancel()
	report := made.Send(ctx, []sink.Item{{ID: id + "-1", Document: document}})
	if len(report.Outcomes) != 1 {
		return id, sink.Outcome{Reason: sink.ReasonProtocol}, nil
	}
	return id, report.Outcomes[0], nil
}

// testAlert is an alert that says in its text, its rule, its client and leakveil.traffic
// that nothing leaked. Its id is one of its own.
func testAlert(at time.Time) (id string, document []byte, err error) {
	key := redact.RandomKey()
	fold, err := alert.NewFold(alert.Config{Key: key.Derive("alert id")})
	if err != nil {
		return "", nil, err
	}
	d := event.Detection{
		Time: at, Kind: "access_token", Rule: "leakveil-test", Severity: "info", Confidence: "possible", KeyID: "test", Action: "report",
		Client: event.Client{ID: "leakveil-test", How: event.Unknown}, Where: event.Where{Topic: "leakveil-test", Field: "value"},
		Service: "leakveil",
	}
	d.ID = alert.DetectionID(key.Derive("detection id"), d.Where, d.Rule)
	fold.Add(0, at, d)
	a := fold.Flush()[0]
	a.Traffic = event.TestAlert
	return a.ID, alert.MarshalAlert(a), nil
}
