package config

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

//go:embed defaults.yaml
var defaultsYAML []byte

// Load reads the defaults, the YAML file at path, and LEAKVEIL_… variables, each
// over the one before, and checks the result. An empty path leaves the file out.
// The error is [Problems] when the configuration is wrong.
func Load(path string) (*Config, error) {
	c, err := Read(path)
	if err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// Read is Load without the check of the whole: every key is known and has a value
// of its type, but what run needs may be missing.
func Read(path string) (*Config, error) {
	var file []byte
	if path != "" {
		var err error
		if file, err = os.ReadFile(path); err != nil {
			return nil, Problems{{File: path, What: "cannot be read: " + reason(err)}}
		}
	}
	w := &walker{file: path, sources: sources{"": origin{file: path}}}
	values := w.parse(bytes.NewReader(file))
	w.environment()
	if len(w.problems) > 0 {
		return nil, w.problems.sorted()
	}
	c, err := merge(values)
	if err != nil {
		return nil, err
	}
	c.sources = w.sources
	return c, nil
}

// merge lets viper lay the values over the defaults, and the environment over both.
func merge(values map[string]any) (*Config, error) {
	v := viper.NewWithOptions(viper.KeyDelimiter(delimiter))
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(defaultsYAML)); err != nil {
		return nil, fmt.Errorf("built-in defaults: %w", err)
	}
	if err := v.MergeConfigMap(values); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	v.SetEnvPrefix(EnvPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer(delimiter, "_"))
	v.AutomaticEnv()
	c := &Config{}
	err := v.UnmarshalExact(c, func(d *mapstructure.DecoderConfig) {
		d.TagName = "key"
		d.IgnoreUntaggedFields = true
		d.DecodeHook = mapstructure.ComposeDecodeHookFunc(decodeText)
	})
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}

// decodeText turns text into durations, sizes and, from the environment, lists.
func decodeText(from, to reflect.Type, data any) (any, error) {
	if from.Kind() != reflect.String {
		return data, nil
	}
	s := data.(string)
	switch to {
	case reflect.TypeFor[time.Duration]():
		return time.ParseDuration(s)
	case reflect.TypeFor[Size]():
		return ParseSize(s)
	case reflect.TypeFor[[]string]():
		return splitList(s), nil
	}
	return data, nil
}

// splitList reads a,b of an environment variable; blanks around entries are cut.
func splitList(s string) []string {
	out := []string{}
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// reason is the operating system's word without the path, which is named already.
func reason(err error) string {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}
