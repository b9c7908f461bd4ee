package leakveilprocessor

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/leakveil/leakveil/detect"
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
	users     int // processors that started and did not shut down
}

// start returns the engine of a configuration, made by the first who asks.
func (f *factory) start(cfg *Config, set processor.Settings) (*engine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.engines[cfg]
	if e == nil {
		e = &engine{config: cfg, receivers: hub.Of(set.ID)}
		var err error
		if e.pool, err = cfg.Open(set.Logger, len(e.receivers) > 0); err != nil {
			return nil, err
		}
		f.engines[cfg] = e
	}
	e.users++
	return e, nil
}

// stop gives the engine back. The last one closes it.
func (f *factory) stop(e *engine) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.users--; e.users > 0 {
		return nil
	}
	delete(f.engines, e.config)
	return e.pool.Close()
}

// Open compiles the rules and makes the maskers: what a processor of this configuration
// works with. detections asks for detections and their clients. It is for leakveil's own
// components.
func (c *Config) Open(log *zap.Logger, detections bool) (*otlp.Pool, error) {
	set, err := c.Rules.load()
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	policy, err := redact.ParsePolicy(c.Policies)
	if err != nil {
		return nil, err
	}
	key, made, err := c.FingerprintKey.read()
	if err != nil {
		return nil, err
	}
	db, err := detect.CompileWith(detect.Options{Engine: detect.Engine(c.Engine)}, set)
	if err != nil {
		return nil, err
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
		return nil, errors.Join(errors.New("the engine cannot be made"), err)
	}
	log.Info("leakveil masks secrets", zap.Int("rules", len(set.Rules)), zap.String("engine", db.Engine().Version()),
		zap.Int("workers", workers), zap.String("key_id", key.ID()))
	if made {
		log.Warn("no fingerprint_key is configured: this start has a key of its own, and its masks cannot be compared with others")
	}
	if db.Engine() == detect.Portable {
		log.Warn("the portable engine is in use: plain Go, about half of Hyperscan's speed, the same findings")
	}
	return pool, nil
}
