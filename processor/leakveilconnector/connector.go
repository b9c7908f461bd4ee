package leakveilconnector

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/otlp"
)

// leakveil is the connector of one signal.
type leakveil struct {
	factory *factory
	shared  *shared
	signal  string
	next    consumer.Logs
	stopped sync.Once
}

// Capabilities says that the data is changed when it is scanned here: it is masked, and
// the Collector gives other consumers their own copy.
func (c *leakveil) Capabilities() consumer.Capabilities {
	_, from := c.shared.config.from()
	return consumer.Capabilities{MutatesData: !from}
}

func (c *leakveil) Start(context.Context, component.Host) error {
	return c.shared.start(c.signal, c.next)
}

func (c *leakveil) Shutdown(context.Context) (err error) {
	c.stopped.Do(func() { err = c.factory.stop(c.shared, c.signal) })
	return err
}

func (c *leakveil) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	return c.consume(ctx, func(m *otlp.Masker) (otlp.Outcome, error) { return m.Logs(ld) })
}

func (c *leakveil) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return c.consume(ctx, func(m *otlp.Masker) (otlp.Outcome, error) { return m.Traces(td) })
}

func (c *leakveil) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	return c.consume(ctx, func(m *otlp.Masker) (otlp.Outcome, error) { return m.Metrics(md) })
}

var errStopped = errors.New("leakveil is not running")

// consume scans the data when nobody else does, and emits what is found.
func (c *leakveil) consume(ctx context.Context, mask func(*otlp.Masker) (otlp.Outcome, error)) error {
	if _, from := c.shared.config.from(); from {
		return nil // the processor tells
	}
	c.shared.mu.RLock()
	pool := c.shared.pool
	c.shared.mu.RUnlock()
	if pool == nil {
		return errStopped
	}
	detections, err := scan(ctx, pool, mask)
	if err != nil || len(detections) == 0 {
		return err
	}
	return c.shared.emit(ctx, c.next, detections)
}

func scan(ctx context.Context, pool *otlp.Pool, mask func(*otlp.Masker) (otlp.Outcome, error)) ([]event.Detection, error) {
	m, err := pool.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("leakveil: no worker is free: %w", err)
	}
	defer pool.Put(m)
	out, err := mask(m)
	if err != nil {
		return nil, consumererror.NewPermanent(fmt.Errorf("leakveil: %w", err))
	}
	return out.Detections, nil
}

// emit gives detections to the next consumer, but those that it has already. An error that
// can be tried again holds back the data they were found in; one that is permanent is told
// in the log instead, since the data is no worse for it.
func (s *shared) emit(ctx context.Context, next consumer.Logs, detections []event.Detection) error {
	fresh := s.recent.fresh(detections)
	if len(fresh) == 0 {
		return nil
	}
	err := next.ConsumeLogs(ctx, records(fresh))
	if err != nil && consumererror.IsPermanent(err) {
		s.log.Error("detections are refused for good and lost", zap.Int("detections", len(fresh)), zap.Error(err))
		return nil
	}
	if err == nil {
		s.recent.add(fresh)
	}
	return err
}
