package pipeline

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/detect"
)

// token makes a JWT of claims; its signature is random.
func token(rnd *rand.Rand, claims string) string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT","kid":"k1"}`))
	return header + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + draw(rnd, base64url, 342)
}

// What the severity depends on is read before anything is masked.
func TestFacts(t *testing.T) {
	w := worker(t, nil)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 1))
	v, code, secret := draw(rnd, base64url, 43), draw(rnd, base64url, 40), draw(rnd, base64url, 40)
	ends := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	exp := fmt.Sprint(ends.Unix())
	for line, want := range map[string]string{
		"access_token=" + token(rnd, `{"iss":"https://idp","azp":"spa","exp":`+exp+`}`):                     "access_token ends",
		"access_token=" + token(rnd, `{"iss":"https://idp","exp":`+exp+`.25,"cnf":{"jkt":"x"}}`):            "access_token ends bound",
		"access_token=" + token(rnd, `{"iss":"https://idp","exp":"soon","cnf":null}`):                       "access_token",
		"access_token=" + token(rnd, `{"iss":"https://idp","exp":1e300,"cnf":"x"}`):                         "access_token",
		"access_token=" + token(rnd, `{"iss":"https://idp","exp":-5}`):                                      "access_token",
		"POST /token client_id=spa&code=" + code + "&code_verifier=" + v + "&grant_type=authorization_code": "authorization_code pair, code_verifier pair",
		"POST /token code=" + code + "&grant_type=authorization_code&redirect_uri=https://a/cb":             "authorization_code",
		"code_verifier=" + v: "code_verifier",
		`{"client_id":"shop","client_secret":"` + secret + `"}`:                                                                 "client_secret pair",
		`client_secret=` + secret:                                                                                               "client_secret",
		"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("shop:"+secret)):                                     "basic_credentials pair",
		`[{"client_id":"a","code":"` + code + `"},{"client_id":"b","code_verifier":"` + v + `"}] grant_type=authorization_code`: "authorization_code, code_verifier",
	} {
		var b detect.Batch
		b.AddText(0, []byte(line))
		results, err := w.Find(&b)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range results {
			one := string(results[i].Kind)
			if results[i].Expires.Equal(ends) {
				one += " ends"
			} else if !results[i].Expires.IsZero() {
				t.Errorf("ends %v", results[i].Expires)
			}
			if results[i].Bound {
				one += " bound"
			}
			if results[i].Pair {
				one += " pair"
			}
			got = append(got, one)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%v, want %s in %.60s…", got, want, line)
		}
	}
}

// Findings of two records make no pair.
func TestPairsAreOfOneRecord(t *testing.T) {
	w := worker(t, nil)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 2))
	var b detect.Batch
	b.AddText(0, []byte("POST /token client_id=spa&code="+draw(rnd, base64url, 40)+"&grant_type=authorization_code"))
	b.AddText(1, []byte("code_verifier="+draw(rnd, base64url, 43)))
	results, err := w.Find(&b)
	if err != nil || len(results) != 2 || results[0].Pair || results[1].Pair {
		t.Fatalf("%v %+v", err, results)
	}
}
