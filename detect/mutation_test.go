package detect

import (
	"html"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// keySpellings write a key of several words (snake case).
var keySpellings = []struct {
	name  string
	spell func(words []string) string
}{
	{"snake", func(w []string) string { return strings.Join(w, "_") }},
	{"camel", func(w []string) string { return w[0] + pascal(w[1:]) }},
	{"pascal", pascal},
	{"kebab", func(w []string) string { return strings.Join(w, "-") }},
	{"upper", func(w []string) string { return strings.ToUpper(strings.Join(w, "_")) }},
	{"header", func(w []string) string { return "X-" + title(w, "-") }},
	{"flat", func(w []string) string { return strings.Join(w, "") }},
	{"dotted", func(w []string) string { return "oauth." + strings.Join(w, ".") }},
	{"prefixed", func(w []string) string { return "OAUTH_" + strings.ToUpper(strings.Join(w, "_")) }},
	{"prefixed camel", func(w []string) string { return "oauth" + pascal(w) }},
	{"member", func(w []string) string { return "oauth.token." + strings.Join(w, "_") }},
	{"ruby", func(w []string) string { return "@" + strings.Join(w, "_") }},
}

func pascal(w []string) string { return title(w, "") }

func title(w []string, joint string) string {
	out := make([]string, len(w))
	for i, word := range w {
		out[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(out, joint)
}

// nestings write a whole line inside something else.
var nestings = []struct {
	name string
	nest func(string) string
}{
	{"bare", func(s string) string { return s }},
	{"JSON", func(s string) string { return `{"msg":"` + jsonIn(s, 1) + `"}` }},
	{"JSON twice", func(s string) string { return `{"msg":"` + jsonIn(s, 2) + `"}` }},
	{"JSON three times", func(s string) string { return `{"msg":"` + jsonIn(s, 3) + `"}` }},
	{"percent", func(s string) string { return "GET /x?u=" + percent(s, 1) + " HTTP/1.1" }},
	{"percent twice", func(s string) string { return "GET /x?u=" + percent(s, 2) + " HTTP/1.1" }},
	{"percent three times", func(s string) string { return "GET /x?u=" + percent(s, 3) + " HTTP/1.1" }},
	{"percent in JSON", func(s string) string { return `{"url":"/x?u=` + percent(s, 1) + `"}` }},
	{"HTML", func(s string) string { return "<p>" + html.EscapeString(s) + "</p>" }},
	{"HTML twice", func(s string) string { return "<p>" + html.EscapeString(html.EscapeString(s)) + "</p>" }},
	{"nginx", func(s string) string { return `"POST /x" "` + strings.ReplaceAll(s, `"`, `\x22`) + `"` }},
	{"unicode", func(s string) string {
		return `{"msg":"` + strings.NewReplacer(`"`, `\u0022`, "&", `\u0026`, "<", `\u003c`, ">", `\u003e`, "=", `\u003d`, "'", `\u0027`).Replace(s) + `"}`
	}},
	{"python", func(s string) string { return "b'" + strings.ReplaceAll(s, "'", `\'`) + "'" }},
}

// percent escapes like encodeURIComponent, n times.
func percent(s string, n int) string {
	for range n {
		s = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return s
}

// basicNotations are those that strong keys must be found in however they are nested.
var basicNotations = []string{
	`K=V`, `x=y&K=V&z=1`, `{"K":"V"}`, `{"a":1,"K": "V","b":2}`, `{'K': 'V'}`, `K: V`, `K = "V"`, `{K=V, x=y}`, `{K=[V], x=y}`,
	`K: Some("V")`, `["K","V"]`, `{"name":"K","value":"V"}`, `{"K"=>"V"}`, `<K>V</K>`, `name="K" value="V"`,
}

// weakCannotNest are the writings that weak keys do without: glues have one level of
// their own in them for each.
func weakCannotNest(notation, nesting string) bool {
	switch nesting {
	case "bare", "python":
		return false
	case "JSON":
		return strings.ContainsAny(notation, "<[>") || strings.Contains(notation, "Some") || strings.Contains(notation, `= "`) || strings.Contains(notation, `" value`)
	}
	return notation != `K=V` && notation != `x=y&K=V&z=1` && notation != `{"K":"V"}` || nesting == "HTML twice"
}

// Whatever the spelling of the key, the notation and the nesting, the value of a
// rule's example is found, whole, and nothing beside it.
func TestMutations(t *testing.T) {
	set := defaultSet(t)
	s := newScanner(t, set)
	seeds := []uint64{1, rand.Uint64()}
	count := 0
	for _, r := range set.Rules {
		if r.Role != rules.RoleSecret || len(r.Examples) == 0 || r.ID == "credentials-call" || r.Value.Alphabet == "visible" && len(r.Keys) == 0 {
			continue
		}
		for _, key := range append(append([]string(nil), r.Keys...), r.WeakKeys...) {
			if key == "code_challenge" || key == "assertion" || key == "password" || key == "amzn_oidc_data" || key == "secret" || key == "auth" || key == "userpwd" {
				continue // their values are secrets only beside others, or under the bare name
			}
			for _, seed := range seeds {
				n, misses := mutations(t, s, r, key, seed)
				count += n
				for _, miss := range misses {
					t.Error(miss)
				}
			}
		}
	}
	t.Logf("%d mutations", count)
}

func mutations(t *testing.T, s *Scanner, r rules.Rule, key string, seed uint64) (n int, misses []string) {
	rnd := rand.New(rand.NewPCG(seed, 7))
	value := " "
	for strings.Contains(value, " ") { // no notation without quotes holds a blank
		value = render(t, r.Examples[rnd.IntN(len(r.Examples))], rnd).Value
	}
	weak := len(r.WeakKeys) > 0 && !contains(r.Keys, key)
	words := strings.Split(key, "_")
	for _, sp := range keySpellings {
		if len(words) == 1 && sp.name == "flat" {
			continue
		}
		for _, text := range basicNotations {
			for _, ne := range nestings {
				if weak && (weakCannotNest(text, ne.name) || sp.name == "dotted" || sp.name == "header" || strings.HasPrefix(sp.name, "prefixed")) {
					continue
				}
				if len(value) < minLed && strings.HasPrefix(text, "[") || sp.name == "ruby" && strings.HasPrefix(text, "<") {
					continue // a short word in a list may be anything; no element is named @x
				}
				v := value
				if strings.Contains(text, "&") {
					v = url.QueryEscape(v)
				}
				line := ne.nest(strings.NewReplacer("K", sp.spell(words), "V", v).Replace(text)) + " state=s1"
				n++
				found := scanText(t, s, line)
				if len(found) == 1 && string(found[0].Value(nil, []byte(line))) == value {
					continue
				}
				misses = append(misses, r.ID+", "+sp.name+", "+ne.name+", "+text+": "+line+"\nfound "+shown(line, found))
			}
		}
	}
	return n, misses
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
