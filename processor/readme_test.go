package leakveilprocessor

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/confmap"
)

// The examples of the README are configurations that work, and its table has every setting.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 4 {
		t.Fatalf("%d examples", len(blocks))
	}
	dir, err := filepath.Abs("testdata/rules")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		example := strings.ReplaceAll(b[1], "/etc/leakveil/rules", dir)
		r, err := confmap.NewRetrievedFromYAML([]byte(example))
		if err != nil {
			t.Fatal(err)
		}
		conf, err := r.AsConf()
		if err != nil {
			t.Fatal(err)
		}
		processors, err := conf.Sub("processors")
		if err != nil {
			t.Fatal(err)
		}
		for name := range processors.ToStringMap() {
			cfg := createDefaultConfig().(*Config)
			sub, err := processors.Sub(name)
			if err == nil {
				err = sub.Unmarshal(cfg)
			}
			if err == nil {
				err = confmap.Validate(cfg)
			}
			if err != nil {
				t.Errorf("%v in:\n%s", err, example)
			}
		}
	}
	var all []byte
	for _, name := range []string{"config.go", "config_alerts.go"} {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part...)
	}
	for _, m := range regexp.MustCompile("mapstructure:\"([a-z_]+)\"").FindAllStringSubmatch(string(all), -1) {
		if name := m[1]; name != "rules" && name != "fingerprint_key" && name != "alerts" && name != "tls" && !strings.Contains(string(text), name+"` |") {
			t.Errorf("%s is not in the table of settings", name)
		}
	}
}
