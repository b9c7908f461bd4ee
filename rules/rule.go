// Package rules holds what leakveil looks for, as data: rules in packs, one
// YAML file each, embedded in the program. A pack names keys and shapes; how a
// key meets its value, and the engine's expressions, are generated from them in
// package detect.
//
// The package is a leaf: it imports nothing of ours. It must never hold a real
// secret: examples are templates that are filled at run time.
package rules

// Role says what a trigger is for.
type Role string

// The roles.
const (
	RoleSecret  Role = "secret"  // the value must be masked
	RoleLink    Role = "link"    // a public fact that ties values together: code_challenge, c_hash
	RoleClient  Role = "client"  // the value names a client
	RoleOutcome Role = "outcome" // the value tells how an OAuth flow ended
)

// Valid reports whether r is a known role.
func (r Role) Valid() bool {
	switch r {
	case RoleSecret, RoleLink, RoleClient, RoleOutcome:
		return true
	}
	return false
}

// Rule says how one kind is found. Exactly the fields of the YAML form; see
// CONTRIBUTING.md for a tour.
type Rule struct {
	// ID is unique over all packs and never changes once released: [a-z0-9-]+.
	ID string `yaml:"id"`
	// Kind says what leaks; empty for roles other than secret.
	Kind Kind `yaml:"kind"`
	// Role is "secret" unless said otherwise.
	Role     Role     `yaml:"role"`
	Severity Severity `yaml:"severity"`
	// Description is one sentence for people who see an alert.
	Description string `yaml:"description"`

	// Keys are key words joined by "_". Every spelling (snake, camel, kebab,
	// Pascal, upper, dotted) is generated from them. A strong key suffices.
	Keys []string `yaml:"keys"`
	// WeakKeys are words that mean other things as well (code, token): they
	// need an exact glue, a left boundary, and the rule's checks.
	WeakKeys []string `yaml:"weak_keys"`
	// Names are keys in exactly this spelling: cookie and header names. A '#' at the
	// end stands for nothing or the number of a cookie's chunk (name_0, name.1,
	// nameC2, name_1of2), a '*' for the rest of a name that each installation chooses.
	Names []string `yaml:"names"`
	// Jars are keys whose value is a list of cookies (a header, a map): the values of
	// those whose names say that they log in are found, each by itself.
	Jars []string `yaml:"jars"`
	// Prefixes start the value itself. Literal bytes, [abc] and [a-z] classes.
	Prefixes []string `yaml:"prefixes"`
	// Schemes are HTTP authentication schemes (RFC 9110 §11.1) before the value, or
	// options of a command line.
	Schemes []string `yaml:"schemes"`
	// Traces are names of functions and modules in exactly this spelling whose debug
	// lines tell a value behind a word: "oidc_cache_get: enter: V".
	Traces []string `yaml:"traces"`
	// Binds lead, in exactly this spelling, to the values that a statement was run with, or
	// that a program filled in, without their names: "binding parameter (1:VARCHAR) <- [V]".
	// Only what surely was drawn at random and stands alone is found behind them.
	Binds []string `yaml:"binds"`
	// Suffixes are what stands directly behind a value where nothing that says what it
	// is stands before it: @host behind the password of a URL. A check must confirm it.
	Suffixes []string `yaml:"suffixes"`
	// Shapes are whole forms of a value that need nothing beside it; see ShapeNames.
	Shapes []string `yaml:"shapes"`

	Value Value `yaml:"value"`
	// Checks are names of functions that confirm or refute; see CheckNames.
	Checks []string `yaml:"checks"`
	// Suppress lists values that are never findings of this rule.
	Suppress Suppress `yaml:"suppress"`

	References []string  `yaml:"references"`
	Examples   []Example `yaml:"examples"`
	Negatives  []Example `yaml:"negatives"`

	// File and Line say where the rule was read.
	File string `yaml:"-"`
	Line int    `yaml:"-"`
}

// Value says what a value is made of.
type Value struct {
	// Alphabet names one of Alphabets.
	Alphabet string `yaml:"alphabet"`
	// Min and Max bound the length in bytes of the decoded value, prefix
	// included. A longer run is still masked whole: Max only lowers confidence.
	Min int `yaml:"min"`
	Max int `yaml:"max"`
}

