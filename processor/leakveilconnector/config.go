package leakveilconnector

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	leakveilprocessor "github.com/leakveil/leakveil/processor"
)

// Config is the connector's configuration.
type Config struct {
	// From is the id of the leakveil processor whose detections are emitted, as the
	// configuration names it: leakveil, or leakveil/name. Nothing is scanned twice, and the
	// data that comes to the connector is not looked at. Without it the connector scans
	// that data itself.
	From string `mapstructure:"from"`
	// Scan is how the connector scans when From is empty: the settings of the processor.
	Scan *leakveilprocessor.Config `mapstructure:"scan"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func createDefaultConfig() component.Config { return &Config{} }

var _ confmap.Unmarshaler = (*Config)(nil)

// Unmarshal gives what scan does not set its default.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if conf.IsSet("scan") && c.Scan == nil {
		c.Scan = defaultScan()
	}
	return conf.Unmarshal(c)
}

func defaultScan() *leakveilprocessor.Config {
	return leakveilprocessor.NewFactory().CreateDefaultConfig().(*leakveilprocessor.Config)
}

// Validate reports mistakes.
func (c *Config) Validate() error {
	if c.From != "" && c.Scan != nil {
		return errors.New("scan: with from, the connector does not scan; want one of them")
	}
	if c.Scan != nil && (c.Scan.Alerts.OTLP != nil || c.Scan.Alerts.File != nil || c.Scan.Alerts.Webhook != nil) {
		return errors.New("scan: alerts: are the processor's own sinks; the connector's are exporters")
	}
	if c.From != "" {
		var id component.ID
		if err := id.UnmarshalText([]byte(c.From)); err != nil {
			return fmt.Errorf("from: %w", err)
		}
	}
	return nil
}

// scan is the configuration to scan with.
func (c *Config) scan() *leakveilprocessor.Config {
	if c.Scan != nil {
		return c.Scan
	}
	return defaultScan()
}

// from is the processor whose detections are taken; false without one.
func (c *Config) from() (id component.ID, ok bool) {
	if c.From == "" {
		return id, false
	}
	return id, id.UnmarshalText([]byte(c.From)) == nil
}
