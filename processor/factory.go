package leakveilprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/leakveil/leakveil/processor/internal/metadata"
)

// NewFactory returns the factory of the leakveil processor.
func NewFactory() processor.Factory {
	f := &factory{engines: map[*Config]*engine{}}
	return processor.NewFactory(
		metadata.Type,
		createDefaultConfig,
		processor.WithLogs(f.createLogs, metadata.LogsStability),
		processor.WithTraces(f.createTraces, metadata.TracesStability),
		processor.WithMetrics(f.createMetrics, metadata.MetricsStability),
	)
}

func (f *factory) createLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	p, err := f.newProcessor(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	inner, err := processorhelper.NewLogs(ctx, set, cfg, next, p.logs, p.options()...)
	return countedLogs{inner, p.telemetry}, err
}

func (f *factory) createTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	p, err := f.newProcessor(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	inner, err := processorhelper.NewTraces(ctx, set, cfg, next, p.traces, p.options()...)
	return countedTraces{inner, p.telemetry}, err
}

func (f *factory) createMetrics(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	p, err := f.newProcessor(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	inner, err := processorhelper.NewMetrics(ctx, set, cfg, next, p.metrics, p.options()...)
	return countedMetrics{inner, p.telemetry}, err
}

// options are what every signal's processor is made with.
func (p *leakveil) options() []processorhelper.Option {
	return []processorhelper.Option{
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}),
		processorhelper.WithStart(p.start),
		processorhelper.WithShutdown(p.shutdown),
	}
}
