package leakveilconnector

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.uber.org/zap"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/processor/internal/hub"
)

// factory makes connectors. The Collector makes one for each pair of signals of a
// configured connector; they share what they take detections from.
type factory struct {
	mu     sync.Mutex
	shared map[*Config]*shared
}

// shared is what the connectors of one configuration have in common.
type shared struct {
	config *Config
	log    *zap.Logger
	cancel func() // of the subscription
	recent recent // what was emitted

	mu      sync.RWMutex
	outputs map[string]consumer.Logs // by signal, of the connectors that run
	pool    *otlp.Pool               // when it scans by itself
	made    int                      // connectors that were made and not shut down
}

func (f *factory) create(signal string, set connector.Settings, cfg *Config, next consumer.Logs) (*leakveil, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.shared[cfg]
	if s == nil {
		s = &shared{config: cfg, log: set.Logger, outputs: map[string]consumer.Logs{}, cancel: func() {}}
		if id, ok := cfg.from(); ok { // before any processor starts
			s.cancel = hub.Subscribe(id, s)
		}
		f.shared[cfg] = s
	}
	s.made++
	return &leakveil{factory: f, shared: s, signal: signal, next: next}, nil
}

// start opens what is scanned with, once, and the way out for one signal.
func (s *shared) start(signal string, next consumer.Logs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.config.from()
	if ok && !hub.Known(id) { // it would be silent for ever
		return fmt.Errorf("from: no pipeline has a processor %s", id)
	}
	if !ok && s.pool == nil {
		pool, err := s.config.scan().Open(s.log, true)
		if err != nil {
			return err
		}
		s.pool = pool
	}
	s.outputs[signal] = next
	return nil
}

// stop closes the way out for one signal, and all that is shared with the last one.
func (f *factory) stop(s *shared, signal string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.mu.Lock()
	delete(s.outputs, signal)
	pool := s.pool
	s.made--
	last := s.made == 0
	if last {
		s.pool = nil
	}
	s.mu.Unlock()
	if !last {
		return nil
	}
	delete(f.shared, s.config)
	s.cancel()
	if pool == nil {
		return nil
	}
	return pool.Close()
}

// Receive emits the detections of a processor: each through the connector of its signal,
// or, where there is none, through the first that runs. One that does not run belongs to
// a Collector that was never started, and takes nothing.
func (s *shared) Receive(ctx context.Context, detections []event.Detection) error {
	s.mu.RLock()
	outputs := make(map[string]consumer.Logs, len(s.outputs))
	var any string
	for _, signal := range []string{"metrics", "traces", "logs"} {
		if next, ok := s.outputs[signal]; ok {
			outputs[signal], any = next, signal
		}
	}
	s.mu.RUnlock()
	if any == "" {
		return nil
	}
	groups := map[string][]event.Detection{}
	for _, d := range detections {
		signal := d.Where.Signal
		if outputs[signal] == nil {
			signal = any
		}
		groups[signal] = append(groups[signal], d)
	}
	for _, signal := range []string{"logs", "traces", "metrics"} {
		if len(groups[signal]) == 0 {
			continue
		}
		if err := s.emit(ctx, outputs[signal], groups[signal]); err != nil {
			return fmt.Errorf("connector: %w", err)
		}
	}
	return nil
}

var _ hub.Receiver = (*shared)(nil)
