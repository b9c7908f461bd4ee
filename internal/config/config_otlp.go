package config

import "time"

// OTLPInput listens for OTLP, in place of reading Kafka.
type OTLPInput struct {
	Enabled         bool      `key:"enabled"`
	GRPC            string    `key:"grpc"` // host:port; empty: not
	HTTP            string    `key:"http"` // host:port; empty: not
	MaxRequestBytes Size      `key:"max_request_bytes"`
	MaxStreams      int       `key:"max_streams"`
	OnError         string    `key:"on_error" enum:"mask_field,reject_request"`
	TLS             ServerTLS `key:"tls"`
	Auth            Auth      `key:"auth"`
}

// ServerTLS names the files of the listening side of TLS connections.
type ServerTLS struct {
	Enabled      bool   `key:"enabled"`
	CertFile     string `key:"cert_file"`
	KeyFile      string `key:"key_file"`
	ClientCAFile string `key:"client_ca_file"` // empty: clients need no certificate
}

// Auth is a bearer token that senders must show, or that is shown to receivers.
type Auth struct {
	TokenFile string `key:"token_file"` // empty: none
}

// OTLPOutput is the OTLP endpoint that masked requests go to.
type OTLPOutput struct {
	Endpoint    string        `key:"endpoint"` // empty: none
	Protocol    string        `key:"protocol" enum:"grpc,http"`
	Compression string        `key:"compression" enum:"gzip,zstd,snappy,none"`
	Timeout     time.Duration `key:"timeout"`
	RetryFor    time.Duration `key:"retry_for"`
	TLS         TLS           `key:"tls"`
	Auth        Auth          `key:"auth"`
}

// FileOutput is a file of OTLP JSON, one request a line.
type FileOutput struct {
	Path     string        `key:"path"`      // empty: none
	MaxBytes Size          `key:"max_bytes"` // 0: any
	MaxAge   time.Duration `key:"max_age"`   // 0: any
	Keep     int           `key:"keep"`
}

// KafkaRecords reports whether OTLP requests go to Kafka.
func (c *Config) KafkaRecords() bool {
	return c.Input.OTLP.Enabled && len(c.Output.Kafka.Brokers) > 0 && c.Output.Kafka.Topic != ""
}

// KafkaAlerts reports whether detections go to Kafka.
func (c *Config) KafkaAlerts() bool {
	return c.Alerts.Kafka.Topic != "" && (!c.Input.OTLP.Enabled || len(c.Output.Kafka.Brokers) > 0)
}
