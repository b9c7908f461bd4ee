package config

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// orchestrator matches the variables that Kubernetes makes for a Service whose
// name begins with "leakveil"; they are none of ours.
var orchestrator = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|^LEAKVEIL(_[A-Z0-9]+)*_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$`)

// environment checks the LEAKVEIL_… variables and notes those that override a
// key. A variable without a value does not count. Variables that look like no
// key at all belong to somebody else and are left alone.
func (w *walker) environment() {
	keys := envKeys()
	names := slices.Sorted(maps.Keys(keys))
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, EnvPrefix+"_") || value == "" {
			continue
		}
		if k, ok := keys[name]; ok {
			w.sources[k.key] = origin{file: name}
			w.envValue(name, value, k)
			continue
		}
		if !orchestrator.MatchString(name) {
			w.unknownEnv(name, names)
		}
	}
}

func (w *walker) envValue(name, value string, k envKey) {
	if k.leaf.shape == textList {
		return
	}
	if err := checkScalar(value, k.leaf); err != nil {
		w.problems = append(w.problems, Problem{File: name, Key: k.key, What: err.Error()})
	}
}

func (w *walker) unknownEnv(name string, names []string) {
	if _, ok := slices.BinarySearch(names, name+"_FILE"); ok {
		w.problems = append(w.problems, Problem{File: name, What: "a secret never stands in the configuration; write it to a file and name the file in " + name + "_FILE"})
		return
	}
	best := nearestEnv(name, names)
	if best == "" && !inSection(name) {
		return
	}
	what := "unknown variable"
	if best != "" {
		what += "; did you mean " + best + "?"
	}
	w.problems = append(w.problems, Problem{File: name, What: what})
}

// nearestEnv allows three slips: variables are long, and share their beginnings.
func nearestEnv(name string, names []string) string {
	best, bestCost := "", 4
	for _, c := range names {
		if cost := distance(name, c); cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best
}

// inSection reports whether the name begins as the variables of a section do.
func inSection(name string) bool {
	for _, c := range schema.children {
		if c.shape == section && strings.HasPrefix(name, envName([]string{c.name})+"_") {
			return true
		}
	}
	return false
}
