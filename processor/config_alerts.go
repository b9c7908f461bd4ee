package leakveilprocessor

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/leakveil/leakveil/internal/sink"
	filesink "github.com/leakveil/leakveil/internal/sink/file"
	"github.com/leakveil/leakveil/internal/sink/format"
	otlpsink "github.com/leakveil/leakveil/internal/sink/otlp"
	"github.com/leakveil/leakveil/internal/sink/transport"
	"github.com/leakveil/leakveil/internal/sink/webhook"
)

// OnFull says what happens to a request whose detections have no room in the outbox.
type OnFull string

const (
	// OnFullRejectRequest refuses the request with an error that can be tried again.
	OnFullRejectRequest OnFull = "reject_request"
	// OnFullDrop passes the masked data on; the detections are counted and lost.
	OnFullDrop OnFull = "drop"
)

// AlertsConfig sends alerts from the processor itself. What is found is durable in an
// outbox before the data is passed on; everything behind that happens beside the data.
type AlertsConfig struct {
	// Storage is the id of a storage extension that keeps the outbox.
	Storage *component.ID `mapstructure:"storage"`
	// Directory is a folder that keeps it instead, for this processor alone.
	Directory string `mapstructure:"directory"`
	// MaxBytes bounds what waits: detections, and alerts, each to half of it. 256 MiB by
	// default.
	MaxBytes int64 `mapstructure:"max_bytes"`
	// OnFull is reject_request (the default) or drop.
	OnFull OnFull `mapstructure:"on_full"`
	// Window is the stretch of event time that one alert covers, 1h by default.
	Window time.Duration `mapstructure:"window"`
	// Interval is how often an alert that grew is sent again, 1m by default.
	Interval time.Duration `mapstructure:"interval"`
	// ShutdownTimeout is how long a shutdown waits for sinks to take what is there, 5s by
	// default; what they do not take then is sent after the next start.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// OTLP sends alerts as log records to an OTLP endpoint.
	OTLP *OTLPSinkConfig `mapstructure:"otlp"`
	// File appends alerts to a file, one a line.
	File *FileSinkConfig `mapstructure:"file"`
	// Webhook posts alerts as JSON.
	Webhook *WebhookSinkConfig `mapstructure:"webhook"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// HTTPSinkConfig is what sinks over HTTP and gRPC have in common. Credentials come from
// files, read again when needed, or from environment variables.
type HTTPSinkConfig struct {
	// URL is the receiver's address.
	URL string `mapstructure:"url"`
	// Username with a password is Basic authentication.
	Username     string `mapstructure:"username"`
	PasswordFile string `mapstructure:"password_file"`
	PasswordEnv  string `mapstructure:"password_env"`
	// TokenFile and TokenEnv hold a token for the Authorization header.
	TokenFile string `mapstructure:"token_file"`
	TokenEnv  string `mapstructure:"token_env"`
	// TokenScheme stands before the token; Bearer by default.
	TokenScheme string `mapstructure:"token_scheme"`
	// Gzip compresses bodies.
	Gzip bool `mapstructure:"gzip"`
	// TLS says how to verify the receiver and what to show it.
	TLS SinkTLSConfig `mapstructure:"tls"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// SinkTLSConfig names the files of a sink's TLS connection.
type SinkTLSConfig struct {
	CAFile     string `mapstructure:"ca_file"`
	CertFile   string `mapstructure:"cert_file"`
	KeyFile    string `mapstructure:"key_file"`
	ServerName string `mapstructure:"server_name"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// OTLPSinkConfig is an OTLP endpoint for logs.
type OTLPSinkConfig struct {
	HTTPSinkConfig `mapstructure:",squash"`
	// Protocol is grpc (the default) or http.
	Protocol string `mapstructure:"protocol"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// FileSinkConfig is a file of alerts.
type FileSinkConfig struct {
	// Path of the file.
	Path string `mapstructure:"path"`
	// MaxBytes is the size at which it is rotated, 100 MiB by default.
	MaxBytes int64 `mapstructure:"max_bytes"`
	// Keep is the number of rotated files, 5 by default.
	Keep int `mapstructure:"keep"`
	// Format is json (the default), cef, leef, ocsf or ocsf-data.
	Format string `mapstructure:"format"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// WebhookSinkConfig is an address that alerts are posted to.
type WebhookSinkConfig struct {
	HTTPSinkConfig `mapstructure:",squash"`
	// URLFile and URLEnv hold the address where it is itself a credential, as those of
	// chat tools are.
	URLFile string `mapstructure:"url_file"`
	URLEnv  string `mapstructure:"url_env"`
	// Format is json (the default), slack, discord, teams, pagerduty or template.
	Format string `mapstructure:"format"`
	// TemplateFile is the text/template of format template.
	TemplateFile string `mapstructure:"template_file"`
	// SigningKeyFile and SigningKeyEnv hold the key of signatures by Standard Webhooks.
	SigningKeyFile string `mapstructure:"signing_key_file"`
	SigningKeyEnv  string `mapstructure:"signing_key_env"`
	// RoutingKeyFile and RoutingKeyEnv hold the integration key of PagerDuty.
	RoutingKeyFile string `mapstructure:"routing_key_file"`
	RoutingKeyEnv  string `mapstructure:"routing_key_env"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Defaults of AlertsConfig.
const (
	defaultAlertsBytes     = 256 << 20
	defaultWindow          = time.Hour
	defaultInterval        = time.Minute
	defaultShutdownTimeout = 5 * time.Second
	minAlertsBytes         = 8 << 20
)

// sinkNames are all sinks of a processor, as their cursors and metrics are named.
var sinkNames = []string{"otlp", "file", "webhook"}

// enabled reports whether the processor sends alerts itself.
func (c *AlertsConfig) enabled() bool { return c.OTLP != nil || c.File != nil || c.Webhook != nil }

// validate reports every mistake that can be seen without reading a file.
func (c *AlertsConfig) validate(key *KeyConfig) error {
	if !c.enabled() {
		if c.Storage != nil || c.Directory != "" {
			return errors.New("alerts: no sink; want otlp, file or webhook")
		}
		return nil
	}
	var errs []error
	if (c.Storage == nil) == (c.Directory == "") {
		errs = append(errs, errors.New("want one of storage (the id of a storage extension) and directory: alerts wait there until sinks have them"))
	}
	if key.Value == "" && key.File == "" && key.Env == "" {
		errs = append(errs, errors.New("want a fingerprint_key: ids of alerts are made with it, and must be the same after a restart"))
	}
	if c.MaxBytes < minAlertsBytes {
		errs = append(errs, fmt.Errorf("max_bytes: %d: want %d or more", c.MaxBytes, minAlertsBytes))
	}
	if c.OnFull != OnFullRejectRequest && c.OnFull != OnFullDrop {
		errs = append(errs, fmt.Errorf("on_full: %q: want %s or %s", c.OnFull, OnFullRejectRequest, OnFullDrop))
	}
	if c.Window < time.Second || c.Window%time.Millisecond != 0 {
		errs = append(errs, fmt.Errorf("window: %s: want whole milliseconds, 1s or more", c.Window))
	}
	if c.Interval <= 0 {
		errs = append(errs, fmt.Errorf("interval: %s: want more than 0", c.Interval))
	}
	if c.ShutdownTimeout < 0 {
		errs = append(errs, fmt.Errorf("shutdown_timeout: %s: want 0 or more", c.ShutdownTimeout))
	}
	errs = append(errs, c.validateSinks()...)
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("alerts: %w", err)
		}
	}
	return errors.Join(errs...)
}

func (c *AlertsConfig) validateSinks() (errs []error) {
	if s := c.OTLP; s != nil {
		if s.Protocol != "" && s.Protocol != "grpc" && s.Protocol != "http" {
			errs = append(errs, fmt.Errorf("otlp: protocol: %q: want grpc or http", s.Protocol))
		}
		errs = append(errs, s.validate("otlp", s.URL != ""))
	}
	if s := c.File; s != nil {
		if s.Path == "" {
			errs = append(errs, errors.New("file: path: is needed"))
		}
		if s.MaxBytes < 0 || s.Keep < 0 {
			errs = append(errs, errors.New("file: max_bytes and keep: want 0 (the default) or more"))
		}
		if s.Format != "" && s.Format != "json" {
			if _, err := format.ByName(s.Format); err != nil {
				errs = append(errs, fmt.Errorf("file: %w", err))
			}
		}
	}
	if s := c.Webhook; s != nil {
		errs = append(errs, s.validate("webhook", s.URL != "" || s.URLFile != "" || s.URLEnv != ""),
			two("webhook: url", s.URL, s.URLFile, s.URLEnv), two("webhook: signing_key", s.SigningKeyFile, s.SigningKeyEnv),
			two("webhook: routing_key", s.RoutingKeyFile, s.RoutingKeyEnv))
		if (s.Format == "template") != (s.TemplateFile != "") {
			errs = append(errs, errors.New("webhook: format template and template_file go together"))
		}
	}
	return errs
}

func (c *HTTPSinkConfig) validate(name string, addressed bool) error {
	var err error
	if !addressed {
		err = fmt.Errorf("%s: url: is needed", name)
	}
	return errors.Join(err, two(name+": password", c.PasswordFile, c.PasswordEnv), two(name+": token", c.TokenFile, c.TokenEnv))
}

// two refuses more than one place of the same thing.
func two(name string, places ...string) error {
	given := 0
	for _, place := range places {
		if place != "" {
			given++
		}
	}
	if given > 1 {
		return fmt.Errorf("%s: given more than once; keep one", name)
	}
	return nil
}

func secret(file, env string) transport.Secret { return transport.Secret{File: file, Env: env} }

func (c *HTTPSinkConfig) options() transport.HTTPOptions {
	return transport.HTTPOptions{
		URL: c.URL, Username: c.Username, Password: secret(c.PasswordFile, c.PasswordEnv), Token: secret(c.TokenFile, c.TokenEnv),
		Scheme: c.TokenScheme, Gzip: c.Gzip,
		TLS: transport.TLS{CAFile: c.TLS.CAFile, CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile, ServerName: c.TLS.ServerName},
	}
}

// open makes the sink; it connects to nothing.
func (c *OTLPSinkConfig) open() (sink.Sink, error) {
	return otlpsink.New(otlpsink.Options{HTTP: c.options(), Protocol: c.Protocol})
}

func (c *FileSinkConfig) open() (sink.Sink, error) {
	o := filesink.Options{Path: c.Path, MaxBytes: c.MaxBytes, Keep: c.Keep}
	if c.Format != "" && c.Format != "json" {
		var err error
		if o.Render, err = format.ByName(c.Format); err != nil {
			return nil, err
		}
	}
	return filesink.New(o)
}

func (c *WebhookSinkConfig) open() (sink.Sink, error) {
	o := webhook.Options{
		HTTP: c.options(), Format: c.Format, SigningKey: secret(c.SigningKeyFile, c.SigningKeyEnv), RoutingKey: secret(c.RoutingKeyFile, c.RoutingKeyEnv),
	}
	o.HTTP.SecretURL = secret(c.URLFile, c.URLEnv)
	if c.TemplateFile != "" {
		text, err := readTemplate(c.TemplateFile)
		if err != nil {
			return nil, err
		}
		o.Template = text
	}
	return webhook.New(o)
}
