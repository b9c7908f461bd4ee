// Package advice says in what order leaked values of a client are to be ended, and
// by which call of which system. All of it is fixed text from systems.yaml: no part
// comes from a record, above all no address. The package must never call anything.
package advice

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed systems.yaml
var table []byte

// System is an identity provider or vendor.
type System struct {
	Name  string   `yaml:"name"`
	Title string   `yaml:"title"`
	Rules []string `yaml:"rules"` // how ids of rules begin that find its values alone
	Calls []Call   `yaml:"calls"`
}

// Call ends values of some kinds.
type Call struct {
	Kinds  []string `yaml:"kinds" json:"-"`
	Call   string   `yaml:"call" json:"call"`
	Auth   string   `yaml:"auth" json:"auth"`     // whose credentials it needs
	Answer string   `yaml:"answer" json:"answer"` // when it went well
	Note   string   `yaml:"note" json:"note,omitempty"`
}

var systems = mustLoad()

func mustLoad() []System {
	var all []System
	d := yaml.NewDecoder(bytes.NewReader(table))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil {
		panic("advice: BUG: systems.yaml: " + err.Error()) // it is part of the program
	}
	return all
}

// Systems returns the systems that are known. It must not be changed.
func Systems() []System { return systems }

// Names are those of the systems, sorted.
func Names() []string {
	var names []string
	for i := range systems {
		names = append(names, systems[i].Name)
	}
	slices.Sort(names)
	return names
}

// Of returns the system that a rule finds values of; nil: of any.
func Of(rule string) *System {
	for i := range systems {
		if slices.ContainsFunc(systems[i].Rules, func(head string) bool { return strings.HasPrefix(rule, head) }) {
			return &systems[i]
		}
	}
	return nil
}

// Named returns a system by its name; nil: there is none.
func Named(name string) *System {
	i := slices.IndexFunc(systems, func(s System) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &systems[i]
}

// For returns the calls that end a value of the kind, the narrowest first.
func (s *System) For(kind string) (calls []Call) {
	if s == nil {
		return nil
	}
	for _, c := range s.Calls {
		if slices.Contains(c.Kinds, kind) {
			calls = append(calls, c)
		}
	}
	return calls
}

// order is in which order kinds are ended: what lasts, and what makes others, first.
var order = []string{
	"client_secret", "registration_token", "basic_credentials", "refresh_token", "api_key", "password", "session_cookie", "access_token", "jwt",
	"saml_assertion", "authorization_code", "device_code", "client_assertion", "id_token", "code_verifier", "user_code", "request_uri", "logout_token",
}

// Urgency is a kind's place in the order in which they are to be ended, from 0.
func Urgency(kind string) int {
	if i := slices.Index(order, kind); i >= 0 {
		return i
	}
	return len(order)
}
