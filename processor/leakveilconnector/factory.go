package leakveilconnector

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
)

// typ is the connector's type, stability that of each of its pairs of signals.
var typ = component.MustNewType("leakveil")

const stability = component.StabilityLevelAlpha

// NewFactory returns the factory of the leakveil connector.
func NewFactory() connector.Factory {
	f := &factory{shared: map[*Config]*shared{}}
	return connector.NewFactory(
		typ,
		createDefaultConfig,
		connector.WithLogsToLogs(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Logs, error) {
			return f.create("logs", set, cfg.(*Config), next)
		}, stability),
		connector.WithTracesToLogs(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Traces, error) {
			return f.create("traces", set, cfg.(*Config), next)
		}, stability),
		connector.WithMetricsToLogs(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Metrics, error) {
			return f.create("metrics", set, cfg.(*Config), next)
		}, stability),
	)
}
