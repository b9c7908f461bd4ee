// Package metadata is what metadata.yaml declares: type, stability and telemetry of the
// processor. A test of leakveilprocessor keeps the two in step. It must hold nothing that
// is not declared there.
package metadata

import "go.opentelemetry.io/collector/component"

// Type and ScopeName name the component and its telemetry.
var (
	Type      = component.MustNewType("leakveil")
	ScopeName = "github.com/leakveil/leakveil/processor"
)

// The stability of each signal.
const (
	LogsStability    = component.StabilityLevelAlpha
	TracesStability  = component.StabilityLevelAlpha
	MetricsStability = component.StabilityLevelAlpha
)
