package detect

import (
	"strings"
	"testing"
)

// notations are the ways in which languages, formats and tools write a pair: K for
// the key, V for the value. "strong" ones need a key that says on its own that a
// secret follows; "joined" ones a key of several words.
var notations = []struct{ name, text string }{
	{"ruby symbols", `{:K=>"V", :x=>"y"}`},
	{"ruby 3.4", `{K: "V", x: "y"}`},
	{"ruby keyword", `#<Grant K="V", x=1>`},
	{"ruby instance variable", `#<Grant:0x00007f @K="V", @x=1>`},
	{"php print_r", `Array ( [K] => V [x] => y )`},
	{"php var_dump", `array(2) { ["K"]=> string(42) "V" ["x"]=> int(1) }`},
	{"php var_export", `array ( 'K' => 'V', 'x' => 1, )`},
	{"php serialize", `a:1:{s:4:"K";s:43:"V";}`},
	{"perl dumper", `$VAR1 = { 'K' => 'V', 'x' => 1 };`},
	{"go %+v", `{ID:7 K:V Name:x}`},
	{"go %#v", `oauth.Request{ID:7, K:"V", Name:"x"}`},
	{"go url.Values", `map[K:[V] x:[y]]`},
	{"go pointer", `&{K:V x:y}`},
	{"go %q map", `map[string]string{"K":"V", "x":"y"}`},
	{"go header", `map[string][]string{"K":[]string{"V"}, "x":[]string{"y"}}`},
	{"java record", `Grant[K=V, x=y]`},
	{"java map", `{K=V, x=y}`},
	{"java list map", `{K=[V], x=[y]}`},
	{"java optional", `Grant[K=Optional[V], x=y]`},
	{"java quoted bean", `Grant{K='V', x='y'}`},
	{"java name value pair", `[K: V, x: y]`},
	{"kotlin", `Grant(K=V, x=y)`},
	{"scala tuple", `Map(K -> V, x -> y)`},
	{"scala some", `Grant(K = Some(V), x = y)`},
	{"scala list", `Map(K -> List(V), x -> List(y))`},
	{"rust", `Grant { K: "V", x: 1 }`},
	{"rust some", `Grant { K: Some("V"), x: None }`},
	{"rust some some", `Grant { K: Some(Some("V")), x: None }`},
	{"rust newtype", `Grant { K: Secret("V"), x: None }`},
	{"rust ok", `K: Ok("V")`},
	{"c# record", `Grant { K = V, x = y }`},
	{"c# dictionary", `[K, V], [x, y]`},
	{"c# anonymous", `{ K = "V", x = 1 }`},
	{"swift dictionary", `["K": "V", "x": "y"]`},
	{"swift optional", `["K": Optional("V"), "x": nil]`},
	{"swift query item", `[K=V, x=y]`},
	{"objective-c", `{ K = V; x = y; }`},
	{"objective-c quoted", `{ "K" = "V"; x = y; }`},
	{"erlang proplist", `[{<<"K">>,<<"V">>},{<<"x">>,<<"y">>}]`},
	{"erlang map", `#{<<"K">> => <<"V">>,<<"x">> => 1}`},
	{"erlang atom", `[{K,"V"},{x,1}]`},
	{"elixir map", `%{"K" => "V", "x" => 1}`},
	{"elixir keyword", `[K: "V", x: 1]`},
	{"elixir headers", `[{"K", "V"}, {"x", "y"}]`},
	{"haskell", `Grant {K = Just "V", x = 1}`},
	{"haskell text", `Grant {K = "V", x = 1}`},
	{"clojure", `{:K "V", :x 1}`},
	{"util.inspect", `{ K: 'V', x: 1 }`},
	{"util.inspect list", `{ K: [ 'V' ], x: 1 }`},
	{"util.inspect map", `Map(2) { 'K' => 'V', 'x' => 1 }`},
	{"util.inspect params", `URLSearchParams { 'K' => 'V', 'x' => 'y' }`},
	{"template literal", "K=`V` x"},
	{"markdown", "K: `V` x"},
	{"python dict", `{'K': 'V', 'x': 1}`},
	{"python bytes", `{b'K': b'V', b'x': 1}`},
	{"python byte list", `{b'K': [b'V'], b'x': [1]}`},
	{"python tuple list", `[('K', 'V'), ('x', 'y')]`},
	{"python byte tuples", `[(b'K', b'V'), (b'x', b'y')]`},
	{"python multidict", `<MultiDict('K': 'V', 'x': 'y')>`},
	{"python querydict", `<QueryDict: {'K': ['V'], 'x': ['y']}>`},
	{"python dataclass", `Grant(K='V', x=1)`},
	{"python secret", `Grant(K=SecretStr('V'), x=1)`},
	{"name value", `{"name":"K","value":"V"}`},
	{"name value, blanks", `{"name": "K", "value": "V"}`},
	{"name value, escaped", `{"m":"{\"name\":\"K\",\"value\":\"V\"}"}`},
	{"key value", `{"key":"K","value":"V","type":"text"}`},
	{"key value, spread", `{ "key" : "K" , "value" : "V" }`},
	{"pair list", `[["K","V"],["x","y"]]`},
	{"pair list, blanks", `[["K", "V"], ["x", "y"]]`},
	{"pair list, escaped", `{"m":"[[\"K\",\"V\"],[\"x\",\"y\"]]"}`},
	{"otel", `{"key":"K","value":{"string_value":"V"}}`},
	{"protobuf text", `name: "K" value: "V"`},
	{"protobuf field", `K: "V" x: 1`},
	{"xml element", `<x><K>V</K></x>`},
	{"xml element, escaped", `&lt;K&gt;V&lt;/K&gt;`},
	{"xml element, namespace", `<ns:K>V</ns:K>`},
	{"xml element, attribute", `<K type="s">V</K>`},
	{"xml attribute", `<req K="V" x="y"/>`},
	{"xml name value", `<property name="K" value="V"/>`},
	{"xml entry", `<entry key="K">V</entry>`},
	{"xml cdata", `<K><![CDATA[V]]></K>`},
	{"plist", `<key>K</key><string>V</string>`},
	{"plist, spread", `<key>K</key>\n\t<string>V</string>`},
	{"hidden input", `<input type="hidden" name="K" value="V"/>`},
	{"multipart", `Content-Disposition: form-data; name="K"\r\n\r\nV\r\n--x`},
	{"multipart, wire", `Content-Disposition: form-data; name="K"[\r][\n]"[\r][\n]"V[\r][\n]`},
	{"curl -d", `curl -d K=V -d x=y https://x/token`},
	{"curl --data-urlencode", `curl --data-urlencode 'K=V' https://x/token`},
	{"curl -F", `curl -F "K=V" https://x/token`},
	{"option", `tool --K V --x y`},
	{"option =", `tool --K=V --x=y`},
	{"env", `K=V`},
	{"export", `export K="V"`},
	{"powershell", `$env:K = "V"`},
	{"ini", `K = V`},
	{"toml", `K = "V"`},
	{"yaml", `K: V`},
	{"yaml quoted", `K: "V"`},
	{"properties", `a.b.K=V`},
	{"sql", `UPDATE t SET K='V' WHERE id=1`},
	{"sql quoted", `UPDATE t SET "K"='V' WHERE id=1`},
	{"sql backticks", "UPDATE t SET `K`='V' WHERE id=1"},
	{"sql brackets", `UPDATE t SET [K]='V' WHERE id=1`},
	{"sql qualified", `WHERE "t"."K" = 'V' LIMIT 1`},
	{"sql insert", `INSERT INTO t (id, K, x) values (1, 'V', 'y, z')`},
	{"sql insert, last", "INSERT INTO `t` (`id`,`K`) values (1,'V')"},
	{"yaml block", `K: >-\n  V\nx: y`},
	{"object's member", `T: K { value: "V", x: 1 }`},
	{"object's argument", `K(V)`},
	{"got", `K mismatch: got V`},
	{"rails bind", `[["K", "V"], ["LIMIT", 1]]`},
	{"ltsv", "time:1\tK:V\tx:y"},
	{"cef", `CEF:0|v|p|1|2|n|3|K=V x=y`},
	{"syslog", `<13>1 - h a - - [r@1 K="V" x="y"] m`},
	{"index", `K[0]=V&x=y`},
	{"rack nested", `user[K]=V&x=y`},
	{"rack nested, percent", `user%5BK%5D=V&x=y`},
	{"percent once", `u=%3FK%3DV%26x%3Dy`},
	{"percent twice", `u=%253FK%253DV%2526x%253Dy`},
	{"percent thrice", `u=%25253FK%25253DV%252526x%25253Dy`},
	{"entities, numeric", `{&#34;K&#34;:&#34;V&#34;}`},
	{"entities, hexadecimal", `{&#x22;K&#x22;:&#x22;V&#x22;}`},
	{"entities twice", `{&amp;quot;K&amp;quot;:&amp;quot;V&amp;quot;}`},
	{"entities, blank", `{&quot;K&quot;: &quot;V&quot;}`},
	{"unicode", `{\u0022K\u0022:\u0022V\u0022}`},
	{"unicode, blank", `{\u0022K\u0022: \u0022V\u0022}`},
	{"nginx hex", `{\x22K\x22:\x22V\x22}`},
	{"nginx hex, blank", `{\x22K\x22: \x22V\x22}`},
	{"unicode, escaped", `{\\u0022K\\u0022:\\u0022V\\u0022}`},
	{"arrow", `K -> V`},
	{"arrow, tight", `K->V`},
	{":=", `K := V`},
	{"prose, blank", `the K V was sent`},
	{"prose, quotes", `the K 'V' was sent`},
	{"prose, double quotes", `the K "V" was sent`},
	{"prose, backticks", "the K `V` was sent"},
	{"prose, brackets", `the K [V] was sent`},
	{"prose, round brackets", `the K (V) was sent`},
	{"prose, angle brackets", `the K <V> was sent`},
	{"prose, is", `the K is V`},
	{"prose, was", `K was: V`},
	{"prose, value", `K value: V`},
	{"prose, value =", `K value = V`},
	{"prose, received", `K received: V`},
	{"prose, for", `K for client web: V`},
	{"prose, in brackets", `K (from cookie): V`},
	{"prose, expired", `K V has expired`},
	{"header list", `K: [V]`},
	{"header, http2", `[K: V]`},
	{"curl trace", `> K: V`},
	{"wire", `>> "K: V[\r][\n]"`},
	{"wire =", `<< "x=y&K=V[\r][\n]"`},
	{"crlf as text", `POST / HTTP/1.1\r\nK: V\r\nx: y`},
	{"curly quotes", `K: “V” x`},
	{"curly quotes around both", `“K”: “V”, “x”: “y”`},
	{"single curly quotes", `K: ‘V’ x`},
	{"guillemets", `K «V» x`},
	{"blank that does not break", "K:\u00a0V x"},
	{"blanks that do not break", "K\u00a0=\u00a0V x"},
	{"comparison", `K == "V"`},
	{"comparison, javascript", `K === "V"`},
	{"comparison, differs", `K != V`},
	{"cef escaped", `a K\=V`},
	{"properties escaped", `K\: V`},
	{"quoted twice", `K="\"V\""`},
	{"quoted twice, other quotes", `K='"V"'`},
	{"system property", `java -DK=V -jar x`},
	{"build property", `gradle -PK=V build`},
	{"table", `| K | V |`},
	{"columns", `a|K|V|b`},
	{"columns, semicolons", `a;K;V;b`},
	{"dash", `K - V`},
	{"long dash", `K — V`},
	{"arrow, one character", `K → V`},
	{"appended", `K += V`},
	{"default", `K ?= V`},
	{"r", `K <- "V"`},
	{"lisp", `(K . "V")`},
	{"xdebug", `'K' => string 'V' (length=43)`},
	{"php reference", `["K"]=> &string(43) "V"`},
	{"yaml tag", `K: !!str V`},
	{"yaml anchor", `K: &x V`},
	{"form with pluses", `u=%22K%22%3A+%22V%22`},
	{"set to", `K set to V`},
	{"changed", `K changed from V`},
	{"dotted", `oauth.K=V`},
	{"prefixed", `X-K: V`},
}

