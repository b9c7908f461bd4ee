package config

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leakveil/leakveil/rules"
)

// Validate checks everything that needs no file and no network: what is missing,
// what is out of range, and what does not go together. It lists all of it.
func (c *Config) Validate() error {
	v := &validator{sources: c.sources}
	if c.Input.OTLP.Enabled {
		v.otlp(c)
	} else {
		v.kafka(c)
	}
	v.fingerprint(&c.Fingerprint)
	v.policies(c.Policies)
	v.sinks(&c.Alerts)
	v.rest(c)
	v.forward(c)
	if len(v.problems) > 0 {
		return v.problems.sorted()
	}
	return nil
}

// kafka checks what goes together with a Kafka input.
func (v *validator) kafka(c *Config) {
	v.input(&c.Input.Kafka)
	v.output(c)
	v.topics(c)
	v.limits(c)
	v.kafkaAlone(c)
}

type validator struct {
	sources  sources
	problems Problems
}

func (v *validator) add(key, format string, args ...any) {
	o := v.sources.of(key)
	v.problems = append(v.problems, Problem{o.file, o.line, key, fmt.Sprintf(format, args...)})
}

func (v *validator) input(in *KafkaInput) {
	const key = "input.kafka."
	if len(in.Brokers) == 0 {
		v.add(key+"brokers", "is needed: list at least one broker, as [127.0.0.1:9092]")
	}
	v.brokers(key+"brokers", in.Brokers)
	switch {
	case len(in.Topics) == 0 && in.TopicsRegex == "":
		v.add(key+"topics", "is needed: list the topics to read, or set %stopics_regex", key)
	case len(in.Topics) > 0 && in.TopicsRegex != "":
		v.add(key+"topics_regex", "goes not together with %stopics; keep one of the two", key)
	}
	if _, err := regexp.Compile(in.TopicsRegex); err != nil {
		v.add(key+"topics_regex", "is not a regular expression: %v", err)
	}
	if in.Group == "" {
		v.add(key+"group", "is needed: name the consumer group")
	}
	v.positive(key+"session_timeout", in.SessionTimeout)
	v.positive(key+"heartbeat_interval", in.HeartbeatInterval)
	v.positive(key+"rebalance_timeout", in.RebalanceTimeout)
	v.positive(key+"max_wait", in.MaxWait)
	if 3*in.HeartbeatInterval > in.SessionTimeout {
		v.add(key+"heartbeat_interval", "is %v; it must be at most a third of %ssession_timeout (%v)", in.HeartbeatInterval, key, in.SessionTimeout)
	}
	v.enum(key+"start", in.Start)
	v.enum(key+"on_bad_batch", in.OnBadBatch)
	v.enum(key+"encoding", in.Encoding)
	v.enum(key+"signal", in.Signal)
	v.enum(key+"on_bad_payload", in.OnBadPayload)
	if in.Signal != "auto" && !strings.HasPrefix(in.Encoding, "otlp_") {
		v.add(key+"signal", "goes with %sencoding: otlp_proto or otlp_json alone", key)
	}
	v.connection(key, &in.TLS, &in.SASL)
}

func (v *validator) output(c *Config) {
	const key = "output.kafka."
	out := &c.Output.Kafka
	v.brokers(key+"brokers", out.Brokers)
	v.enum(key+"codec", out.Codec)
	if len(out.Brokers) > 0 {
		v.connection(key, &out.TLS, &out.SASL)
		return
	}
	if out.TLS != (TLS{}) {
		v.add(key+"tls", "is set without %sbrokers; without brokers the output uses the input's brokers, tls and sasl", key)
	}
	if out.SASL != (SASL{}) {
		v.add(key+"sasl", "is set without %sbrokers; without brokers the output uses the input's brokers, tls and sasl", key)
	}
}

// brokers never repeats an entry: people write user:password@host.
func (v *validator) brokers(key string, brokers []string) {
	for i, b := range brokers {
		if !isAddress(b) {
			v.add(fmt.Sprintf("%s[%d]", key, i), "must be host:port, as kafka-1:9092")
		}
	}
}

// isAddress reports whether s is host:port.
func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	n, convErr := strconv.Atoi(port)
	return err == nil && convErr == nil && host != "" && n >= 1 && n <= 65535 && !strings.ContainsAny(host, "/@ ")
}

func (v *validator) connection(key string, t *TLS, s *SASL) {
	if !t.Enabled && *t != (TLS{}) {
		v.add(key+"tls.enabled", "is false, though other keys of %stls are set; set it to true, or leave them out", key)
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		v.add(key+"tls.cert_file", "and %stls.key_file go together: set both or none", key)
	}
	v.enum(key+"sasl.mechanism", s.Mechanism)
	if s.Mechanism == "" {
		if *s != (SASL{}) {
			v.add(key+"sasl.mechanism", "is needed when other keys of %ssasl are set: plain, scram-sha-256 or scram-sha-512", key)
		}
		return
	}
	if s.Username == "" {
		v.add(key+"sasl.username", "is needed with %ssasl.mechanism", key)
	}
	if s.PasswordFile == "" {
		v.add(key+"sasl.password_file", "is needed with %ssasl.mechanism", key)
	}
}

