package otlpnet

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/pcommon"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
)

// host is what components see of the program around them: extensions, and where to report
// that they broke.
type host struct {
	extensions map[component.ID]component.Component
	failed     func(error)
}

// GetExtensions is of component.Host.
func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// Report is of componentstatus.Reporter.
func (h *host) Report(e *componentstatus.Event) {
	if s := e.Status(); h.failed != nil && (s == componentstatus.StatusFatalError || s == componentstatus.StatusPermanentError) {
		h.failed(e.Err())
	}
}

// settings are the telemetry of components: their logs go to log, their metrics and traces
// nowhere, since leakveil counts by itself.
func settings(log *slog.Logger) component.TelemetrySettings {
	return component.TelemetrySettings{
		Logger:         zapLogger(log),
		TracerProvider: tracenoop.NewTracerProvider(),
		MeterProvider:  metricnoop.NewMeterProvider(),
		Resource:       pcommon.NewResource(),
	}
}

// buildInfo is what exporters call themselves.
func buildInfo(version string) component.BuildInfo {
	return component.BuildInfo{Command: "leakveil", Description: "leakveil", Version: version}
}

// authenticator is the name of the bearer extension among the extensions.
const authenticator = "bearertokenauth"

// bearer returns the extension that knows one token.
func bearer(ctx context.Context, log *slog.Logger, token []byte) (component.ID, extension.Extension, error) {
	f := bearertokenauthextension.NewFactory()
	c := f.CreateDefaultConfig().(*bearertokenauthextension.Config)
	c.BearerToken = configopaque.String(token)
	set := extension.Settings{ID: component.NewID(f.Type()), TelemetrySettings: settings(log), BuildInfo: buildInfo("")}
	e, err := f.Create(ctx, set, c)
	return set.ID, e, err
}

// apply lays values, under the component's own keys, over its defaults. It does not show
// them in errors.
func apply(to component.Config, values map[string]any) error {
	return confmap.NewFromStringMap(values).Unmarshal(to)
}

// section is a part of a component's configuration.
type section = map[string]any
