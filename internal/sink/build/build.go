// Package build makes a sink of its configuration: the one place that knows every
// kind of sink. It connects to nothing, and its errors name an option, never a
// credential.
package build

import (
	"fmt"
	"os"
	"strings"

	leakveilkafka "github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/alertmanager"
	"github.com/leakveil/leakveil/internal/sink/elastic"
	"github.com/leakveil/leakveil/internal/sink/file"
	"github.com/leakveil/leakveil/internal/sink/format"
	"github.com/leakveil/leakveil/internal/sink/kafka"
	"github.com/leakveil/leakveil/internal/sink/otlp"
	"github.com/leakveil/leakveil/internal/sink/splunkhec"
	"github.com/leakveil/leakveil/internal/sink/syslog"
	"github.com/leakveil/leakveil/internal/sink/transport"
	"github.com/leakveil/leakveil/internal/sink/webhook"
)

// Types are the kinds of sinks.
var Types = []string{"alertmanager", "elasticsearch", "file", "kafka", "otlp", "splunk_hec", "syslog", "webhook"}

// Options are those of every type; a type takes some, and refuses the others.
type Options struct {
	Type string
	HTTP transport.HTTPOptions
	// Address is host:port of syslog, which has TLS from HTTP.TLS.
	Address string
	// Brokers (host:port) and Topic of Kafka, which has TLS from HTTP.TLS, and user and
	// password with Mechanism (plain, scram-sha-256, scram-sha-512) from HTTP.
	Brokers   []string
	Topic     string
	Mechanism string
	// Path of a file, MaxBytes and Keep of its rotation.
	Path     string
	MaxBytes int64
	Keep     int
	// Format of a file, of syslog's text, or of a webhook's body.
	Format string
	// TemplateFile of a webhook with format template.
	TemplateFile string
	SigningKey   transport.Secret
	RoutingKey   transport.Secret
	// Protocol is grpc or http of OTLP, tls or tcp of syslog and Kafka.
	Protocol string
	// Stream is Elasticsearch's data stream.
	Stream          string
	InstallTemplate bool
	// Index is Splunk's.
	Index string
	Ack   bool
}

// New makes the sink.
func New(o Options) (sink.Sink, error) {
	if name := o.foreign(); name != "" {
		return nil, fmt.Errorf("%s: is no option of type %s", name, o.Type)
	}
	switch o.Type {
	case "alertmanager":
		return made(alertmanager.New(alertmanager.Options{HTTP: o.HTTP}))
	case "elasticsearch":
		return made(elastic.New(elastic.Options{HTTP: o.HTTP, Stream: o.Stream, InstallTemplate: o.InstallTemplate}))
	case "file":
		return o.file()
	case "kafka":
		return o.kafka()
	case "otlp":
		return made(otlp.New(otlp.Options{HTTP: o.HTTP, Protocol: o.Protocol}))
	case "splunk_hec":
		return made(splunkhec.New(splunkhec.Options{HTTP: o.HTTP, Index: o.Index, Ack: o.Ack}))
	case "syslog":
		return o.syslog()
	case "webhook":
		return o.webhook()
	}
	return nil, fmt.Errorf("type: %q is none of %v", o.Type, Types)
}

