package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leakveil/leakveil/internal/config"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/gateway"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/linefile"
	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/internal/otlpnet"
	"github.com/leakveil/leakveil/internal/telemetry"
)

// Runner is leakveil run, whatever its input is.
type Runner interface {
	// Run works until ctx ends, then drains.
	Run(ctx context.Context) error
	// Close frees everything.
	Close()
}

// Open builds what the configuration asks for; it takes no record. Its errors are
// ErrStart. Close the Runner.
func Open(ctx context.Context, c *config.Config, build telemetry.Build, log *slog.Logger) (Runner, error) {
	if c.Input.OTLP.Enabled {
		o, err := NewOTLP(ctx, c, build, log)
		if err != nil {
			return nil, err
		}
		return o, nil
	}
	a, err := New(ctx, c, build, log)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// OTLP is leakveil run with an OTLP input.
type OTLP struct {
	*App
	pool     *otlp.Pool
	gateway  *gateway.Gateway
	exporter *otlpnet.Exporter
	file     *linefile.File
	kafka    *gateway.Kafka
	folding  *folding // nil when a topic or a file keeps detections
	server   *otlpnet.Server
	failed   chan error // that the server stopped by itself
	version  string
}

// NewOTLP builds everything but the listening side; see Open.
func NewOTLP(ctx context.Context, c *config.Config, build telemetry.Build, log *slog.Logger) (*OTLP, error) {
	own := *c
	if !c.KafkaAlerts() {
		own.Alerts.Kafka.Topic = ""
	}
	o := &OTLP{
		App:    &App{config: &own, log: log, output: outputConnection(c), deliver: &kafka.AtLeastOnce{}},
		failed: make(chan error, 1), version: build.Version,
	}
	o.able = o.ready.Add("gateway") // not well before it listens
	steps := []func(context.Context) error{
		func(context.Context) error { return c.CheckFiles() },
		func(context.Context) (err error) { o.metrics, err = telemetry.New(build); return err },
		o.openKey, o.openPool, o.openKafka, o.openSinks, o.openAlerts,
		func(ctx context.Context) (err error) { o.folding, err = o.openFolding(ctx); return err },
		o.openOutputs, o.openListener,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			o.Close()
			return nil, fmt.Errorf("%w: %w", ErrStart, err)
		}
	}
	for _, warning := range c.Warnings() {
		log.Warn(warning)
	}
	return o, nil
}

func (o *OTLP) openPool(context.Context) error {
	options, n, err := o.pipelineOptions()
	if err != nil {
		return err
	}
	synthetic := parseLabel(o.config.Alerts.Synthetic.Label)
	o.pool, err = otlp.NewPool(n, otlp.Options{
		Pipeline: options, Detect: true, Region: o.config.Region,
		Synthetic: synthetic.name, SyntheticValue: synthetic.value, Mark: markSynthetic(&o.config.Alerts.Synthetic), Excerpts: o.config.Alerts.Excerpt,
		Refuse: o.config.Input.OTLP.OnError == "reject_request",
	})
	return err
}

// openKafka looks at the brokers and topics that are written to, where there are any.
func (o *OTLP) openKafka(ctx context.Context) error {
	c := o.config
	if len(c.Output.Kafka.Brokers) == 0 {
		return nil
	}
	topics := map[otlp.Signal]string{}
	plan := kafka.OutputPlan{Output: o.output, Alerts: c.Alerts.Kafka.Topic}
	if c.KafkaRecords() {
		for signal, name := range gateway.Topics {
			topics[signal] = c.OutputTopic(name)
			plan.Topics = append(plan.Topics, topics[signal])
		}
	}
	if plan.Alerts != "" {
		plan.Groups = []string{o.foldingGroup(), o.foldingGroup() + storeSuffix}
	}
	ctx, cancel := context.WithTimeout(ctx, preflightTimeout)
	defer cancel()
	slices.Sort(plan.Topics)
	partitions, err := kafka.PreflightOutput(ctx, plan)
	if err != nil {
		return err
	}
	if err := o.openDeliverer(ctx); err != nil {
		return err
	}
	options := gateway.KafkaOptions{
		Deliverer: o.deliver, Topics: topics, Partitions: partitions, Encoding: otlp.Encoding(c.Output.Kafka.Encoding), Now: time.Now,
	}
	if codec := codecs[c.Output.Kafka.Codec]; codec != nil {
		options.Codec = *codec
	} else {
		options.Codec = recordbatch.None
	}
	if plan.Alerts != "" {
		options.Message = func(d event.Detection) kafka.Message { return detectionMessage(plan.Alerts, d, time.Now()) }
	}
	o.kafka = gateway.NewKafka(options)
	return nil
}

// openOutputs opens where requests go.
func (o *OTLP) openOutputs(ctx context.Context) error {
	c := o.config
	options := gateway.Options{
		Pool: o.pool, Tell: o.alerts.local, Budget: int64(c.Limits.MemoryBudget), Counts: o.metrics, Log: o.log, Now: time.Now,
	}
	switch {
	case o.kafka != nil && c.Alerts.Kafka.Topic != "":
		options.Tell = o.kafka.Tell
	case o.folding != nil:
		options.Tell = o.folding.Tell
	}
	if c.KafkaRecords() {
		options.Outputs = append(options.Outputs, o.kafka)
	}
	if path := c.Output.File.Path; path != "" {
		var err error
		if o.file, err = linefile.Open(fileOptions(&c.Output.File)); err != nil {
			return fmt.Errorf("output.file.path: %w", err)
		}
		options.Outputs = append(options.Outputs, gateway.File{To: o.file})
	}
	if c.Output.OTLP.Endpoint != "" {
		if err := o.openExporter(ctx); err != nil {
			return fmt.Errorf("output.otlp: %w", err)
		}
		options.Outputs = append(options.Outputs, gateway.Export{To: o.exporter})
	}
	o.gateway = gateway.New(options)
	o.metrics.WatchMemory(o.gateway.Memory)
	return nil
}

