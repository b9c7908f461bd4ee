package detect

import (
	"math/rand/v2"
	"testing"
)

// objectLeaks are values in objects of their own, and before their names.
var objectLeaks = []string{
	`{"access_token":{"value":"<AT>"}}`,
	`{"access_token": {"value": "<AT>", "x": 1}}`,
	`{"access_token":[{"value":"<AT>"}]}`,
	`{"client_secret":{"S":"<SECRET>"},"id":{"N":"1"}}`,
	`{"refresh_token": {"stringValue": "<RT>"}}`,
	`{"code_verifier":{"String":"<VERIFIER>","Valid":true}}`,
	`{"access_token":{"#text":"<AT>"}}`,
	`{"access_token":{"type":"string","value":"<AT>"}}`,
	`{"name":"access_token","type":"text","value":"<AT>"}`,
	`{"code":{"S":"<CODE>"},"client_id":{"S":"web"}}`,
	`{"token": {"value": "<AT>"}}`,
	`{"m":"{\"access_token\":{\"value\":\"<AT>\"}}"}`,
	`{"m":"{\"code\":{\"value\":\"<CODE>\"}}"}`,
	`{"value":"<CODE>","name":"code"}`,
	`{"value": "<AT>", "name": "access_token"}`,
	`[{"value":"<AT>","type":"text","name":"access_token"}]`,
	`{"Value":"<VERIFIER>","Name":"code_verifier"}`,
	`{ value: '<AT>', name: 'access_token' }`,
	`{"m":"{\"value\":\"<AT>\",\"name\":\"access_token\"}"}`,
	`{"value":"sid=<AT>; theme=dark","name":"Cookie"}`,
	`{"value":"<AT>","name":"X-Access-Token"}`,
	`<input type="hidden" value="<AT>" name="access_token">`,
	`<input value="<CODE>" name="code" type="hidden"/>`,
	`<add value="<SECRET>" key="ClientSecret"/>`,
}

// objectInnocents look alike. {b64u43} is a public value.
var objectInnocents = []string{
	`{"access_token":{"type":"string","description":"The access token"}}`,
	`{"access_token":{"value":"The access token of the user"}}`,
	`{"client_secret":{"label":"Client secret","hint":"{b64u43}"}}`,
	`{"value":"{b64u43}","name":"state"}`,
	`{"value":"{b64u43}","name":"etag"},{"value":"x","name":"access_token"}`,
	`{"id":"{b64u43}","name":"access_token"}`,
	`{"value":"{b64u43}"},{"name":"access_token"}`,
	`{"value":["{b64u43}"],"name":"access_token"}`,
	`{"key":"code","type":"string","label":"{b64u43}"}`,
	`{"value":"theme=dark; _ga=GA1.2.1234567890.1700000000","name":"Cookie"}`,
	`{"code":{"id":"{b64u43}"},"token":{"kind":"Bearer"}}`,
}

// Values in objects of their own, and before their names, are found whole, and nothing
// that looks alike.
func TestValuesInObjects(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range objectLeaks {
		for range 5 {
			text, want := filled(rand.New(rand.NewPCG(rand.Uint64(), 1)), text)
			if got := missed(t, s, text, want); got != "" {
				t.Errorf("%s\nfound %s", text, got)
				break
			}
		}
	}
	for _, text := range objectInnocents {
		for range 5 {
			text, _ := filled(rand.New(rand.NewPCG(rand.Uint64(), 1)), text)
			if found := scanText(t, s, text); len(found) > 0 {
				t.Errorf("%s\nfound %s", text, shown(text, found))
				break
			}
		}
	}
}
