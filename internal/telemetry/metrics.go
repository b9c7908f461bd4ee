package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// MaxSeries bounds the label sets of one metric.
const MaxSeries = 2000

// Build says what runs.
type Build struct {
	Version, Revision, Engine string
}

// Metrics holds the instruments. Its methods may be called from any goroutine,
// and on a nil Metrics, where they do nothing.
type Metrics struct {
	registry *prometheus.Registry
	provider *sdk.MeterProvider
	table    *table

	records, bytes, findings, withheld, dropped, deadLetters, detections, alerts, sinkDocuments, notified, suppressed,
	payloads, retries, badBatches, gaps, lost, rebalances, requests metric.Int64Counter
	batch metric.Float64Histogram

	mu         sync.Mutex
	partitions map[partition]Position
	memory     func() (used, limit int64)
	sinks      func() Sinks
	now        func() time.Time
}

type partition struct {
	topic  string
	number int32
}

// Sinks is how the way to the sinks does.
type Sinks struct {
	// Used and Limit are bytes of the database.
	Used, Limit int64
	// Failing is how long each sink has taken nothing while it was tried; 0: it does
	// not fail.
	Failing map[string]time.Duration
}

// Position is where a partition's work stands.
type Position struct {
	Lag        int64     // records behind the end of the partition
	LastCommit time.Time // of this member, or when it got the partition
	InWork     bool      // fetched records are not committed yet
}

// New makes the instruments of metrics.yaml. Callers must Shutdown the result.
func New(b Build) (*Metrics, error) {
	t, err := readTable()
	if err != nil {
		return nil, err
	}
	m := &Metrics{registry: prometheus.NewRegistry(), table: t, partitions: map[partition]Position{}, now: time.Now}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(m.registry), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	m.provider = sdk.NewMeterProvider(sdk.WithReader(exporter), sdk.WithCardinalityLimit(MaxSeries))
	maker := &maker{meter: m.provider.Meter("github.com/leakveil/leakveil"), table: t, made: map[string]bool{}}
	m.counters(maker)
	m.gauges(maker, b)
	if err := maker.finish(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Metrics) counters(k *maker) {
	m.records = k.counter("leakveil.records")
	m.bytes = k.counter("leakveil.bytes")
	m.findings = k.counter("leakveil.findings")
	m.withheld = k.counter("leakveil.withheld")
	m.dropped = k.counter("leakveil.dropped")
	m.deadLetters = k.counter("leakveil.dead_letters")
	m.detections = k.counter("leakveil.detections")
	m.payloads = k.counter("leakveil.payloads")
	m.alerts = k.counter("leakveil.alerts")
	m.sinkDocuments = k.counter("leakveil.sink.documents")
	m.notified = k.counter("leakveil.alerts.notified")
	m.suppressed = k.counter("leakveil.alerts.suppressed")
	m.retries = k.counter("leakveil.produce.retries")
	m.badBatches = k.counter("leakveil.bad_batches")
	m.gaps = k.counter("leakveil.retention.gaps")
	m.lost = k.counter("leakveil.retention.lost")
	m.rebalances = k.counter("leakveil.rebalances")
	m.requests = k.counter("leakveil.requests")
	m.batch = k.histogram("leakveil.batch.duration", .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)
}

func (m *Metrics) gauges(k *maker, b Build) {
	lag, age := k.gauge("leakveil.consumer.lag"), k.gauge("leakveil.commit.age")
	used, limit := k.gauge("leakveil.memory.used"), k.gauge("leakveil.memory.limit")
	info := k.gauge("leakveil.build_info")
	stored, room, failing := k.gauge("leakveil.store.used"), k.gauge("leakveil.store.limit"), k.gauge("leakveil.sink.failing")
	build := metric.WithAttributes(attribute.String("version", b.Version), attribute.String("revision", b.Revision),
		attribute.String("go_version", runtime.Version()), attribute.String("engine", b.Engine))
	k.observe(func(_ context.Context, o metric.Observer) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		o.ObserveFloat64(info, 1, build)
		if m.memory != nil {
			u, l := m.memory()
			o.ObserveFloat64(used, float64(u))
			o.ObserveFloat64(limit, float64(l))
		}
		if m.sinks != nil {
			s := m.sinks()
			o.ObserveFloat64(stored, float64(s.Used))
			o.ObserveFloat64(room, float64(s.Limit))
			for name, d := range s.Failing {
				o.ObserveFloat64(failing, d.Seconds(), metric.WithAttributes(attribute.String("sink", name)))
			}
		}
		for p, position := range m.partitions {
			set := metric.WithAttributes(attribute.String("topic", p.topic), attribute.String("partition", strconv.Itoa(int(p.number))))
			o.ObserveFloat64(lag, float64(max(0, position.Lag)), set)
			o.ObserveFloat64(age, m.age(position), set)
		}
		return nil
	}, lag, age, used, limit, info, stored, room, failing)
}

func (m *Metrics) age(p Position) float64 {
	if !p.InWork {
		return 0
	}
	return max(0, m.now().Sub(p.LastCommit).Seconds())
}

// Handler serves the metrics in Prometheus' formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Shutdown ends the metrics; Handler then shows none.
func (m *Metrics) Shutdown(ctx context.Context) error {
	if m == nil {
		return nil
	}
	if err := m.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}
