package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/dbcache"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/suppress"
	"github.com/leakveil/leakveil/internal/telemetry"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// ErrStart marks what is wrong with the configuration or the surroundings, found
// before the first record was read.
var ErrStart = errors.New("cannot start")

// preflightTimeout bounds the look at brokers and topics before the start.
const preflightTimeout = 60 * time.Second

// App is leakveil run.
type App struct {
	config  *config.Config
	log     *slog.Logger
	metrics *telemetry.Metrics
	live    telemetry.Health
	ready   telemetry.Health
	able    *telemetry.Check // of ready

	plan     *kafka.Resolved
	input    kafka.Connection
	output   kafka.Connection
	key      redact.Key
	older    []redact.Key // that signed before
	workers  []*pipeline.Worker
	maskers  []*otlp.Masker // of payloads, one a worker, unless values are text
	produce  *kafkago.Transport
	deliver  *kafka.AtLeastOnce
	alerts   *alerts
	source   *kafka.Source
	listener *telemetry.Server
	fan      *sink.Fan // nil without a store
	// positions are those of the input's partitions.
	positions *positions
	stalled   *stalled
}

// New builds everything and looks at the brokers; it reads no record. Its errors
// are ErrStart. Close the App.
func New(ctx context.Context, c *config.Config, build telemetry.Build, log *slog.Logger) (*App, error) {
	a := &App{config: c, log: log, input: inputConnection(c), output: outputConnection(c)}
	a.able = a.ready.Add("source") // not well before it is a member
	steps := []func(context.Context) error{
		func(context.Context) error { return c.CheckFiles() },
		func(context.Context) (err error) { a.metrics, err = telemetry.New(build); return err },
		a.openKey, a.openWorkers, a.preflight, a.openDeliverer, a.openSinks, a.openAlerts, a.openSource, a.openListener,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			a.Close()
			return nil, fmt.Errorf("%w: %w", ErrStart, err)
		}
	}
	for _, warning := range c.Warnings() {
		log.Warn(warning)
	}
	return a, nil
}

// Run reads until ctx ends, then drains.
func (a *App) Run(ctx context.Context) error {
	a.log.Info("leakveil runs", "topics", a.plan.Topics, "group", a.config.Input.Kafka.Group, "key", a.key.ID())
	all, running := errgroup.WithContext(ctx)
	all.Go(func() error { return a.source.Run(running) })
	all.Go(func() error { return a.alerts.run(running) })
	if a.fan != nil {
		all.Go(func() error { return a.fan.Run(running) })
	}
	all.Go(func() error { a.watch(running); return nil })
	err := all.Wait()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil
	}
	a.log.Info("leakveil has stopped", "clean", err == nil)
	return err
}

// Close frees what New opened.
func (a *App) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if a.listener != nil {
		_ = a.listener.Shutdown(ctx)
	}
	if a.alerts != nil {
		a.alerts.close()
	}
	if a.fan != nil {
		_ = a.fan.Close()
	}
	if a.produce != nil {
		a.produce.CloseIdleConnections()
	}
	for _, w := range a.workers {
		_ = w.Close()
	}
	for _, m := range a.maskers {
		_ = m.Close()
	}
	if a.metrics != nil {
		_ = a.metrics.Shutdown(ctx)
	}
}

func (a *App) openKey(context.Context) error {
	f := a.config.Fingerprint
	var err error
	if len(f.Keys) == 0 {
		a.key, err = redact.ReadKeyFile("", f.KeyFile)
		return err
	}
	for i, k := range f.Keys {
		key, err := redact.ReadKeyFile(k.ID, k.File)
		if err != nil {
			return err
		}
		if i == 0 {
			a.key = key
			continue
		}
		a.older = append(a.older, key)
	}
	return nil
}

// foldConfig is what all folds of detections have in common.
func (a *App) foldConfig() alert.Config {
	const purpose = "alert id"
	c := alert.Config{
		Key: a.key.Derive(purpose), Older: map[string][]byte{}, Window: a.config.Alerts.Window, Interval: a.config.Alerts.Interval,
	}
	for _, key := range a.older {
		c.Older[key.ID()] = key.Derive(purpose)
	}
	return c
}

func (a *App) openWorkers(context.Context) error {
	options, n, err := a.pipelineOptions()
	if err != nil {
		return err
	}
	for range n {
		w, err := pipeline.NewWorker(options)
		if err != nil {
			return err
		}
		a.workers = append(a.workers, w)
		if a.payloads().plain() {
			continue
		}
		m, err := otlp.NewMasker(otlp.Options{Pipeline: options, Detect: true, Region: a.config.Region, Excerpts: a.config.Alerts.Excerpt})
		if err != nil {
			return err
		}
		a.maskers = append(a.maskers, m)
	}
	return nil
}

func (a *App) payloads() payloads {
	in := a.config.Input.Kafka
	return payloads{encoding: in.Encoding, signal: in.Signal, withhold: in.OnBadPayload == "withhold"}
}

// pipelineOptions compiles the rules. It returns how many workers there are besides.
func (a *App) pipelineOptions() (pipeline.Options, int, error) {
	set, err := rules.Load(a.config.Rules.Dirs, a.config.Rules.Disable)
	if err != nil {
		return pipeline.Options{}, 0, err
	}
	db, err := detect.CompileWith(detect.Options{Engine: detect.Engine(a.config.Engine), Form: detect.EngineForm(a.config.EngineForm), Cache: dbcache.Process}, set)
	if err != nil {
		return pipeline.Options{}, 0, err
	}
	policy := redact.Policy{}
	for _, p := range a.config.Policies {
		policy[rules.Kind(p.Kind)] = redact.Action(p.Action)
	}
	n := a.config.Workers
	if n == 0 {
		n = runtime.NumCPU()
	}
	list := suppress.New(set, nil)
	a.warnSuppressed(list)
	return pipeline.Options{
		Database: db, Policy: policy, Key: a.key, Attribute: true, Timeout: a.config.Limits.ScanTimeout, Suppress: list,
	}, n, nil
}

