package leakveilprocessor

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/leakveil/leakveil/processor/internal/metadata"
	"github.com/leakveil/leakveil/redact"
)

// configOf reads one of the configurations of testdata.
func configOf(t *testing.T, name string) (*Config, error) {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	sub, err := all.Sub(component.NewIDWithName(metadata.Type, name).String())
	if err != nil {
		t.Fatal(err)
	}
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestConfigStruct(t *testing.T) {
	if err := componenttest.CheckConfigStruct(NewFactory().CreateDefaultConfig()); err != nil {
		t.Error(err)
	}
}

func TestDefaults(t *testing.T) {
	cfg, err := configOf(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Engine != "auto" || cfg.OnError != OnErrorMaskField || cfg.Timeout != 10*time.Second || cfg.AddSummary || cfg.Workers != 0 {
		t.Errorf("%+v", cfg)
	}
	if _, made, err := cfg.FingerprintKey.read(); err != nil || !made {
		t.Errorf("%v, %v", made, err)
	}
}

func TestEverySetting(t *testing.T) {
	cfg, err := configOf(t, "all")
	if err != nil {
		t.Fatal(err)
	}
	set, err := cfg.Rules.load()
	if err != nil {
		t.Fatal(err)
	}
	if set.Rule("acme-token") == nil || set.Rule("pkce-verifier") != nil || set.Rule("github-oauth-token") != nil {
		t.Error("the rules are others than chosen")
	}
	for _, r := range set.Rules {
		if r.Kind == "session_cookie" {
			t.Errorf("rule %s finds a kind that is off", r.ID)
		}
	}
	key, made, err := cfg.FingerprintKey.read()
	if err != nil || made || key.ID() != "test-1" {
		t.Errorf("%v, %v, %v", key, made, err)
	}
	if cfg.Engine != "portable" || cfg.OnError != OnErrorRejectRequest || cfg.Timeout != 2*time.Second || !cfg.AddSummary || cfg.Region != "eu-1" || cfg.Workers != 3 {
		t.Errorf("%+v", cfg)
	}
	if text := fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg); strings.Contains(text, "0123456789abcdef") {
		t.Errorf("the key is printed: %s", text)
	}
}

func TestOnlySomeKinds(t *testing.T) {
	t.Setenv("LEAKVEIL_TEST_KEY", strings.Repeat("k", redact.MinKeyBytes))
	cfg, err := configOf(t, "kinds")
	if err != nil {
		t.Fatal(err)
	}
	set, err := cfg.Rules.load()
	if err != nil || len(set.Rules) == 0 {
		t.Fatal(err)
	}
	for _, r := range set.Rules {
		if r.Kind != "code_verifier" && r.Kind != "access_token" {
			t.Errorf("rule %s finds %s", r.ID, r.Kind)
		}
	}
	if _, made, err := cfg.FingerprintKey.read(); err != nil || made {
		t.Errorf("%v, %v", made, err)
	}
}

func TestMistakesAreTold(t *testing.T) {
	for name, want := range map[string]string{
		"bad_kind": `"code_verifyer" is no kind`, "bad_pack": `no such pack`, "bad_rule": `no such rule`,
		"bad_folder": "rules folder", "nothing_left": "no rules left", "bad_policy": "partial",
		"bad_engine": `engine "regexp"`, "bad_engine_form": `engine-form "longest"`, "bad_on_error": "on_error", "bad_timeout": "timeout", "bad_workers": "workers",
		"two_keys": "want one of value, file and env", "short_key": "a key needs 32 bytes", "id_alone": "an id names a key", "typo": "on_eror",
	} {
		if _, err := configOf(t, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := redact.NewKeyFile(path); err != nil {
		t.Fatal(err)
	}
	k := KeyConfig{File: path, ID: "from-file"}
	if key, made, err := k.read(); err != nil || made || key.ID() != "from-file" {
		t.Errorf("%v, %v, %v", key, made, err)
	}
	for _, k := range []KeyConfig{{File: path + ".gone"}, {Env: "LEAKVEIL_TEST_NO_SUCH_KEY"}} {
		if _, _, err := k.read(); err == nil || !strings.Contains(err.Error(), "fingerprint_key") {
			t.Errorf("%+v: %v", k, err)
		}
	}
}