// Suppress lists decoded values that are known to be no secrets.
type Suppress struct {
	Exact      []string `yaml:"exact"`
	StartsWith []string `yaml:"starts_with"`
	EndsWith   []string `yaml:"ends_with"`
}

// Example is a line and what is found in it. Text and Value are templates
// (text/template): {{b64u 43}}, {{hex 40}}, {{.Value}}; see Render.
type Example struct {
	Text   string `yaml:"text"`
	Value  string `yaml:"value"`
	Kind   Kind   `yaml:"kind"`   // the rule's kind when empty
	Client string `yaml:"client"` // "" when the line names none
}

// Triggers reports whether r has anything that can find it.
func (r *Rule) Triggers() bool {
	return len(r.Keys)+len(r.WeakKeys)+len(r.Names)+len(r.Traces)+len(r.Binds)+len(r.Jars)+len(r.Prefixes)+len(r.Schemes)+len(r.Suffixes)+len(r.Shapes) > 0
}

// Pack is one YAML file.
type Pack struct {
	Name        string `yaml:"pack"`
	Description string `yaml:"description"`
	Rules       []Rule `yaml:"rules"`
	// Suppress lists findings of any rule that pass unmasked.
	Suppress []Suppression `yaml:"suppress"`
	File     string        `yaml:"-"`
}

// Set is a checked collection of rules, in a stable order.
type Set struct {
	Packs    []Pack
	Rules    []Rule
	Suppress []Suppression
}

// Rule returns the rule with this id, or nil.
func (s *Set) Rule(id string) *Rule {
	for i := range s.Rules {
		if s.Rules[i].ID == id {
			return &s.Rules[i]
		}
	}
	return nil
}

// ShapeNames is the closed list of shapes; package detect has a function for
// each, and a test says so.
var ShapeNames = []string{
	"keycloak_code",    // UUID, session, client's UUID, joined by dots
	"fosite_token",     // 32 random bytes and their HMAC in base64url, joined by a dot
	"duende_handle",    // 32 bytes in upper-case hexadecimal and "-1"
	"supabase_refresh", // version 2, with its checksum
}

// CheckNames is the closed list of checks; package detect has a function for
// each, and a test says so.
var CheckNames = []string{
	"pkce",          // 43–128 unreserved characters (RFC 7636 §4.1) make it certain
	"plain",         // a code_challenge that is its own verifier (RFC 7636 §4.3)
	"jwt",           // a compact JWS or JWE whose header decodes (RFC 7515, 7516)
	"basic",         // base64 of user:password (RFC 7617)
	"github_crc",    // the last six characters are a CRC-32
	"random",        // looks drawn at random, or has a known format
	"not_words",     // is not made of plain words
	"neighbours",    // a weak key needs randomness or another OAuth parameter beside it
	"password",      // stands in a password grant
	"scheme_value",  // a credential, not prose, follows the scheme
	"request_uri",   // a pushed authorization request's reference (RFC 9126)
	"unlike_words",  // what stands behind the prefix is not made of words
	"bare_key",      // the key is no end of a longer name
	"url_password",  // is the password of a URL of the web, and looks random
	"go_config",     // is the second member of a Go value like oauth2.Config
	"user_password", // user:password, of which the second looks random
	"curl_user",     // is the password of curl -u user:password
	"not_in_blob",   // is no part of a longer piece of base64
	"last_part",     // what stands behind the last dot looks drawn at random
	"entra",         // the segments of Microsoft Entra's codes and refresh tokens
	"entra_secret",  // as long as Microsoft Entra's client secrets
	"signed_value",  // an id and an HMAC-SHA256 in base64, joined by a dot
	"cas_ticket",    // a number and a random part behind a prefix of CAS
	"salesforce",    // an organisation's id, an exclamation mark, a session
	"user_code",     // capitals and digits in groups (RFC 8628 §6.1)
	"cookie",        // a cookie's value that is no word, number or setting
	"bare_cookie",   // a cookie among others, or with its attributes, without a header's name
	"cache_key",     // the key of a session or a token in a module's cache
	"not_prose",     // is no word of a sentence behind a colon
	"saml",          // base64 of an XML document, or deflated
}