// warnSuppressed says which suppress entries apply, which have expired, and which
// never fit a record.
func (a *App) warnSuppressed(list *suppress.List) {
	for _, s := range list.States() {
		say := "findings that a suppress entry fits pass UNMASKED"
		switch {
		case s.Expired:
			say = "a suppress entry has expired and no longer applies"
		case s.Path != "":
			say = "a suppress entry with a path fits no record of a topic"
		}
		a.log.Warn(say, "file", s.File, "line", s.Line, "reason", s.Reason, "expires", s.Expires)
	}
}

func (a *App) preflight(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, preflightTimeout)
	defer cancel()
	in := a.config.Input.Kafka
	plan := kafka.Plan{
		Input: a.input, Topics: in.Topics, TopicsRegex: in.TopicsRegex, Group: in.Group,
		OutputTopic: a.config.Output.Kafka.Topic, Alerts: a.config.Alerts.Kafka.Topic, DeadLetter: a.config.DeadLetter.Kafka.Topic,
	}
	if plan.Alerts != "" {
		plan.Folding = []string{a.foldingGroup(), a.foldingGroup() + storeSuffix}
	}
	if !a.config.SameCluster() {
		plan.Output = &a.output
	}
	var err error
	a.plan, err = kafka.Preflight(ctx, plan)
	return err
}

func (a *App) openDeliverer(context.Context) error {
	var err error
	if a.produce, err = a.output.Transport(); err != nil {
		return err
	}
	partitions := &partitionCounts{transport: a.produce, addr: a.output.Addr()}
	a.deliver = &kafka.AtLeastOnce{
		Open: func() *kafka.Producer {
			return kafka.NewProducer(a.produce, kafka.ProducerOptions{
				Addr: a.output.Addr(), DeliveryTimeout: a.config.Limits.ProduceTimeout,
			}, a.log)
		},
		PartitionOf: partitions.of,
	}
	return nil
}

func (a *App) openSource(context.Context) error {
	c := a.config
	in := c.Input.Kafka
	p := a.processor()
	a.positions, a.stalled = newPositions(a.metrics, time.Now), newStalled(time.Now)
	var err error
	a.source, err = kafka.NewSource(kafka.SourceOptions{
		Connection: a.input, Group: in.Group, Topics: in.Topics, TopicsRegex: in.TopicsRegex,
		Exclude: a.isOwn, Latest: in.Start == "latest",
		Session: in.SessionTimeout, Heartbeat: in.HeartbeatInterval, Rebalance: in.RebalanceTimeout,
		Drain: c.Limits.DrainTimeout, FetchBytes: int(in.FetchMaxBytes), FetchWait: in.MaxWait,
		MemoryBudget:   int64(c.Limits.MemoryBudget),
		Limits:         recordbatch.Limits{MaxDecompressed: int(c.Limits.MaxDecompressedBatch)},
		HaltOnBadBatch: in.OnBadBatch == "halt",
		Process:        p.process, Deliverer: a.deliver, Bad: p.bad, Withhold: p.tooLarge, Hooks: a.hooks(),
	})
	if err == nil {
		a.metrics.WatchMemory(a.source.Memory)
	}
	return err
}

func (a *App) processor() *processor {
	return newProcessor(&processor{
		maxRecord: int(a.config.Limits.MaxRecordBytes), payloads: a.payloads(), maskers: a.maskers,
		output: a.config.OutputTopic, codec: codecs[a.config.Output.Kafka.Codec],
		alerts: a.config.Alerts.Kafka.Topic, file: a.alerts.file, fan: a.fan, dead: a.config.DeadLetter.Kafka.Topic,
		key: a.key.Derive("detection id"), keyID: a.key.ID(), region: a.config.Region,
		mark: markSynthetic(&a.config.Alerts.Synthetic), label: parseLabel(a.config.Alerts.Synthetic.Label), excerpts: a.config.Alerts.Excerpt,
		counts: a.metrics, now: time.Now,
	}, a.workers...)
}

// isOwn reports whether a topic is written by leakveil itself: reading it would
// be an endless loop, whatever a regular expression says.
func (a *App) isOwn(topic string) bool {
	if topic == a.config.Alerts.Kafka.Topic || topic == a.config.DeadLetter.Kafka.Topic {
		return a.plan.SameCluster
	}
	if !a.plan.SameCluster {
		return false
	}
	if a.config.Input.Kafka.TopicsRegex == "" {
		return slices.ContainsFunc(a.plan.Topics, func(in string) bool { return topic == a.config.OutputTopic(in) })
	}
	return kafka.IsOutput(a.config.Output.Kafka.Topic, topic)
}

func (a *App) openListener(context.Context) error {
	if a.config.HTTP.Listen == "" {
		return nil
	}
	var err error
	a.listener, err = telemetry.Serve(a.config.HTTP.Listen, a.metrics, &a.live, &a.ready)
	var refused *net.OpError
	if errors.As(err, &refused) {
		return fmt.Errorf("http.listen: %w", err)
	}
	return err
}
