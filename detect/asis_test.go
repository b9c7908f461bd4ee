package detect

import (
	"net/url"
	"strings"
	"testing"
)

// The characters of a value may be encoded one by one, in any glue; what is
// fingerprinted is the value without that.
func TestValuesWithEncodedCharacters(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	every := func(old, new string) func(string) string {
		return func(v string) string { return strings.ReplaceAll(v, old, new) }
	}
	percent := []func(string) string{url.QueryEscape, every("~", "%7E"), every("~", "%7e"), every("-", "%2D"), every("/", "%2f"), every("=", "%3D")}
	js := []func(string) string{every("/", `\/`), every("=", `\u003d`), every("+", `\u002b`), every("-", `\u002D`), every("=", `\x3d`)}
	html := []func(string) string{every("=", "&#x3D;"), every("/", "&#x2F;"), every("+", "&#43;"), every("=", "&#61;"), every("/", "&#47;")}
	for _, tc := range []struct {
		glues []string
		write []func(string) string
	}{
		{[]string{"K=V&state=s", "GET /cb?state=s&K=V HTTP/1.1", `{"u":"/cb?K=V&state=s"}`, "<K>V</K>", `{"K":"V"}`, "K: V", `K="V"`, "{K=V, a=b}", `[K: V]`, "K='V'", `["K" => "V"]`}, percent},
		{[]string{`{"K":"V","a":"b"}`, `{"K": "V"}`, `K="V"`, "{'K': 'V'}", `:K=>"V"`, `{"u":"/cb?K=V&state=s"}`}, js},
		{[]string{`<K>V</K>`, `<K>V</K><a>&#61;</a>`, `K=V&#38;state=s`, `K=V&#x26;a=b`, `{&#34;K&#34;:&#34;V&#34;}`, `{&#x22;K&#x22;:&#x22;V&#x22;}`, `K=V&amp;state=s`, `{&quot;K&quot;:&quot;V&quot;}`, `<a href="/cb?K=V&amp;state=s">`, `K="V"`}, html},
	} {
		for _, glue := range tc.glues {
			for i, write := range tc.write {
				for _, key := range []string{"access_token", "refresh_token"} {
					value := random(base64url[:62], 20) + "~7/" + random(base64url[:62], 9) + "-9+" + random(base64url[:62], 12) + "4="
					line := strings.NewReplacer("K", key, "V", write(value)).Replace(glue)
					found := scanText(t, s, line)
					if len(found) != 1 || line[found[0].Start:found[0].End] != write(value) {
						t.Errorf("%d %s: %s", i, line, shown(line, found))
						continue
					}
					if got := string(found[0].Value(nil, []byte(line))); got != value {
						t.Errorf("%d %s: value %q", i, line, got)
					}
				}
			}
		}
	}
}
