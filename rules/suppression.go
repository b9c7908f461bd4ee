package rules

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"time"
)

// Suppression lets findings pass unmasked and unreported: the way out of a false
// positive. All fields of it that narrow must fit, and at least one is set.
type Suppression struct {
	Fingerprint string `yaml:"fingerprint"` // 22 characters of a mask, behind its key id
	Kind        Kind   `yaml:"kind"`
	Rule        string `yaml:"rule"` // id
	Key         string `yaml:"key"`  // whole name before the value; case and joiners do not count
	// Path is a glob of path.Match over the file as it is named, or over its last
	// element when the glob has no slash. Records of topics have no path.
	Path string `yaml:"path"`
	// Service is the name of the service that wrote the record, as the record tells it
	// (service.name and the like).
	Service string `yaml:"service"`

	Reason  string `yaml:"reason"`  // for people; needed
	Expires string `yaml:"expires"` // YYYY-MM-DD, the last day that it applies, UTC; needed

	File string `yaml:"-"`
	Line int    `yaml:"-"`
}

var (
	fingerprintPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)
	suppressedService  = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)
	suppressedKey      = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,80}$`)
)

// Until returns the moment from which s no longer applies.
func (s *Suppression) Until() time.Time {
	day, err := time.Parse(time.DateOnly, s.Expires)
	if err != nil {
		return time.Time{} // applies never
	}
	return day.AddDate(0, 0, 1)
}

// lint says what is wrong, or nil. Whether the rule exists is a matter of the set.
func (s *Suppression) lint() error {
	if s.Fingerprint == "" && s.Kind == "" && s.Rule == "" && s.Key == "" && s.Path == "" && s.Service == "" {
		return errors.New("needs fingerprint, kind, rule, key, path or service: without one it would let every secret pass")
	}
	if s.Fingerprint != "" && !fingerprintPattern.MatchString(s.Fingerprint) {
		return errors.New("fingerprint: want the 22 characters behind the last dot of a mask")
	}
	if s.Kind != "" && !s.Kind.Valid() {
		return fmt.Errorf("kind: %q is not in the list of kinds", s.Kind)
	}
	if s.Key != "" && !suppressedKey.MatchString(s.Key) {
		return errors.New("key: want 1 to 80 of A-Z a-z 0-9 _ . -")
	}
	if s.Service != "" && !suppressedService.MatchString(s.Service) {
		return errors.New("service: want 1 to 128 of A-Z a-z 0-9 - . _ ~")
	}
	if _, err := path.Match(s.Path, ""); err != nil {
		return fmt.Errorf("path: %q is no glob", s.Path)
	}
	if s.Reason == "" {
		return errors.New("reason: missing")
	}
	if s.Expires == "" {
		return errors.New("expires: missing: want a day as YYYY-MM-DD")
	}
	if _, err := time.Parse(time.DateOnly, s.Expires); err != nil {
		return errors.New("expires: want a day as YYYY-MM-DD")
	}
	return nil
}

// suppressions gathers those of all packs, and refuses rules that are not there.
func (s *Set) suppressions() error {
	for i := range s.Packs {
		for _, entry := range s.Packs[i].Suppress {
			if entry.Rule != "" && s.Rule(entry.Rule) == nil {
				return fmt.Errorf("%s:%d: suppress: rule: no rule %q (leakveil rules list shows all)", entry.File, entry.Line, entry.Rule)
			}
			s.Suppress = append(s.Suppress, entry)
		}
	}
	return nil
}
