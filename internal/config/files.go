package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// maxSecretFile bounds what is read of a file that is expected to be small.
const maxSecretFile = 1 << 20

var errSecretSize = errors.New("is larger than 1 MiB, so it is no secret file")

// ReadSecret reads a file that holds a secret; one newline at its end is not part
// of it. Errors name the file only.
func ReadSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, reason(err))
	}
	if info.Size() > maxSecretFile {
		return nil, fmt.Errorf("%s %w", path, errSecretSize)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, reason(err))
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r")), nil
}

// namedFile is a key that names a file to be read.
type namedFile struct {
	key, path string
	secret    bool
}

func (c *Config) files() []namedFile {
	var out []namedFile
	add := func(key, path string, secret bool) {
		if path != "" {
			out = append(out, namedFile{key, path, secret})
		}
	}
	connection := func(key string, t *TLS, s *SASL) {
		add(key+"tls.ca_file", t.CAFile, false)
		add(key+"tls.cert_file", t.CertFile, false)
		add(key+"tls.key_file", t.KeyFile, true)
		add(key+"sasl.password_file", s.PasswordFile, true)
	}
	connection("input.kafka.", &c.Input.Kafka.TLS, &c.Input.Kafka.SASL)
	connection("output.kafka.", &c.Output.Kafka.TLS, &c.Output.Kafka.SASL)
	c.otlpFiles(add)
	add("fingerprint.key_file", c.Fingerprint.KeyFile, true)
	for i, k := range c.Fingerprint.Keys {
		add(fmt.Sprintf("fingerprint.keys[%d].file", i), k.File, true)
	}
	c.sinkFiles(add)
	return out
}

// CheckFiles opens every file and folder that the configuration names and lists
// those that cannot be read. Load leaves this out, so that a configuration can be
// checked where its secrets are not.
func (c *Config) CheckFiles() error {
	v := &validator{sources: c.sources}
	for _, f := range c.files() {
		v.readable(f.key, f.path, false)
	}
	for i, dir := range c.Rules.Dirs {
		v.readable(fmt.Sprintf("rules.dirs[%d]", i), dir, true)
	}
	if len(v.problems) > 0 {
		return v.problems.sorted()
	}
	return nil
}

func (v *validator) readable(key, path string, folder bool) {
	file, err := os.Open(path)
	if err != nil {
		v.add(key, "%s: %s", path, reason(err))
		return
	}
	defer func() { _ = file.Close() }() // nothing was written
	switch info, err := file.Stat(); {
	case err != nil:
		v.add(key, "%s: %s", path, reason(err))
	case info.IsDir() && !folder:
		v.add(key, "%s is a folder, not a file", path)
	case !info.IsDir() && folder:
		v.add(key, "%s is no folder", path)
	}
}

// Warnings lists what works but is unsafe: secret files that every user may
// read, and passwords that cross the network in clear.
func (c *Config) Warnings() []string {
	v := &validator{sources: c.sources}
	for _, f := range c.files() {
		info, err := os.Stat(f.path)
		if f.secret && err == nil && info.Mode().Perm()&0o004 != 0 {
			v.add(f.key, "%s can be read by every user of this machine; chmod 600 it", f.path)
		}
	}
	plain := func(key string, t *TLS, s *SASL) {
		if s.Mechanism == "plain" && !t.Enabled {
			v.add(key+"sasl.mechanism", "plain without TLS sends the password in clear; set %stls.enabled: true", key)
		}
	}
	plain("input.kafka.", &c.Input.Kafka.TLS, &c.Input.Kafka.SASL)
	plain("output.kafka.", &c.Output.Kafka.TLS, &c.Output.Kafka.SASL)
	v.otlpWarnings(c)
	out := make([]string, len(v.problems))
	for i, p := range v.problems {
		out[i] = p.String()
	}
	return out
}
