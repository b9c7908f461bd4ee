package leakveilprocessor

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// OnError says what happens to a text that cannot be scanned, not even alone.
type OnError string

const (
	// OnErrorMaskField replaces that text by a stub and passes the rest on.
	OnErrorMaskField OnError = "mask_field"
	// OnErrorRejectRequest refuses the whole request with a permanent error.
	OnErrorRejectRequest OnError = "reject_request"
)

// Config is the processor's configuration.
type Config struct {
	// Rules chooses what is looked for.
	Rules RulesConfig `mapstructure:"rules"`
	// Policies says what happens to a found value of a kind: mask (the default), hash,
	// partial, remove, drop_record or report.
	Policies map[string]string `mapstructure:"policies"`
	// FingerprintKey is the key of the fingerprints in masks and detections. Without one,
	// a key is made at each start, and masks of two starts or instances cannot be compared.
	FingerprintKey KeyConfig `mapstructure:"fingerprint_key"`
	// Engine is hyperscan, portable (plain Go, half the speed, finds the same) or auto:
	// the first that the build has.
	Engine string `mapstructure:"engine"`
	// EngineForm is how triggers are written for Hyperscan: classes, literals, or auto,
	// the faster of them on this machine. All find the same.
	EngineForm string `mapstructure:"engine_form"`
	// OnError is mask_field (the default) or reject_request.
	OnError OnError `mapstructure:"on_error"`
	// Timeout is how long one scan may take, default 10s. A megabyte takes milliseconds.
	Timeout time.Duration `mapstructure:"timeout"`
	// AddSummary adds leakveil.redacted.count and leakveil.redacted.kinds to the attributes of
	// changed log records and spans, and of their resources and scopes; not of metrics, where
	// attributes name a series.
	AddSummary bool `mapstructure:"add_summary"`
	// Region is told with each detection, in place of the resource's cloud.region.
	Region string `mapstructure:"region"`
	// Workers is how many requests are scanned at a time, each with an engine of its own;
	// 0, the default, is GOMAXPROCS.
	Workers int `mapstructure:"workers"`
	// Alerts sends alerts from the processor itself.
	Alerts AlertsConfig `mapstructure:"alerts"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RulesConfig chooses rules.
type RulesConfig struct {
	// Directories have rule packs (*.yaml) that are read beside the built-in ones.
	Directories []string `mapstructure:"directories"`
	// Disable names rules that are switched off, by id.
	Disable []string `mapstructure:"disable"`
	// DisablePacks names packs that are switched off: codes, pkce, vendors …
	DisablePacks []string `mapstructure:"disable_packs"`
	// Kinds, when given, are the only kinds that are looked for.
	Kinds []string `mapstructure:"kinds"`
	// DisableKinds are kinds that are not looked for.
	DisableKinds []string `mapstructure:"disable_kinds"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// KeyConfig says where the fingerprint key comes from: one of Value, File and Env, 32
// bytes or more.
type KeyConfig struct {
	// ID names the key in masks, 1 to 32 of A-Z a-z 0-9 _ -. By default it is derived from
	// the key.
	ID string `mapstructure:"id"`
	// Value is the key itself.
	Value configopaque.String `mapstructure:"value"`
	// File holds the key; leakveil key new FILE makes one.
	File string `mapstructure:"file"`
	// Env names an environment variable that holds the key.
	Env string `mapstructure:"env"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func createDefaultConfig() component.Config {
	return &Config{
		Engine: string(detect.Auto), EngineForm: string(detect.AutoForm), OnError: OnErrorMaskField, Timeout: pipeline.DefaultTimeout,
		Alerts: AlertsConfig{
			MaxBytes: defaultAlertsBytes, OnFull: OnFullRejectRequest, Window: defaultWindow, Interval: defaultInterval, ShutdownTimeout: defaultShutdownTimeout,
		},
	}
}

// Validate reports every mistake that can be seen without reading the key.
func (c *Config) Validate() error {
	var errs []error
	if _, err := redact.ParsePolicy(c.Policies); err != nil {
		errs = append(errs, fmt.Errorf("policies: %w", err))
	}
	if _, err := detect.Engine(c.Engine).Resolve(); err != nil {
		errs = append(errs, err)
	}
	if err := detect.EngineForm(c.EngineForm).Check(); err != nil {
		errs = append(errs, err)
	}
	if c.OnError != OnErrorMaskField && c.OnError != OnErrorRejectRequest {
		errs = append(errs, fmt.Errorf("on_error: %q: want %s or %s", c.OnError, OnErrorMaskField, OnErrorRejectRequest))
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: %s: want more than 0", c.Timeout))
	}
	if c.Workers < 0 || c.Workers > maxWorkers {
		errs = append(errs, fmt.Errorf("workers: %d: want 0 to %d", c.Workers, maxWorkers))
	}
	if _, err := c.Rules.load(); err != nil {
		errs = append(errs, fmt.Errorf("rules: %w", err))
	}
	return errors.Join(append(errs, c.FingerprintKey.validate(), c.Alerts.validate(&c.FingerprintKey))...)
}

// maxWorkers bounds the engines: each takes some hundred kilobytes.
const maxWorkers = 1024

func (k *KeyConfig) validate() error {
	given := 0
	for _, set := range []bool{k.Value != "", k.File != "", k.Env != ""} {
		if set {
			given++
		}
	}
	switch {
	case given > 1:
		return errors.New("fingerprint_key: want one of value, file and env")
	case given == 0 && k.ID != "":
		return errors.New("fingerprint_key: an id names a key; want value, file or env beside it")
	case k.Value != "":
		if _, err := redact.NewKey(k.ID, []byte(k.Value)); err != nil {
			return fmt.Errorf("fingerprint_key: %w", err)
		}
	}
	return nil
}

// read returns the key, and whether it was made for this start alone.
func (k *KeyConfig) read() (key redact.Key, made bool, err error) {
	switch {
	case k.Value != "":
		key, err = redact.NewKey(k.ID, []byte(k.Value))
	case k.File != "":
		key, err = redact.ReadKeyFile(k.ID, k.File)
	case k.Env != "":
		if key, err = redact.NewKey(k.ID, []byte(os.Getenv(k.Env))); err != nil {
			err = fmt.Errorf("environment variable %s: %w", k.Env, err)
		}
	default:
		return redact.RandomKey(), true, nil
	}
	if err != nil {
		return redact.Key{}, false, fmt.Errorf("fingerprint_key: %w", err)
	}
	return key, false, nil
}

// load returns the chosen rules.
func (r *RulesConfig) load() (*rules.Set, error) {
	for _, kind := range slices.Concat(r.Kinds, r.DisableKinds) {
		if !rules.Kind(kind).Valid() {
			return nil, fmt.Errorf("%q is no kind; kinds are %v", kind, rules.Kinds())
		}
	}
	set, err := rules.Load(r.Directories, r.Disable)
	if err != nil {
		return nil, err
	}
	off := map[string]bool{} // files of packs
	for _, name := range r.DisablePacks {
		at := slices.IndexFunc(set.Packs, func(p rules.Pack) bool { return p.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("cannot disable pack %q: no such pack", name)
		}
		off[set.Packs[at].File] = true
	}
	set.Rules = slices.DeleteFunc(set.Rules, func(rule rules.Rule) bool {
		kind := string(rule.Kind)
		return off[rule.File] || len(r.Kinds) > 0 && !slices.Contains(r.Kinds, kind) || slices.Contains(r.DisableKinds, kind)
	})
	if len(set.Rules) == 0 {
		return nil, errors.New("no rules left: an empty rule set would let everything pass")
	}
	return set, nil
}
