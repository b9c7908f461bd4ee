package config

import "time"

// Config is the whole configuration of `leakveil run`. Relative file paths are
// relative to the working directory of the process.
type Config struct {
	Input       Input       `key:"input"`
	Output      Output      `key:"output"`
	Alerts      Alerts      `key:"alerts"`
	DeadLetter  DeadLetter  `key:"dead_letter"`
	Fingerprint Fingerprint `key:"fingerprint"`
	HTTP        HTTP        `key:"http"`
	Limits      Limits      `key:"limits"`
	Rules       Rules       `key:"rules"`
	Policies    []Policy    `key:"policies"`
	Workers     int         `key:"workers"` // 0: one for each CPU
	Engine      string      `key:"engine" enum:"auto,hyperscan,portable"`
	EngineForm  string      `key:"engine_form" enum:"auto,classes,literals"`
	Region      string      `key:"region"`
	Log         Log         `key:"log"`

	// sources says where each key's value came from, for the errors of Validate.
	sources sources
}

// Input is where records come from.
type Input struct {
	Kafka KafkaInput `key:"kafka"`
	OTLP  OTLPInput  `key:"otlp"`
}

// KafkaInput is a consumer group on Kafka topics. Exactly one of Topics and
// TopicsRegex is set.
type KafkaInput struct {
	Brokers           []string      `key:"brokers"` // host:port
	Topics            []string      `key:"topics"`
	TopicsRegex       string        `key:"topics_regex"` // must match the whole name
	Group             string        `key:"group"`
	Start             string        `key:"start" enum:"earliest,latest"`
	SessionTimeout    time.Duration `key:"session_timeout"`
	HeartbeatInterval time.Duration `key:"heartbeat_interval"`
	RebalanceTimeout  time.Duration `key:"rebalance_timeout"`
	FetchMaxBytes     Size          `key:"fetch_max_bytes"`
	MaxWait           time.Duration `key:"max_wait"`
	OnBadBatch        string        `key:"on_bad_batch" enum:"skip,halt"`
	Encoding          string        `key:"encoding" enum:"text,json,otlp_proto,otlp_json"` // of values
	Signal            string        `key:"signal" enum:"auto,logs,traces,metrics"`         // of OTLP
	OnBadPayload      string        `key:"on_bad_payload" enum:"withhold,text"`
	TLS               TLS           `key:"tls"`
	SASL              SASL          `key:"sasl"`
}

// Output is where masked records go.
type Output struct {
	Kafka KafkaOutput `key:"kafka"`
	OTLP  OTLPOutput  `key:"otlp"`
	File  FileOutput  `key:"file"`
}

// KafkaOutput is the cluster of masked records, detections, alerts and dead
// letters. Without Brokers it is the input's cluster, with the input's TLS and SASL.
type KafkaOutput struct {
	Topic   string   `key:"topic"` // a name, or a pattern with {topic}
	Brokers []string `key:"brokers"`
	TLS     TLS      `key:"tls"`
	SASL    SASL     `key:"sasl"`
	Codec   string   `key:"codec" enum:"keep,none,gzip,snappy,lz4,zstd"`
	// Encoding is of requests that came by OTLP.
	Encoding string `key:"encoding" enum:"otlp_proto,otlp_json"`
}

// TLS names the files of a TLS connection.
type TLS struct {
	Enabled    bool   `key:"enabled"`
	CAFile     string `key:"ca_file"` // PEM; empty: the system's
	CertFile   string `key:"cert_file"`
	KeyFile    string `key:"key_file"`
	ServerName string `key:"server_name"`
}

// SASL says how to authenticate to the brokers. An empty Mechanism is none.
type SASL struct {
	Mechanism    string `key:"mechanism" enum:",plain,scram-sha-256,scram-sha-512"`
	Username     string `key:"username"`
	PasswordFile string `key:"password_file"`
}

// Alerts says where detections and alerts go, and how alerts are folded.
type Alerts struct {
	Kafka     AlertsKafka     `key:"kafka"`
	File      AlertsFile      `key:"file"`
	Window    time.Duration   `key:"window"`
	Interval  time.Duration   `key:"interval"`
	Store     AlertsStore     `key:"store"`
	Sinks     []AlertSink     `key:"sinks"`
	Excerpt   bool            `key:"excerpt"`
	Notify    AlertsNotify    `key:"notify"`
	Synthetic AlertsSynthetic `key:"synthetic"`
}

// AlertsKafka is the topic of detections and alerts; empty: none.
type AlertsKafka struct {
	Topic string `key:"topic"`
	// Forward leaves store and sinks to leakveil forward.
	Forward bool `key:"forward"`
}

// AlertsFile is the NDJSON file of detections and alerts; empty: none.
type AlertsFile struct {
	Path string `key:"path"`
}

// DeadLetter says where references to records that could not be read go.
type DeadLetter struct {
	Kafka DeadLetterKafka `key:"kafka"`
}

// DeadLetterKafka is the topic of dead letters.
type DeadLetterKafka struct {
	Topic string `key:"topic"`
}

// Fingerprint names the keys of fingerprints. Exactly one of KeyFile and Keys is set.
type Fingerprint struct {
	KeyFile string           `key:"key_file"`
	Keys    []FingerprintKey `key:"keys"` // the first signs
}

// FingerprintKey is one key by name and file.
type FingerprintKey struct {
	ID   string `key:"id"`
	File string `key:"file"`
}

// HTTP is the address of health and metrics.
type HTTP struct {
	Listen string `key:"listen"` // host:port; empty: none
}

// Limits bound memory and time.
type Limits struct {
	MemoryBudget         Size          `key:"memory_budget"`
	MaxRecordBytes       Size          `key:"max_record_bytes"`
	MaxDecompressedBatch Size          `key:"max_decompressed_batch"`
	ScanTimeout          time.Duration `key:"scan_timeout"`
	DrainTimeout         time.Duration `key:"drain_timeout"`
	ProduceTimeout       time.Duration `key:"produce_timeout"`
}

// Rules says which rules run besides the built-in ones, and which do not run.
type Rules struct {
	Dirs    []string `key:"dirs"`
	Disable []string `key:"disable"` // rule ids
}

// Policy says what is done with findings of one kind; kinds not named are masked.
type Policy struct {
	Kind   string `key:"kind"`
	Action string `key:"action"`
}

// Log says what leakveil writes about itself.
type Log struct {
	Level  string `key:"level" enum:"debug,info,warn,error"`
	Format string `key:"format" enum:"text,json"`
}

// ActionFor returns the policy of a kind: mask when none is set.
func (c *Config) ActionFor(kind string) string {
	for _, p := range c.Policies {
		if p.Kind == kind {
			return p.Action
		}
	}
	return "mask"
}
