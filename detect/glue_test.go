package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// random returns n characters drawn from an alphabet, the first a letter.
func random(alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[rand.IntN(len(alphabet))]
	}
	if n > 0 {
		out[0] = "abcdefghjkmnpqrtuvwyz"[rand.IntN(21)]
	}
	return string(out)
}

// scanText scans text as lines and returns copies of what is found.
func scanText(t testing.TB, s *Scanner, text string) []Finding {
	t.Helper()
	var b Batch
	b.SetLines([]byte(text))
	found, _, err := s.Scan(&b)
	if err != nil {
		t.Fatal(err)
	}
	return append([]Finding(nil), found...)
}

// jsonIn returns text as the content of a JSON string, escaped levels times.
func jsonIn(text string, levels int) string {
	for range levels {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(text); err != nil {
			panic(err)
		}
		text = out.String()[1 : out.Len()-2]
	}
	return text
}

// glues are the ways of writing a pair that the scanner must know, K for the
// key and V for the value.
var glues = []struct{ name, text string }{
	{"plain", `x K=V y`},
	{"plain at line start", `K=V`},
	{"upper-case key", `x KUPPER=V y`},
	{"camel-case key", `x KCAMEL=V y`},
	{"camel-case key in JSON", `{"a":1,"KCAMEL":"V"}`},
	{"kebab key", `x KKEBAB: V`},
	{"spaces around =", `x K = V y`},
	{"space behind =", `x K= V y`},
	{"colon", `x K: V y`},
	{"query", `GET /cb?a=b&K=V&c=d HTTP/1.1`},
	{"query, first", `GET /cb?K=V HTTP/1.1`},
	{"fragment", `http://app/#K=V&c=d`},
	{"form", `grant_type=x&K=V&client_id=app`},
	{"JSON", `{"K":"V","b":1}`},
	{"JSON, blank", `{"K": "V", "b": 1}`},
	{"JSON, blanks", `{"K" : "V"}`},
	{"JSON, last", `{"a":{"K":"V"}}`},
	{"single-quoted dict", `{'K': 'V', 'b': 1}`},
	{"single-quoted dict, tight", `{'K':'V'}`},
	{"logfmt", `level=info K=V msg="x y"`},
	{"logfmt, quoted", `level=info K="V" msg="x y"`},
	{"single quotes", `x K='V' y`},
	{"list", `{K=[V], a=[b]}`},
	{"list in JSON", `{"K":["V"],"a":["b"]}`},
	{"percent once", `u=%2Fcb%3FK%3DV%26a%3Db`},
	{"percent once, first in value", `u=%3FK%3DV`},
	{"percent once, small letters", `u=%2fcb%3fa%3db%26K%3dV%26c%3dd`},
	{"percent twice", `u=%252Fcb%253FK%253DV%2526a%253Db`},
	{"percent twice, between", `u=%252Fcb%253Fa%253Db%2526K%253DV%2526c%253Dd`},
	{"percent, JSON", `data=%7B%22K%22%3A%22V%22%2C%22a%22%3A1%7D`},
	{"Ruby", `{"K"=>"V", "a"=>"b"}`},
	{"PHP", `Array ( [K] => V [a] => b )`},
	{"entities", `<p>{&quot;K&quot;:&quot;V&quot;}</p>`},
	{"unicode quotes", `{"m":"\u0022K\u0022:\u0022V\u0022"}`},
	{"unicode =", `{"m":"a\u0026K\u003DV\u0026b"}`},
}

// nested are glues that stand inside JSON strings.
func nested() []struct{ name, text string } {
	out := glues
	for _, g := range glues {
		if !strings.Contains(g.text, `"`) {
			continue
		}
		for levels := 1; levels <= 2; levels++ {
			if strings.Contains(g.name, "unicode") {
				continue
			}
			out = append(out, struct{ name, text string }{
				fmt.Sprintf("%s, escaped %d times", g.name, levels),
				`{"msg":"` + jsonIn(g.text, levels) + `"}`,
			})
		}
	}
	return out
}

// weakCannot are the glues that weak keys do without: each would cost a trigger.
var weakCannot = func() map[string]bool {
	out := map[string]bool{}
	for _, key := range []string{"code", "token"} {
		for _, g := range []string{"list in JSON, escaped %d times", "Ruby, escaped %d times"} {
			out[key+"/"+fmt.Sprintf(g, 1)], out[key+"/"+fmt.Sprintf(g, 2)] = true, true
		}
	}
	return out
}()