// made keeps a nil pointer from becoming a sink that is not nil.
func made[S sink.Sink](s S, err error) (sink.Sink, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (o Options) file() (sink.Sink, error) {
	if o.Path == "" {
		return nil, fmt.Errorf("path: is needed")
	}
	options := file.Options{Path: o.Path, MaxBytes: o.MaxBytes, Keep: o.Keep}
	if o.Format != "" && o.Format != "json" {
		render, err := format.ByName(o.Format)
		if err != nil {
			return nil, err
		}
		options.Render = render
	}
	return made(file.New(options))
}

func (o Options) kafka() (sink.Sink, error) {
	c := leakveilkafka.Connection{Brokers: o.Brokers}
	switch t := o.HTTP.TLS; {
	case o.Protocol == "" || o.Protocol == "tls":
		c.TLS = &leakveilkafka.TLS{CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile, ServerName: t.ServerName}
	case o.Protocol != "tcp":
		return nil, fmt.Errorf("protocol: %q is not tls or tcp", o.Protocol)
	case t != (transport.TLS{}):
		return nil, fmt.Errorf("tls: goes with protocol tls")
	}
	if (o.Mechanism != "") != (o.HTTP.Username != "") || (o.Mechanism != "") != o.HTTP.Password.Set() {
		return nil, fmt.Errorf("mechanism: goes with username and password")
	}
	if o.Mechanism != "" {
		c.SASL = &leakveilkafka.SASL{Mechanism: o.Mechanism, Username: o.HTTP.Username, PasswordFile: o.HTTP.Password.File, PasswordEnv: o.HTTP.Password.Env}
	}
	options := kafka.Options{Connection: c, Topic: o.Topic}
	if o.Format != "" && o.Format != "json" {
		var err error
		if options.Render, err = format.ByName(o.Format); err != nil {
			return nil, err
		}
	}
	return made(kafka.New(options))
}

func (o Options) syslog() (sink.Sink, error) {
	if o.Protocol != "" && o.Protocol != "tls" && o.Protocol != "tcp" {
		return nil, fmt.Errorf("protocol: %q is not tls or tcp", o.Protocol)
	}
	return made(syslog.New(syslog.Options{Address: o.Address, Plain: o.Protocol == "tcp", TLS: o.HTTP.TLS, Format: o.Format}))
}

func (o Options) webhook() (sink.Sink, error) {
	options := webhook.Options{HTTP: o.HTTP, Format: o.Format, SigningKey: o.SigningKey, RoutingKey: o.RoutingKey}
	if o.TemplateFile != "" {
		if o.Format != "template" {
			return nil, fmt.Errorf("template_file: goes with format template")
		}
		text, err := os.ReadFile(o.TemplateFile)
		if err != nil {
			return nil, fmt.Errorf("template_file: %w", err)
		}
		options.Template = string(text)
	}
	return made(webhook.New(options))
}

// takes are the options that a type has besides those of every HTTP sink.
var takes = map[string]string{
	"alertmanager": " url username password token gzip tls ", "elasticsearch": " url username password token gzip tls stream install_template ",
	"file": " path max_bytes keep format ", "kafka": " brokers topic mechanism username password tls protocol format ", "otlp": " url username password token gzip tls protocol ",
	"splunk_hec": " url token gzip tls index ack ", "syslog": " address tls protocol format ",
	"webhook": " url url_file username password token gzip tls format template_file signing_key routing_key ",
}

// foreign returns the name of an option that is set and that the type has not.
func (o Options) foreign() string {
	known, ok := takes[o.Type]
	if !ok {
		return ""
	}
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"url", o.HTTP.URL != ""}, {"url_file", o.HTTP.SecretURL.Set()}, {"username", o.HTTP.Username != ""}, {"password", o.HTTP.Password.Set()}, {"token", o.HTTP.Token.Set()},
		{"gzip", o.HTTP.Gzip}, {"tls", o.HTTP.TLS != transport.TLS{}}, {"address", o.Address != ""}, {"brokers", len(o.Brokers) > 0}, {"topic", o.Topic != ""}, {"mechanism", o.Mechanism != ""}, {"path", o.Path != ""},
		{"max_bytes", o.MaxBytes != 0}, {"keep", o.Keep != 0}, {"format", o.Format != ""}, {"template_file", o.TemplateFile != ""},
		{"signing_key", o.SigningKey.Set()}, {"routing_key", o.RoutingKey.Set()}, {"protocol", o.Protocol != ""},
		{"stream", o.Stream != ""}, {"install_template", o.InstallTemplate}, {"index", o.Index != ""}, {"ack", o.Ack},
	} {
		if option.set && !strings.Contains(known, " "+option.name+" ") {
			return option.name
		}
	}
	return ""
}
