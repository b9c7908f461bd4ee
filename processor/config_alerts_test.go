package leakveilprocessor

import (
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/sink/transport"
)

func TestEverySettingOfAlerts(t *testing.T) {
	cfg, err := configOf(t, "alerts")
	if err != nil {
		t.Fatal(err)
	}
	a := &cfg.Alerts
	if a.Storage.String() != "file_storage/alerts" || a.MaxBytes != 16<<20 || a.OnFull != OnFullDrop || a.Window != 10*time.Minute ||
		a.Interval != 30*time.Second || a.ShutdownTimeout != time.Second {
		t.Errorf("%+v", a)
	}
	o := a.OTLP.options()
	if a.OTLP.Protocol != "http" || o.URL != "https://siem.example:4318" || o.Username != "leakveil" || o.Password.File != "/etc/leakveil/password" ||
		!o.Gzip || o.TLS != (transport.TLS{CAFile: "a", CertFile: "b", KeyFile: "c", ServerName: "d"}) {
		t.Errorf("%+v", o)
	}
	if f := a.File; f.Path != "/var/log/alerts.ndjson" || f.MaxBytes != 1<<20 || f.Keep != 2 || f.Format != "cef" {
		t.Errorf("%+v", f)
	}
	w := a.Webhook
	if w.URLEnv != "CHAT_URL" || w.Format != "template" || w.TemplateFile != "/etc/leakveil/body" || w.TokenEnv != "TOKEN" || w.TokenScheme != "Splunk" ||
		w.SigningKeyFile != "/etc/leakveil/signing" || w.RoutingKeyFile != "/etc/leakveil/routing" {
		t.Errorf("%+v", w)
	}
	if cfg, err = configOf(t, ""); err != nil || cfg.Alerts.enabled() {
		t.Errorf("%v: alerts without being asked for", err)
	}
}

func TestMistakesInAlertsAreTold(t *testing.T) {
	for name, want := range map[string]string{
		"no_sink": "no sink", "no_outbox": "want one of storage", "two_outboxes": "want one of storage", "no_key": "want a fingerprint_key",
		"little": "max_bytes: 1000", "on_full": `on_full: "wait"`, "window": "window: 1ms", "interval": "interval: -1s", "shutdown": "shutdown_timeout: -1s",
		"no_path": "file: path", "format": "xml", "no_url": "otlp: url: is needed", "protocol": `"udp"`, "two_tokens": "otlp: token: given more",
		"two_urls": "webhook: url: given more", "template": "template_file go together", "typo": "tokenfile", "kafka": "kafka",
	} {
		if _, err := configOf(t, "alerts_"+name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
