package client

import (
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/rules"
)

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func random(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = base64url[rand.IntN(len(base64url))]
	}
	return "a" + string(out) + "7"
}

// jws builds a compact JWS with the given payload.
func jws(payload string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256"}`)) + "." + enc([]byte(payload)) + "." + random(84)
}

var database = func() *detect.Database {
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

type finder struct {
	t       testing.TB
	scanner *detect.Scanner
	clients Attributor
}

func newFinder(t testing.TB) *finder {
	t.Helper()
	s, err := database.NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &finder{t: t, scanner: s}
}

// of returns the client of each finding in text, in order.
func (f *finder) of(text string) []event.Client {
	f.t.Helper()
	var b detect.Batch
	b.SetLines([]byte(text))
	found, _, err := f.scanner.Scan(&b)
	if err != nil {
		f.t.Fatal(err)
	}
	f.clients.Reset()
	var out []event.Client
	for i := range found {
		out = append(out, f.clients.Of(b.Bytes(), &found[i], found[i].Value(nil, b.Bytes())))
	}
	return out
}

// one wants a single finding and returns its client.
func (f *finder) one(text string) event.Client {
	f.t.Helper()
	all := f.of(text)
	if len(all) != 1 {
		f.t.Fatalf("%q: %d findings", text, len(all))
	}
	return all[0]
}

// same compares all fields of two clients.
func same(a, b event.Client) bool {
	return a.ID == b.ID && a.How == b.How && a.Confidence == b.Confidence && slices.Equal(a.Candidates, b.Candidates)
}

// Every spelling of client_id in every glue names the client.
func TestSpellingsOfClientID(t *testing.T) {
	f := newFinder(t)
	want := event.Client{ID: "web-shop", How: event.SameRecord, Confidence: "likely", Candidates: []string{"web-shop"}}
	for _, text := range []string{
		"client_id=web-shop&code_verifier={V}", "code_verifier={V}&client_id=web-shop", "clientId=web-shop&code_verifier={V}",
		"clientid=web-shop code_verifier={V}", "CLIENT_ID=web-shop code_verifier={V}", "client-id: web-shop, code_verifier: {V}",
		"client.id=web-shop code_verifier={V}", "ClientID:web-shop code_verifier:{V}", "ClientId=web-shop, code_verifier={V}",
		"oauth_client_id=web-shop code_verifier={V}", "oauthClientId=web-shop code_verifier={V}", "x-client-id: web-shop code_verifier={V}",
		"OAUTH_CLIENT_ID=web-shop code_verifier={V}", "azp=web-shop code_verifier={V}",
		`{"client_id":"web-shop","code_verifier":"{V}"}`, `{"client_id": "web-shop", "code_verifier": "{V}"}`,
		`{"clientId":"web-shop","codeVerifier":"{V}"}`, `{"client":"web-shop","codeVerifier":"{V}"}`,
		`{"m":"{\"client_id\":\"web-shop\",\"code_verifier\":\"{V}\"}"}`,
		`{"m":"{\"m\":\"{\\\"client_id\\\":\\\"web-shop\\\",\\\"code_verifier\\\":\\\"{V}\\\"}\"}"}`,
		"{'client_id': 'web-shop', 'code_verifier': '{V}'}", "OAuth{clientId='web-shop', codeVerifier='{V}'}",
		"u=%2Ft%3Fclient_id%3Dweb-shop%26code_verifier%3D{V}", "u=%252Ft%253Fclient_id%253Dweb-shop%2526code_verifier%253D{V}",
		`level=info client_id="web-shop" code_verifier={V}`, "client=web-shop code_verifier={V}", "client: web-shop code_verifier={V}",
		`{"client_id":["web-shop"],"code_verifier":["{V}"]}`, "Array ( [client_id] => web-shop [code_verifier] => {V} )",
		"GET /t?code_verifier={V} HTTP/1.1 client_id=web-shop", "client_id=web-shop. code_verifier={V}",
	} {
		if got := f.one(strings.Replace(text, "{V}", random(43), 1)); !same(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", text, got, want)
		}
	}
}

// Identifiers may be URLs, addresses and anything that is printable; their
// escapes are undone.
func TestFormsOfIdentifiers(t *testing.T) {
	f := newFinder(t)
	for text, want := range map[string]string{
		"client_id=https%3A%2F%2Fapp.example%2Fcb&code_verifier={V}":                 "https://app.example/cb",
		`{"client_id":"https:\/\/app.example\/cb","code_verifier":"{V}"}`:            "https://app.example/cb",
		`{"client_id":"1234-abc.apps.example","code_verifier":"{V}"}`:                "1234-abc.apps.example",
		"client_id=0oa1b2c3d4&code_verifier={V}":                                     "0oa1b2c3d4",
		"client_id=42&code_verifier={V}":                                             "42",
		`{"client_id":"6f1e2f5c-0000-4000-a000-1234567890ab","code_verifier":"{V}"}`: "6f1e2f5c-0000-4000-a000-1234567890ab",
		"client_id=app%40example.org&code_verifier={V}":                              "app@example.org",
	} {
		if got := f.one(strings.Replace(text, "{V}", random(43), 1)); got.ID != want {
			t.Errorf("%s: got %+v, want %q", text, got, want)
		}
	}
}

// What is no client identifier never becomes one.
func TestNotClients(t *testing.T) {
	f := newFinder(t)
	for _, text := range []string{
		"code_verifier={V}", "client: 10.1.2.3 code_verifier={V}", "client=::1 code_verifier={V}", "client_id=10.1.2.3 code_verifier={V}",
		"client_id=2001:db8::1 code_verifier={V}", "client_id=null&code_verifier={V}", `{"client_id":"","code_verifier":"{V}"}`,
		`{"client_id":null,"code_verifier":"{V}"}`, "client_id=*** code_verifier={V}", "client_id=<redacted> code_verifier={V}",
		"client_id=${CLIENT_ID} code_verifier={V}", "client_id=- code_verifier={V}", "client_id=undefined&code_verifier={V}",
		"client_ip=web-shop code_verifier={V}", "client_name=Shop code_verifier={V}", "client_identity=x code_verifier={V}",
		"clients=web-shop code_verifier={V}", "xclient_id=web-shop code_verifier={V}", "client: 443 code_verifier={V}",
		"the client sent code_verifier={V}", "client disconnected, code_verifier={V}", "clientIp=1.2.3.4 code_verifier={V}",
		"client_id=REDACTED.jwt.k.0123456789012345678901 code_verifier={V}",
		"client_id=" + strings.Repeat("a1", 129) + " code_verifier={V}",
	} {
		if got := f.one(strings.Replace(text, "{V}", random(43), 1)); got.ID != "" || got.How != event.Unknown {
			t.Errorf("%s: got %+v", text, got)
		}
	}
}

// No control character and nothing that could break out of a page or terminal
// gets into an answer, whatever the record says.
func TestIdentifiersAreClean(t *testing.T) {
	f := newFinder(t)
	for _, id := range []string{"a%00b", "a%0Ab", "a%1b%5B31mb", "a%7fb", "%3Cscript%3Ealert", "a%22b", "%20a", "a%C2%A0b", "a%E2%80%AEb", "%FF%FE1"} {
		for _, glue := range []string{"client_id=I&code_verifier={V}", "u=%3Fclient_id%3DI%26code_verifier%3D{V}"} {
			got := f.one(strings.NewReplacer("I", id, "{V}", random(43)).Replace(glue))
			for _, c := range append(got.Candidates, got.ID) {
				if strings.ContainsFunc(c, func(r rune) bool {
					return !unicode.IsPrint(r) || r == utf8.RuneError || r == '<' || r == '>' || r == '"'
				}) {
					t.Errorf("%s: %q", glue, c)
				}
			}
		}
	}
}

// A JWT's claims name the client, in the order azp, client_id, cid, appid, and
// aud for ID tokens alone; its value is read before it is masked.
func TestClaims(t *testing.T) {
	f := newFinder(t)
	for _, tc := range []struct{ text, payload, want string }{
		{"access_token=J", `{"azp":"app"}`, "app"},
		{"access_token=J", `{"client_id":"app"}`, "app"},
		{"access_token=J", `{"cid":"app"}`, "app"},
		{"access_token=J", `{"appid":"app"}`, "app"},
		{"access_token=J", `{"appid":"d","cid":"c","client_id":"b","azp":"a"}`, "a"},
		{"access_token=J", `{"appid":"d","cid":"c","client_id":"b"}`, "b"},
		{"access_token=J", `{"aud":"api"}`, ""},
		{"access_token=J", `{"azp":7,"cid":"app"}`, "app"},
		{"access_token=J", `{"azp":"10.0.0.1"}`, ""},
		{"access_token=J", `{"azp":"a\u0000b"}`, ""},
		{"id_token=J", `{"aud":"app"}`, "app"},
		{"id_token=J", `{"aud":["app"]}`, "app"},
		{"id_token=J", `{"aud":["app","api"]}`, ""},
		{"id_token=J", `{"aud":["app","api"],"azp":"app"}`, "app"},
		{"Authorization: Bearer J", `{"azp":"app"}`, "app"},
		{"seen J here", `{"azp":"app","at_hash":"x"}`, "app"},
		{"seen J here", `{"aud":"app","at_hash":"x"}`, "app"},
		{`{"m":"{\"refresh_token\":\"J\"}"}`, `{"azp":"app","typ":"Refresh"}`, "app"},
	} {
		got := f.one(strings.Replace(tc.text, "J", jws(tc.payload), 1))
		want := event.Client{How: event.Unknown}
		if tc.want != "" {
			want = event.Client{ID: tc.want, How: event.JWTClaim, Confidence: "certain", Candidates: []string{tc.want}}
		}
		if !same(got, want) {
			t.Errorf("%s with %s:\n got %+v\nwant %+v", tc.text, tc.payload, got, want)
		}
	}
}

func TestAssertions(t *testing.T) {
	f := newFinder(t)
	for payload, want := range map[string]string{
		`{"iss":"batch","sub":"batch","aud":"https://id"}`: "batch",
		`{"sub":"batch"}`: "batch",
		`{"iss":"batch"}`: "batch",
		`{"aud":"x"}`:     "",
	} {
		got := f.one("client_assertion=" + jws(payload))
		if got.ID != want || want != "" && (got.How != event.Assertion || got.Confidence != "certain") {
			t.Errorf("%s: got %+v, want %q", payload, got, want)
		}
	}
}

// The user part of Basic credentials is form-decoded (RFC 6749 §2.3.1).
func TestBasicUsers(t *testing.T) {
	f := newFinder(t)
	for user, want := range map[string]string{
		"web-shop": "web-shop", "https%3A%2F%2Fapp": "https://app", "a%3Ab": "a:b", "x+y": "x y", "+x": "", "": "", "%zz": "%zz", "10.0.0.1": "",
	} {
		got := f.one("Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+random(20))))
		if got.ID != want || want != "" && (got.How != event.BasicUser || got.Confidence != "certain") {
			t.Errorf("%q: got %+v, want %q", user, got, want)
		}
	}
}

func TestKeycloakEvents(t *testing.T) {
	f := newFinder(t)
	got := f.one(`type="CODE_TO_TOKEN", realmId="r", clientId="web-shop", userId="u", code_verifier="` + random(43) + `"`)
	if !same(got, event.Client{ID: "web-shop", How: event.IdPEvent, Confidence: "likely", Candidates: []string{"web-shop"}}) {
		t.Errorf("got %+v", got)
	}
}

// Of several candidates, the one said in the same query string or object wins;
// without one, the answer is ambiguous and lists all, sorted.
func TestSeveralCandidates(t *testing.T) {
	f := newFinder(t)
	both := []string{"app-a", "app-b"}
	for text, want := range map[string]string{
		"GET /t?client_id=app-a&code_verifier={V} ref=/x?client_id=app-b":                                           "app-a",
		"ref=/x?client_id=app-b GET /t?client_id=app-a&code_verifier={V}":                                           "app-a",
		`{"r":[{"client_id":"app-b"},{"client_id":"app-a","code_verifier":"{V}"}]}`:                                 "app-a",
		`{"client_id":"app-b","inner":{"client_id":"app-a","code_verifier":"{V}"}}`:                                 "app-a",
		`{"client_id":"app-a","code_verifier":"{V}","inner":{"client_id":"app-a"},"o":{"x":{"client_id":"app-b"}}}`: "",
		`{"inner":{"x":1,"body":{"code_verifier":"{V}"}, "client_id":"app-a"},"client_id":"app-b"}`:                 "app-a",
		"client_id=app-b client_id=app-a code_verifier={V}":                                                         "",
		`{"client_id":"app-b","clientId":"app-a","code_verifier":"{V}"}`:                                            "",
	} {
		got := f.one(strings.Replace(text, "{V}", random(43), 1))
		switch {
		case want != "" && (got.ID != want || got.Confidence != "certain" || !slices.Equal(got.Candidates, both)):
			t.Errorf("%s: got %+v, want %q", text, got, want)
		case want == "" && !same(got, event.Client{How: event.Ambiguous, Confidence: "possible", Candidates: both}):
			t.Errorf("%s: got %+v, want ambiguous", text, got)
		}
	}
}

// Two findings in one record, each bound to its own client; and records do not
// mix.
func TestEachFindingHasItsOwn(t *testing.T) {
	f := newFinder(t)
	text := strings.NewReplacer("{V}", random(43), "{W}", random(43)).Replace(
		`[{"client_id":"app-a","code_verifier":"{V}"},{"client_id":"app-b","code_verifier":"{W}"}]` + "\ncode_verifier={V}\nclient_id=app-c code_verifier={W}")
	var ids []string
	for _, c := range f.of(text) {
		ids = append(ids, c.ID)
	}
	if want := []string{"app-a", "app-b", "", "app-c"}; !slices.Equal(ids, want) {
		t.Errorf("got %q, want %q", ids, want)
	}
}

// An answer lists at most maxListed clients, and deep nesting costs bounded time.
func TestHostileRecords(t *testing.T) {
	f := newFinder(t)
	var many strings.Builder
	for range 10 * maxListed {
		many.WriteString("client_id=" + random(10) + " ")
	}
	if got := f.one(many.String() + "code_verifier=" + random(43)); got.How != event.Ambiguous || len(got.Candidates) > maxListed {
		t.Errorf("%d candidates, %s", len(got.Candidates), got.How)
	}
	deep := "client_id=app-a client_id=app-b " + strings.Repeat(`{"a":`, 100000) + `{"code_verifier":"` + random(43) + `"}`
	if got := f.one(deep); got.How != event.Ambiguous {
		t.Errorf("got %+v", got)
	}
}

func TestRelated(t *testing.T) {
	a := event.Client{ID: "a", How: event.JWTClaim, Confidence: "certain", Candidates: []string{"a"}}
	b := event.Client{ID: "b", How: event.BasicUser, Confidence: "certain", Candidates: []string{"b"}}
	none := event.Client{How: event.Unknown}
	for name, tc := range map[string]struct{ others, want []event.Client }{
		"nothing": {nil, []event.Client{none}},
		"unknown": {[]event.Client{none, none}, []event.Client{none}},
		"one":     {[]event.Client{none, a, a}, []event.Client{{ID: "a", How: event.JWTClaim, Confidence: "likely", Candidates: []string{"a"}}}},
		"two":     {[]event.Client{b, a}, []event.Client{{How: event.Ambiguous, Confidence: "possible", Candidates: []string{"a", "b"}}}},
	} {
		if got := Related(tc.others); !same(got, tc.want[0]) {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want[0])
		}
	}
}