// maxLine bounds what half a line of the output can be: a request in JSON.
const maxLine = 1 << 30

func fileOptions(f *config.FileOutput) linefile.Options {
	return linefile.Options{Path: f.Path, MaxBytes: int64(f.MaxBytes), MaxAge: f.MaxAge, Keep: f.Keep, MaxLine: maxLine}
}

func (o *OTLP) openExporter(ctx context.Context) error {
	out := o.config.Output.OTLP
	options := otlpnet.ExporterOptions{
		Endpoint: out.Endpoint, HTTP: out.Protocol == "http", Compression: out.Compression,
		Timeout: out.Timeout, RetryFor: out.RetryFor, Version: o.version, Log: o.log,
	}
	if out.TLS.Enabled {
		options.TLS = &otlpnet.ClientTLS{CAFile: out.TLS.CAFile, CertFile: out.TLS.CertFile, KeyFile: out.TLS.KeyFile, ServerName: out.TLS.ServerName}
	}
	var err error
	if options.Token, err = readToken("auth.token_file", out.Auth.TokenFile); err != nil {
		return err
	}
	o.exporter, err = otlpnet.Dial(ctx, options)
	return err
}

// readToken returns nil when no file is named. An empty token would let everybody in.
func readToken(key, file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	token, err := config.ReadSecret(file)
	if err == nil && len(token) == 0 {
		err = fmt.Errorf("%s is empty", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return token, nil
}

func (o *OTLP) listen(ctx context.Context) error {
	in := o.config.Input.OTLP
	options := otlpnet.ServerOptions{
		GRPC: in.GRPC, HTTP: in.HTTP, MaxRequest: int(in.MaxRequestBytes), MaxStreams: uint32(in.MaxStreams), Log: o.log,
		Failed: func(err error) {
			select {
			case o.failed <- err:
			default:
			}
		},
	}
	if in.TLS.Enabled {
		options.TLS = &otlpnet.ServerTLS{CertFile: in.TLS.CertFile, KeyFile: in.TLS.KeyFile, ClientCAFile: in.TLS.ClientCAFile}
	}
	var err error
	if options.Token, err = readToken("input.otlp.auth.token_file", in.Auth.TokenFile); err != nil {
		return err
	}
	if o.server, err = otlpnet.Listen(ctx, options, o.gateway); err != nil {
		return fmt.Errorf("input.otlp: %w", err)
	}
	return nil
}

// Run listens until ctx ends, then has the requests under way finish.
func (o *OTLP) Run(ctx context.Context) error {
	if err := o.listen(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrStart, err)
	}
	in := o.config.Input.OTLP
	o.log.Info("leakveil runs", "grpc", in.GRPC, "http", in.HTTP, "key", o.key.ID())
	// Alerts are folded until the last request is answered, and sent until all are folded.
	folding, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var all errgroup.Group
	all.Go(func() error { return o.alert(folding) })
	all.Go(func() error { o.watchOTLP(ctx); return nil })
	var err error
	select {
	case <-ctx.Done():
	case err = <-o.failed:
		err = fmt.Errorf("input.otlp: listening has ended: %w", err)
	}
	err = errors.Join(err, o.drain())
	stop()
	if folded := all.Wait(); !errors.Is(folded, context.Canceled) {
		err = errors.Join(err, folded)
	}
	o.log.Info("leakveil has stopped", "clean", err == nil)
	return err
}

// alert folds until ctx ends, and sends until all is folded.
func (o *OTLP) alert(ctx context.Context) error {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var all errgroup.Group
	if o.fan != nil {
		all.Go(func() error { return o.fan.Run(sending) })
	}
	var err error
	if o.folding != nil {
		err = o.folding.Run(ctx)
		o.folding.finish(o.log.Warn)
	} else {
		err = o.alerts.run(ctx)
	}
	stop()
	return errors.Join(err, all.Wait())
}

// drain answers the requests under way. What takes too long is told to come again.
func (o *OTLP) drain() error {
	timer := time.AfterFunc(o.config.Limits.DrainTimeout, o.gateway.Abandon)
	defer timer.Stop()
	server := o.server
	o.server = nil
	ctx, cancel := context.WithTimeout(context.Background(), o.config.Limits.DrainTimeout+closing)
	defer cancel()
	return server.Shutdown(ctx)
}

// closing is how long requests may take that were told to come again.
const closing = 10 * time.Second

// watchOTLP keeps the readiness up to date until ctx ends.
func (o *OTLP) watchOTLP(ctx context.Context) {
	o.live.Add("process").OK()
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		if trouble := o.gateway.Trouble(); trouble != "" {
			o.able.Fail(trouble)
		} else {
			o.able.OK()
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			o.able.Fail("stopping")
			return
		case <-tick.C:
		}
	}
}

// Close see Runner.
func (o *OTLP) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	if o.server != nil {
		_ = o.server.Shutdown(ctx)
	}
	if o.exporter != nil {
		_ = o.exporter.Shutdown(ctx)
	}
	if o.file != nil {
		_ = o.file.Close()
	}
	if o.pool != nil {
		_ = o.pool.Close()
	}
	if o.folding != nil {
		_ = o.folding.box.Close()
	}
	o.App.Close()
}