var actions = []string{"mask", "hash", "partial", "remove", "drop_record", "report"}

// neverPartial are kinds of which a part already helps a thief.
var neverPartial = []rules.Kind{rules.CodeVerifier, rules.AuthorizationCode, rules.DeviceCode, rules.UserCode, rules.Password}

func (v *validator) policies(policies []Policy) {
	kinds := make([]string, 0, len(rules.Kinds()))
	for _, k := range rules.Kinds() {
		kinds = append(kinds, string(k))
	}
	seen := map[string]bool{}
	for i, p := range policies {
		key := fmt.Sprintf("policies[%d]", i)
		if !slices.Contains(kinds, p.Kind) {
			v.add(key+".kind", "%v", enumError(p.Kind, kinds))
		}
		if !slices.Contains(actions, p.Action) {
			v.add(key+".action", "%v", enumError(p.Action, actions))
		}
		if p.Action == "partial" && slices.Contains(neverPartial, rules.Kind(p.Kind)) {
			v.add(key+".action", "partial would show a part of a %s; use mask, hash or remove", p.Kind)
		}
		if seen[p.Kind] {
			v.add(key+".kind", "%s has a policy already; keep one", p.Kind)
		}
		seen[p.Kind] = true
	}
}

func (v *validator) limits(c *Config) {
	l, in := &c.Limits, &c.Input.Kafka
	v.positive("limits.scan_timeout", l.ScanTimeout)
	v.positive("limits.drain_timeout", l.DrainTimeout)
	v.positive("limits.produce_timeout", l.ProduceTimeout)
	v.positive("alerts.window", c.Alerts.Window)
	v.positive("alerts.interval", c.Alerts.Interval)
	v.between("limits.max_record_bytes", l.MaxRecordBytes, 1<<10, 1<<30)
	v.between("limits.max_decompressed_batch", l.MaxDecompressedBatch, 1<<10, 2<<30-1)
	v.between("input.kafka.fetch_max_bytes", in.FetchMaxBytes, 1<<10, 1<<30)
	if l.MaxDecompressedBatch < l.MaxRecordBytes {
		v.add("limits.max_decompressed_batch", "is %v; it must be at least limits.max_record_bytes (%v)", l.MaxDecompressedBatch, l.MaxRecordBytes)
	}
	// One fetch, one batch of it decompressed, and its masked copy must fit, or
	// nothing ever moves.
	if need := in.FetchMaxBytes + 2*l.MaxDecompressedBatch; l.MemoryBudget < need {
		v.add("limits.memory_budget", "is %v; it must be at least %v, input.kafka.fetch_max_bytes and twice limits.max_decompressed_batch", l.MemoryBudget, need)
	}
	if l.DrainTimeout >= in.RebalanceTimeout {
		v.add("limits.drain_timeout", "is %v; it must be below input.kafka.rebalance_timeout (%v), or partitions move before their records are done", l.DrainTimeout, in.RebalanceTimeout)
	}
}

func (v *validator) rest(c *Config) {
	if c.Workers < 0 || c.Workers > maxWorkers {
		v.add("workers", "must be between 0 (one for each CPU) and %d", maxWorkers)
	}
	if c.HTTP.Listen != "" && !isListenAddress(c.HTTP.Listen) {
		v.add("http.listen", "must be host:port, as 127.0.0.1:9464")
	}
	v.enum("log.level", c.Log.Level)
	v.enum("log.format", c.Log.Format)
	for i, id := range c.Rules.Disable {
		if !ruleID.MatchString(id) {
			v.add(fmt.Sprintf("rules.disable[%d]", i), "must be a rule id, of a-z, 0-9 and -")
		}
	}
}

func isListenAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	n, convErr := strconv.Atoi(port)
	return err == nil && convErr == nil && n >= 0 && n <= 65535
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// maxWorkers is beyond any machine; more is a slip of the finger.
const maxWorkers = 1024

var ruleID = regexp.MustCompile(`^[a-z0-9-]+$`)

func (v *validator) positive(key string, d time.Duration) {
	if d <= 0 {
		v.add(key, "is %v; it must be more than 0", d)
	}
}

func (v *validator) between(key string, s, low, high Size) {
	if s < low || s > high {
		v.add(key, "is %v; it must be between %v and %v", s, low, high)
	}
}

// enum checks a value against the key's list, for configurations made in code.
func (v *validator) enum(key, value string) {
	n := schema
	for name := range strings.SplitSeq(key, ".") {
		n = n.child(name)
	}
	if err := checkScalar(value, n); err != nil {
		v.add(key, "%v", err)
	}
}
