package config

import (
	"fmt"
	"regexp"
	"time"
)

// AlertsStore is the database of alerts on their way to sinks.
type AlertsStore struct {
	Path     string        `key:"path"`
	MaxBytes Size          `key:"max_bytes"`
	Keep     time.Duration `key:"keep"`
}

// AlertSink is one receiver of alerts. Every type has some of the keys.
type AlertSink struct {
	Name            string   `key:"name"`
	EveryState      bool     `key:"every_state"`
	Type            string   `key:"type" enum:"alertmanager,elasticsearch,file,kafka,otlp,splunk_hec,syslog,webhook"`
	URL             string   `key:"url"`
	URLFile         string   `key:"url_file"`
	URLEnv          string   `key:"url_env"`
	Username        string   `key:"username"`
	PasswordFile    string   `key:"password_file"`
	PasswordEnv     string   `key:"password_env"`
	TokenFile       string   `key:"token_file"`
	TokenEnv        string   `key:"token_env"`
	TokenScheme     string   `key:"token_scheme"`
	Gzip            bool     `key:"gzip"`
	TLS             SinkTLS  `key:"tls"`
	Address         string   `key:"address"`
	Brokers         []string `key:"brokers"`
	Topic           string   `key:"topic"`
	Mechanism       string   `key:"mechanism" enum:",plain,scram-sha-256,scram-sha-512"`
	Protocol        string   `key:"protocol" enum:",grpc,http,tls,tcp"`
	Path            string   `key:"path"`
	MaxBytes        Size     `key:"max_bytes"`
	Keep            int      `key:"keep"`
	Format          string   `key:"format"`
	TemplateFile    string   `key:"template_file"`
	SigningKeyFile  string   `key:"signing_key_file"`
	SigningKeyEnv   string   `key:"signing_key_env"`
	RoutingKeyFile  string   `key:"routing_key_file"`
	RoutingKeyEnv   string   `key:"routing_key_env"`
	Stream          string   `key:"stream"`
	InstallTemplate bool     `key:"install_template"`
	Index           string   `key:"index"`
	Ack             bool     `key:"ack"`
}

// SinkTLS names the files of a sink's TLS connection.
type SinkTLS struct {
	CAFile     string `key:"ca_file"`
	CertFile   string `key:"cert_file"`
	KeyFile    string `key:"key_file"`
	ServerName string `key:"server_name"`
}

var sinkName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// sinks checks what does not depend on a type; the rest is found at the start,
// when the sinks are made.
func (v *validator) sinks(a *Alerts) {
	v.positive("alerts.store.keep", a.Store.Keep)
	v.between("alerts.store.max_bytes", a.Store.MaxBytes, 1<<20, 1<<50)
	if len(a.Sinks) > 0 && a.Store.Path == "" {
		v.add("alerts.store.path", "is needed with alerts.sinks: alerts wait there until a sink has them")
	}
	v.notify(&a.Notify)
	v.synthetic(&a.Synthetic)
	seen := map[string]bool{}
	for i, s := range a.Sinks {
		key := fmt.Sprintf("alerts.sinks[%d]", i)
		switch {
		case !sinkName.MatchString(s.Name):
			v.add(key+".name", "must be 1 to 63 of a-z, 0-9, _ and -")
		case seen[s.Name]:
			v.add(key+".name", "%s is the name of another sink; what was sent is kept under it", s.Name)
		}
		seen[s.Name] = true
		if s.Type == "" {
			v.add(key+".type", "is needed: alertmanager, elasticsearch, file, kafka, otlp, splunk_hec, syslog or webhook")
		}
		v.brokers(key+".brokers", s.Brokers)
		for name, both := range map[string]bool{
			"password": s.PasswordFile != "" && s.PasswordEnv != "", "token": s.TokenFile != "" && s.TokenEnv != "",
			"signing_key": s.SigningKeyFile != "" && s.SigningKeyEnv != "", "routing_key": s.RoutingKeyFile != "" && s.RoutingKeyEnv != "",
			"url": s.URLFile != "" && s.URLEnv != "",
		} {
			if both {
				v.add(key+"."+name+"_file", "and %s_env are both set; keep one", name)
			}
		}
		if s.URL != "" && (s.URLFile != "" || s.URLEnv != "") {
			v.add(key+".url", "is set, and its file or variable is too; keep one")
		}
	}
}

// sinkFiles are the files that sinks name.
func (c *Config) sinkFiles(add func(key, path string, secret bool)) {
	for i, s := range c.Alerts.Sinks {
		key := fmt.Sprintf("alerts.sinks[%d].", i)
		add(key+"tls.ca_file", s.TLS.CAFile, false)
		add(key+"tls.cert_file", s.TLS.CertFile, false)
		add(key+"tls.key_file", s.TLS.KeyFile, true)
		add(key+"url_file", s.URLFile, true)
		add(key+"template_file", s.TemplateFile, false)
		add(key+"password_file", s.PasswordFile, true)
		add(key+"token_file", s.TokenFile, true)
		add(key+"signing_key_file", s.SigningKeyFile, true)
		add(key+"routing_key_file", s.RoutingKeyFile, true)
	}
}
