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
		if err := e.open(set.Logger); err != nil {
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

// open compiles the rules and makes the maskers.
func (e *engine) open(log *zap.Logger) error {
	set, err := e.config.Rules.load()
	if err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	policy, err := redact.ParsePolicy(e.config.Policies)
	if err != nil {
		return err
	}
	key, made, err := e.config.FingerprintKey.read()
	if err != nil {
		return err
	}
	db, err := detect.CompileWith(detect.Options{Engine: detect.Engine(e.config.Engine)}, set)
	if err != nil {
		return err
	}
	workers := e.config.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	e.pool, err = otlp.NewPool(workers, otlp.Options{
		Pipeline: pipeline.Options{Database: db, Policy: policy, Key: key, Timeout: e.config.Timeout, Suppress: suppress.New(set, nil)},
		Detect:   len(e.receivers) > 0,
		Region:   e.config.Region,
		Summary:  e.config.AddSummary,
		Refuse:   e.config.OnError == OnErrorRejectRequest,
	})
	if err != nil {
		return errors.Join(errors.New("the engine cannot be made"), err)
	}
	log.Info("leakveil masks secrets", zap.Int("rules", len(set.Rules)), zap.String("engine", db.Engine().Version()),
		zap.Int("workers", workers), zap.String("key_id", key.ID()))
	if made {
		log.Warn("no fingerprint_key is configured: this start has a key of its own, and its masks cannot be compared with others")
	}
	if db.Engine() == detect.Portable {
		log.Warn("the portable engine is in use: plain Go, about half of Hyperscan's speed, the same findings")
	}
	return nil
}
