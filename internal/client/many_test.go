package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/event"
)

// A record of many objects (a bulk response, an array of events) has more clients
// than an answer lists; each finding still has that of its own object. Once only
// the first 32 did.
func TestOwnObjectInLongList(t *testing.T) {
	f := newFinder(t)
	const objects = 1000
	var text strings.Builder
	for i := range objects {
		fmt.Fprintf(&text, `{"client_id":"app-%d","refresh_token":"%s"},`, i, random(40))
	}
	got := f.of("[" + text.String() + "]")
	if len(got) != objects {
		t.Fatalf("%d findings, want %d", len(got), objects)
	}
	for i, c := range got {
		if c.ID != fmt.Sprint("app-", i) || c.How != event.SameRecord || c.Confidence != "certain" {
			t.Fatalf("object %d: got %+v", i, c)
		}
		if len(c.Candidates) != maxListed || !slices.Contains(c.Candidates, c.ID) || !slices.IsSorted(c.Candidates) {
			t.Fatalf("object %d: %d candidates: %v", i, len(c.Candidates), c.Candidates)
		}
	}
}

// The spellings are read one after the other, but the scope decides by place.
func TestScopeOverSpellings(t *testing.T) {
	f := newFinder(t)
	got := f.of(fmt.Sprintf(`[{"CLIENT_ID":"up","refresh_token":"%s"},{"azp":"party","refresh_token":"%s"},{"clientId":"low","refresh_token":"%s"}]`,
		random(40), random(40), random(40)))
	for i, want := range []string{"up", "party", "low"} {
		if len(got) != 3 || got[i].ID != want {
			t.Fatalf("finding %d: got %+v, want %s", i, got, want)
		}
	}
}

// Where a record names more than is remembered, nothing is claimed.
func TestBehindWhatIsRemembered(t *testing.T) {
	f := newFinder(t)
	many := "client_id=other client_id=first " + strings.Repeat("client_id=first ", maxNamed)
	object := `{"client_id":"own","refresh_token":"` + random(40) + `"}`
	if got := f.one(object + many); got.ID != "own" {
		t.Errorf("before: got %+v", got)
	}
	if got := f.one(many + object); got.How != event.Ambiguous {
		t.Errorf("behind: got %+v", got)
	}
	// One of the object's two clients is remembered; that is no reason to name it.
	if got := f.one(many[:16*(maxNamed-1)] + `{"client_id":"a","client_id":"b","refresh_token":"` + random(40) + `"}`); got.How != event.Ambiguous {
		t.Errorf("across: got %+v", got)
	}
}

// A quoted identifier is read to its closing quote: "my app" was once the client
// "my", and "müller" the client "m".
func TestWholeIdentifiers(t *testing.T) {
	f := newFinder(t)
	for text, want := range map[string]string{
		`{"client_id":"my app","code_verifier":"{V}"}`:                             "my app",
		`{"client_id":"müller","code_verifier":"{V}"}`:                             "müller",
		`{"client_id":"m\u00fcller \u65e5","code_verifier":"{V}"}`:                 "müller 日",
		`{"m":"{\"client_id\":\"my app\",\"code_verifier\":\"{V}\"}"}`:             "my app",
		`type="LOGIN", realmId="r", clientId="my app", code_verifier="{V}"`:        "my app",
		`{'client_id': 'my app', 'code_verifier': '{V}'}`:                          "my app",
		"client_id=my%20app&code_verifier={V}":                                     "my app",
		`{"client":{"id":"deep"},"code_verifier":"{V}"}`:                           "deep",
		`{"client":{"name":"deep"},"code_verifier":"{V}"}`:                         "",
		`{"client_id":"a\"b","code_verifier":"{V}"}`:                               "",
		`{"client_id":"a\u001bb","code_verifier":"{V}"}`:                           "",
		`{"client_id":"a\u202eb","code_verifier":"{V}"}`:                           "",
		`{"client_id":"` + strings.Repeat("a b", 100) + `","code_verifier":"{V}"}`: "",
		"client_id=müller&code_verifier={V}":                                       "",
		`client_id="web, code_verifier={V}`:                                        "",
	} {
		if got := f.one(strings.Replace(text, "{V}", random(43), 1)); got.ID != want {
			t.Errorf("%s: got %+v, want %q", text, got, want)
		}
	}
}