func spell(text, key, value string) string {
	words := strings.Split(key, "_")
	camel := words[0]
	for _, w := range words[1:] {
		camel += strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.NewReplacer("KUPPER", strings.ToUpper(key), "KCAMEL", camel,
		"KKEBAB", strings.ReplaceAll(key, "_", "-"), "K", key, "V", value).Replace(text)
}

// In every glue the scanner finds the value, all of it and nothing else.
func TestGlues(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, key := range []string{"code_verifier", "code", "access_token", "refresh_token", "client_secret", "token", "device_code"} {
		for _, g := range nested() {
			if weakCannot[key+"/"+g.name] {
				continue
			}
			t.Run(key+"/"+g.name, func(t *testing.T) {
				value := random(base64url, 47) + "7" // no key spelled in templates' letters
				value = strings.NewReplacer("K", "q", "V", "w").Replace(value)
				text := spell(g.text, key, value)
				found := scanText(t, s, text)
				if len(found) != 1 || text[found[0].Start:found[0].End] != value {
					t.Errorf("%q:\nfound %s", text, shown(text, found))
				}
			})
		}
	}
}

func shown(text string, found []Finding) string {
	var out []string
	for _, f := range found {
		out = append(out, fmt.Sprintf("%s %q", f.Rule.ID, text[f.Start:f.End]))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// Values that are themselves written with escapes are found whole, and decode
// to one value whatever the writing.
func TestEscapedValues(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, tc := range []struct {
		name, text string
		write      func(string) string
	}{
		{"as it is", "GET /cb?code=V&state=s1 HTTP/1.1", func(v string) string { return v }},
		{"percent", "GET /cb?code=V&state=s1 HTTP/1.1", url.QueryEscape},
		{"percent, small letters", "GET /cb?code=V&state=s1", func(v string) string { return strings.ReplaceAll(v, "/", "%2f") }},
		{"percent inside percent", "u=%2Fcb%3Fcode%3DV%26state%3Ds1", func(v string) string { return url.QueryEscape(url.QueryEscape(v)) }},
		{"raw inside percent", "u=%2Fcb%3Fcode%3DV%26state%3Ds1", url.QueryEscape},
		{"slash in JSON", `{"code":"V","state":"s1"}`, func(v string) string { return strings.ReplaceAll(v, "/", `\/`) }},
		{"slash in JSON in JSON", `{"m":"{\"code\":\"V\",\"state\":\"s1\"}"}`, func(v string) string { return strings.ReplaceAll(v, "/", `\\\/`) }},
		{"u escape", `{"code":"V","state":"s1"}`, func(v string) string { return strings.ReplaceAll(v, "/", `\u002f`) }},
		{"x escape", `{'code': 'V', 'state': 's1'}`, func(v string) string { return strings.ReplaceAll(v, "/", `\x2f`) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			value := "4/0A" + random(base64url, 60) + "7"
			text := strings.Replace(tc.text, "V", tc.write(value), 1)
			found := scanText(t, s, text)
			if len(found) != 1 {
				t.Fatalf("%q: found %s", text, shown(text, found))
			}
			if got := string(found[0].Value(nil, []byte(text))); got != value {
				t.Errorf("%q: value %q, want %q", text, got, value)
			}
		})
	}
}

// What stands behind a key but is no pair is no glue.
func TestNoGlue(t *testing.T) {
	for _, text := range []string{"", "=", "= ", "==", "::x", "x", ".x", "/x", `"`, `":`, "%", "%3", `\`, ",x", "&x=y", "\nx"} {
		if g, ok := parseGlue([]byte("key"+text), 3, 3+len(text)); ok {
			t.Errorf("key%q: a value begins at %d", text, g.start)
		}
	}
}

// The parser stays in its bounds whatever it reads.
func FuzzParseGlue(f *testing.F) {
	for _, g := range glues {
		f.Add([]byte(g.text), uint16(1))
	}
	f.Add([]byte(`k%25252525253D\\\\\\u00`), uint16(1))
	for _, bracket := range brackets {
		f.Add([]byte("k="+bracket+"|0123:abcdefgh"), uint16(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		p := int(at)
		if p < 1 || p > len(text) {
			return
		}
		for hi := p; hi <= len(text); hi++ {
			g, ok := parseGlue(text[:hi:hi], p, hi)
			if !ok {
				continue
			}
			if g.start < p || g.start >= hi {
				t.Fatalf("%q: value at %d, outside [%d,%d)", text[:hi], g.start, p, hi)
			}
			for _, in := range alphabets {
				if end, _ := walk(text[:hi:hi], hi, g, in); end < g.start || end > hi {
					t.Fatalf("%q: value ends at %d", text[:hi], end)
				}
			}
			c := candidate{glue: g}
			c.glue.openBracket(text[:hi:hi], hi)
			c.High, c.Start = hi, c.glue.start
			for _, in := range alphabets {
				c.End, _ = walk(text[:hi:hi], hi, c.glue, in)
				(&Scanner{arena: text[:hi:hi]}).goOn(&c, in)
				c.closeBracket(text[:hi:hi])
				if c.Start < g.start || c.End < c.Start || c.End > hi {
					t.Fatalf("%q: value in [%d,%d)", text[:hi], c.Start, c.End)
				}
			}
			if end, _ := toQuote(text[:hi:hi], hi, g); end > hi || end >= 0 && end < g.start {
				t.Fatalf("%q: quote at %d", text[:hi], end)
			}
		}
	})
}

// What is read the short way is read the same by the whole grammar.
func FuzzPlainGlue(f *testing.F) {
	for _, seed := range []string{"=abcd", `":"abcd`, `": "abcd`, "==ab", `=Some(x)`, `="a"`, "=-xxx", `":"\"a`, "= abc", "=b'ab'", ": abcdef", "': 'abcdef", `\":\"abc`, ": -abcd", `":"Token":private]=> "V"`, `":protected]=> "abcd"`, "(43)=abcd", "[43 bytes]: abcd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = "key" + text
		short, ok := plainGlue([]byte(text), 3, len(text))
		full, fullOK := fullGlue([]byte(text), 3, len(text))
		if ok && (!fullOK || short != full) {
			t.Errorf("%q: %+v, the whole grammar %+v (%v)", text, short, full, fullOK)
		}
	})
}
