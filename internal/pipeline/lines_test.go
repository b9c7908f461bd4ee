package pipeline

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

var (
	database = func() *detect.Database {
		set, err := rules.Default()
		if err != nil {
			panic(err)
		}
		db, err := detect.Compile(set)
		if err != nil {
			panic(err)
		}
		return db
	}()
	testKey = redact.RandomKey()
)

func worker(t testing.TB, policy redact.Policy) *Worker {
	t.Helper()
	w, err := NewWorker(Options{Database: database, Policy: policy, Key: testKey, Attribute: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// everywhere is the policy that does one thing with every kind.
func everywhere(a redact.Action) redact.Policy {
	p := redact.Policy{}
	for _, k := range rules.Kinds() {
		p[k] = a
	}
	return p
}

func draw(rnd *rand.Rand, alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[rnd.IntN(len(alphabet))]
	}
	return string(out)
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// templates are lines with a secret {V}, a user and password as Basic {A}, and
// a JWT {J}, in the glues that leakveil knows.
var templates = []string{
	"GET /cb?code={V}&state=s1 HTTP/1.1",
	"GET /login?u=%2Fcb%3Fcode%3D{V}%26state%3Ds1 HTTP/1.1",
	"GET /login?u=%252Fcb%253Fcode%253D{V}%2526state%253Ds1 HTTP/1.1",
	"grant_type=authorization_code&code={V}&client_id=web-shop&code_verifier={V}&client_secret={V}",
	`{"grant_type":"authorization_code","code":"{V}","client_id":"web-shop"}`,
	`{"access_token":"{J}","refresh_token":"{V}","id_token":"{J}","token_type":"Bearer","expires_in":300}`,
	`{"msg":"{\"access_token\":\"{V}\",\"client_id\":\"a\"}","level":"info"}`,
	`{"msg":"{\"m\":\"{\\\"code_verifier\\\":\\\"{V}\\\"}\"}"}`,
	`{"headers":{"authorization":"Bearer {J}","cookie":"KEYCLOAK_IDENTITY={J}; a=b"}}`,
	"Authorization: Basic {A}", "Authorization: Bearer {V}", "Proxy-Authorization: Basic {A}",
	`{"authorization":"Basic {A}"}`, "url=/x?authz=Basic%20{P}", "{'Authorization': 'Basic {A}'}",
	`level=info access_token={V} msg="x y"`, `level=info client_secret="{V}" x=y`,
	"{'code_verifier': '{V}', 'client_id': 'spa'}",
	"GET /authorize?client_id=spa&code_challenge={V}&code_challenge_method=plain&state=x",
	"GET /authorize?client_id=spa&code_challenge={V}&code_challenge_method=S256&state={V}",
	"Set-Cookie: connect.sid={V}; Path=/", "device_code={V}&client_id=tv", "got {J} from upstream, {J}",
	"password grant: grant_type=password&username=ann&password={V}&client_id=a",
	"client_assertion={J}&client_assertion_type=x",
	`{"access_token":"<{V}>","client_secret":"[{V}]"}`, `{"token":"\u003c{J}\u003e","scope":"a"}`, "token=[{J}]&client_id=a", "GET /cb?code_verifier=%3C{V}%3E&state=s1",
	`{"access_token":"1234567890123456|{V}"}`, "access_token={V}:{V}&x=y", "code_verifier[]={V}&token%5B%5D={V}&client_id=a", "client_secret=ab%zz{V}&x=y",
	"Cookie: _oauth2_proxy_1={V}; .AspNetCore.CookiesC1={V}; ory_session_x={V}", "client_secret={noop}{V}", "client_secret=${{V}} token={{{V}}}",
}

// filled fills a template; every {V} of one line has the same value.
func filled(rnd *rand.Rand, template string) (text string, secrets []string) {
	v := draw(rnd, base64url, 43+rnd.IntN(40)) + "a7"
	user, password := "web-shop", draw(rnd, base64url+"+/:~ ", 10+rnd.IntN(20))+"z9"
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	enc := base64.RawURLEncoding.EncodeToString
	jwt := enc([]byte(`{"alg":"RS256"}`)) + "." + enc([]byte(`{"azp":"web-shop","jti":"`+draw(rnd, base64url, 20)+`"}`)) +
		"." + draw(rnd, base64url, 86)
	text = strings.NewReplacer("{V}", v, "{A}", basic, "{P}", url.QueryEscape(basic), "{J}", jwt).Replace(template)
	for mark, secret := range map[string]string{"{V}": v, "{A}": password, "{P}": password, "{J}": jwt} {
		if strings.Contains(template, mark) && !strings.Contains(template, "S256") {
			secrets = append(secrets, secret)
		}
	}
	return text, secrets
}

// sameOutside checks that bytes outside what was found are the same in and out.
func sameOutside(t testing.TB, in, out string, results []Result) {
	t.Helper()
	rest := out
	last := 0
	for i := range results {
		r := &results[i]
		if r.Action == redact.ActionReport {
			continue
		}
		keep := in[last:r.Blob]
		n := strings.Index(rest, keep)
		if n < 0 || last == 0 && n != 0 {
			t.Fatalf("bytes before finding %d changed:\n in %q\nout %q", i, in, out)
		}
		rest = rest[n+len(keep):]
		last = r.End
	}
	if !strings.HasSuffix(rest, in[last:]) || len(results) == 0 && in != out {
		t.Fatalf("bytes behind the last finding changed:\n in %q\nout %q", in, out)
	}
}

// checkMasked holds what is true of any line, whatever is in it. In a line that
// something could have written, whole, a second run changes nothing; in one that
// was cut and spliced at random it may see more in what touches a mask: a key
// inside another's value, a value without its end.
func checkMasked(t testing.TB, w *Worker, in string, whole bool) string {
	t.Helper()
	first := w.masked([]byte(in))
	if first.Withheld > 0 {
		t.Fatalf("withheld: %q", in)
	}
	out := string(first.Text())
	results := append([]Result(nil), first.Results...)
	dropped := false
	for i := range results {
		dropped = dropped || results[i].Action == redact.ActionDropRecord
	}
	if !dropped {
		sameOutside(t, in, out, results)
	}
	if strings.Count(in, "\n") != strings.Count(out, "\n") {
		t.Fatalf("lines in %d, out %d", strings.Count(in, "\n"), strings.Count(out, "\n"))
	}
	changes := false
	for i := range results {
		changes = changes || results[i].Action != redact.ActionReport
	}
	second := w.masked([]byte(out))
	if again := string(second.Text()); changes && again != out && (whole || !touchMasks(out, second.Results)) {
		t.Fatalf("the second run changes:\n  in %q\n 1st %q\n 2nd %q", in, out, again)
	}
	checkJSON(t, in, out, dropped)
	return out
}

// touchMasks reports whether each finding's word in text, between blanks, quotes and
// line ends, holds a mask.
func touchMasks(text string, results []Result) bool {
	const ends = " \t\r\n\"'"
	for _, r := range results {
		lo := strings.LastIndexAny(text[:r.Start], ends) + 1
		hi := r.End + strings.IndexAny(text[r.End:]+"\n", ends)
		if word := text[lo:hi]; !strings.Contains(word, "REDACTED") && !strings.Contains(word, "HASHED") {
			return false
		}
	}
	return true
}

func checkJSON(t testing.TB, in, out string, dropped bool) {
	t.Helper()
	if dropped {
		return
	}
	if json.Valid([]byte(in)) && !json.Valid([]byte(out)) {
		t.Fatalf("no longer JSON:\n in %q\nout %q", in, out)
	}
	before, err := url.ParseQuery(in)
	if err != nil || strings.ContainsAny(in, " \t\r\n\"'`\\{}()<>[],;") { // prose, in which quotes may hold a &
		return
	}
	after, err := url.ParseQuery(out)
	if err != nil || len(before) != len(after) {
		t.Fatalf("no longer a query with these keys (%v):\n in %q\nout %q", err, in, out)
	}
}

var actions = []redact.Action{
	redact.ActionMask, redact.ActionHash, redact.ActionPartial, redact.ActionRemove, redact.ActionDropRecord, redact.ActionReport,
}

// Under every policy, every template: no secret is left where the policy says
// so, a second run changes nothing, JSON stays JSON.
func TestTemplatesUnderEveryPolicy(t *testing.T) {
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for _, action := range actions {
		w := worker(t, everywhere(action))
		for _, template := range templates {
			for range 10 {
				in, secrets := filled(rnd, template)
				out := checkMasked(t, w, in, true)
				for _, secret := range secrets {
					if left := strings.Contains(out, secret); left != (action == redact.ActionReport && strings.Contains(in, secret)) {
						t.Errorf("%s: secret left: %t\n in %q\nout %q", action, left, in, out)
					}
				}
			}
		}
	}
}

// A key inside an unquoted value of a weak key: what the first run leaves before
// its mask is no value the second time.
func TestMaskInsideAValueChangesNothing(t *testing.T) {
	w, rnd := worker(t, redact.Policy{}), rand.New(rand.NewPCG(rand.Uint64(), 9))
	for _, text := range []string{
		"code=abc!access_token=1234567890123456|" + draw(rnd, rules.Alphabets["alnum"], 43) + "\n",
		"token=a:refresh_token=" + draw(rnd, rules.Alphabets["alnum"], 43) + "|x\n",
	} {
		once := string(w.masked([]byte(text)).Text())
		if once == text {
			t.Errorf("%q: nothing was masked", text)
		}
		if twice := string(w.masked([]byte(once)).Text()); twice != once {
			t.Errorf("once  %q\ntwice %q", once, twice)
		}
	}
}
