package build_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/build"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

func TestEveryTypeIsMade(t *testing.T) {
	t.Setenv("LEAKVEIL_TEST_TOKEN", sinktest.Secret())
	token := transport.Secret{Env: "LEAKVEIL_TEST_TOKEN"}
	dir := t.TempDir()
	template := filepath.Join(dir, "t")
	if err := os.WriteFile(template, []byte(`{"what":{{.Title | json}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	http := transport.HTTPOptions{URL: "https://siem.example"}
	good := map[string]build.Options{
		"alertmanager":  {HTTP: http},
		"elasticsearch": {HTTP: http, Stream: "alerts", InstallTemplate: true},
		"file":          {Path: filepath.Join(dir, "f"), Format: "ocsf", MaxBytes: 1 << 20, Keep: 2},
		"kafka": {
			Brokers: []string{"kafka:9093"}, Topic: "alerts", Mechanism: "scram-sha-512", Format: "ocsf",
			HTTP: transport.HTTPOptions{Username: "u", Password: token},
		},
		"otlp":       {HTTP: http, Protocol: "http"},
		"splunk_hec": {HTTP: transport.HTTPOptions{URL: "https://siem.example", Token: token}, Index: "security", Ack: true},
		"syslog":     {Address: "siem.example:6514", Format: "cef", Protocol: "tls"},
		"webhook":    {HTTP: http, Format: "template", TemplateFile: template, SigningKey: token},
	}
	for _, name := range build.Types {
		o, ok := good[name]
		if !ok {
			t.Fatalf("%s is not tried", name)
		}
		o.Type = name
		s, err := build.New(o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c, ok := s.(sink.Closer); ok {
			_ = c.Close()
		}
	}
}

// A type refuses every option that is not its own: a mistake must not be silent.
func TestForeignOptionsAreRefused(t *testing.T) {
	t.Setenv("LEAKVEIL_TEST_TOKEN", sinktest.Secret())
	for name, o := range map[string]build.Options{
		"stream":        {Type: "webhook", HTTP: transport.HTTPOptions{URL: "https://h"}, Stream: "x"},
		"path":          {Type: "syslog", Address: "h:1", Path: "x"},
		"url":           {Type: "file", Path: filepath.Join(t.TempDir(), "x"), HTTP: transport.HTTPOptions{URL: "https://h"}},
		"format":        {Type: "otlp", HTTP: transport.HTTPOptions{URL: "https://h"}, Format: "cef"},
		"ack":           {Type: "elasticsearch", HTTP: transport.HTTPOptions{URL: "https://h"}, Ack: true},
		"username":      {Type: "splunk_hec", HTTP: transport.HTTPOptions{URL: "https://h", Username: "u"}},
		"token":         {Type: "syslog", Address: "h:1", HTTP: transport.HTTPOptions{Token: transport.Secret{Env: "LEAKVEIL_TEST_TOKEN"}}},
		"type":          {Type: "fax"},
		"mechanism":     {Type: "kafka", Brokers: []string{"h:1"}, Topic: "t", Mechanism: "plain"},
		"tls":           {Type: "kafka", Brokers: []string{"h:1"}, Topic: "t", Protocol: "tcp", HTTP: transport.HTTPOptions{TLS: transport.TLS{ServerName: "x"}}},
		"brokers":       {Type: "kafka", Topic: "t"},
		"topic":         {Type: "kafka", Brokers: []string{"h:1"}},
		"protocol":      {Type: "syslog", Address: "h:1", Protocol: "udp"},
		"template_file": {Type: "webhook", HTTP: transport.HTTPOptions{URL: "https://h"}, TemplateFile: "/nonexistent"},
	} {
		made, err := build.New(o)
		if err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
		if made != nil && !reflect.ValueOf(made).IsNil() {
			t.Errorf("%s: a sink was made", name)
		}
	}
}