// notationKeys are keys in the spellings that the notations are tried with.
var notationKeys = []string{"code_verifier", "access_token", "refreshToken", "client-secret", "clientSecret", "OAUTH_CLIENT_SECRET", "authorization code", "pkceCodeVerifier", "code", "token", "Code"}

// weakCannotWrite are the notations that weak keys do without: each would cost a
// trigger.
var weakCannotWrite = map[string]bool{
	"c# dictionary": true, "sql insert": true, "sql insert, last": true, "yaml block": true, "object's member": true, "object's argument": true, "got": true,
	"xml element, attribute": true, "single curly quotes": true, "guillemets": true, "blanks that do not break": true, "comparison, javascript": true,
	"table": true, "columns": true, "columns, semicolons": true, "dash": true, "long dash": true, "arrow, one character": true, "appended": true, "default": true, "r": true, "lisp": true, "xdebug": true, "php reference": true, "yaml tag": true, "yaml anchor": true, "form with pluses": true, "set to": true, "changed": true,
	"comparison, differs": true, "system property": true, "build property": true,
}

// isWeakKey reports whether a key of notationKeys is one, or ends in one.
func isWeakKey(key string) bool {
	return key == "authorization code" || strings.EqualFold(key, "code") || key == "token"
}

// In every notation the scanner finds the value, all of it and nothing else.
func TestNotations(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, n := range notations {
		for _, key := range notationKeys {
			if isWeakKey(key) && weakCannotWrite[n.name] {
				continue
			}
			value := random(base64url[:62], 42) + "7"
			text := notation(n.text, key, value) + " client_id=web"
			if got := missed(t, s, text, []string{value}); got != "" {
				t.Errorf("%s, %s: %s\nfound %s", n.name, key, text, got)
			}
		}
	}
}

// notation writes a pair.
func notation(text, key, value string) string {
	return strings.NewReplacer("K", key, "V", value, "$VAR1", "$VAR1").Replace(text)
}
