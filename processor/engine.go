package leakveilprocessor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/dbcache"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/suppress"
	"github.com/leakveil/leakveil/processor/internal/hub"
	"github.com/leakveil/leakveil/redact"
)

// factory makes processors. The Collector makes one for each signal of a configured
// processor; they share one engine.
type factory struct {
	mu      sync.Mutex
	engines map[*Config]*engine
}

// engine is the compiled rules and the maskers of one configured processor.
type engine struct {
	config    *Config
	receivers []hub.Receiver
	pool      *otlp.Pool
	alerts    *alerts // nil without sinks
	users     int     // processors that started and did not shut down
}

// start returns the engine of a configuration, made by the first who asks.
func (f *factory) start(ctx context.Context, cfg *Config, set processor.Settings, host component.Host, t *telemetry) (*engine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.engines[cfg]
	if e == nil {
		e = &engine{config: cfg, receivers: hub.Of(set.ID)}
		if err := e.open(ctx, set, host, t); err != nil {
			return nil, err
		}
		f.engines[cfg] = e
	}
	e.users++
	return e, nil
}

// open compiles the rules and opens the sinks.
func (e *engine) open(ctx context.Context, set processor.Settings, host component.Host, t *telemetry) error {
	sends := e.config.Alerts.enabled()
	pool, key, err := e.config.open(set.Logger, sends || len(e.receivers) > 0)
	if err != nil {
		return err
	}
	e.pool = pool
	if sends {
		if e.alerts, err = openAlerts(ctx, e.config, key, set, host, t); err != nil {
			return errors.Join(err, pool.Close())
		}
	}
	return nil
}

// stop gives the engine back. The last one closes it.
func (f *factory) stop(ctx context.Context, e *engine) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.users--; e.users > 0 {
		return nil
	}
	delete(f.engines, e.config)
	var err error
	if e.alerts != nil {
		err = e.alerts.shutdown(ctx)
	}
	return errors.Join(err, e.pool.Close())
}

// tell gives the detections of one request to the sinks and to the connector. The sinks go
// first: what is told them twice, because the request is tried again, counts once.
func (e *engine) tell(ctx context.Context, detections []event.Detection) error {
	if len(detections) == 0 {
		return nil
	}
	if e.alerts != nil {
		if err := e.alerts.tell(ctx, detections); err != nil {
			return err
		}
	}
	for _, r := range e.receivers {
		if err := r.Receive(ctx, detections); err != nil {
			return fmt.Errorf("detections are not delivered: %w", err)
		}
	}
	return nil
}

// Open compiles the rules and makes the maskers: what a processor of this configuration
// works with. detections asks for detections and their clients. It is for leakveil's own
// components.
func (c *Config) Open(log *zap.Logger, detections bool) (*otlp.Pool, error) {
	pool, _, err := c.open(log, detections)
	return pool, err
}

func (c *Config) open(log *zap.Logger, detections bool) (*otlp.Pool, redact.Key, error) {
	var none redact.Key
	set, err := c.Rules.load()
	if err != nil {
		return nil, none, fmt.Errorf("rules: %w", err)
	}
	policy, err := redact.ParsePolicy(c.Policies)
	if err != nil {
		return nil, none, err
	}
	key, made, err := c.FingerprintKey.read()
	if err != nil {
		return nil, none, err
	}
	db, err := detect.CompileWith(detect.Options{Engine: detect.Engine(c.Engine), Form: detect.EngineForm(c.EngineForm), Cache: dbcache.Process}, set)
	if err != nil {
		return nil, none, err
	}
	workers := c.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	pool, err := otlp.NewPool(workers, otlp.Options{
		Pipeline: pipeline.Options{Database: db, Policy: policy, Key: key, Timeout: c.Timeout, Suppress: suppress.New(set, nil)},
		Detect:   detections,
		Region:   c.Region,
		Summary:  c.AddSummary,
		Refuse:   c.OnError == OnErrorRejectRequest,
	})
	if err != nil {
		return nil, none, errors.Join(errors.New("the engine cannot be made"), err)
	}
	log.Info("leakveil masks secrets", zap.Int("rules", len(set.Rules)), zap.String("engine", db.Engine().Version()),
		zap.Int("workers", workers), zap.String("key_id", key.ID()))
	if made {
		log.Warn("no fingerprint_key is configured: this start has a key of its own, and its masks cannot be compared with others")
	}
	if db.Engine() == detect.Portable {
		log.Warn("the portable engine is in use: plain Go, about half of Hyperscan's speed, the same findings")
	}
	return pool, key, nil
}
