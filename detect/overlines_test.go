package detect

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// overLines are pairs whose value stands below its key.
var overLines = []string{
	"client_secret: |\n  <SECRET>\nnext: 1",
	"client_secret: >-\n  <SECRET>\nnext: 1",
	"oauth:\r\n  refresh_token: >\r\n    <RT>\r\n  x: y\r\n",
	"client_secret: !!str <SECRET>\nx: y",
	"{\n  \"name\": \"access_token\",\n  \"value\": \"<AT>\"\n}",
	"{\n  \"access_token\": {\n    \"value\": \"<AT>\"\n  }\n}",
	"{\n  \"key\": \"code_verifier\",\n  \"value\": {\n    \"stringValue\": \"<VERIFIER>\"\n  }\n}",
	"Content-Disposition: form-data; name=\"access_token\"\n\n<AT>\n--boundary",
	"Content-Disposition: form-data; name=\"client_secret\"\r\nContent-Type: text/plain\r\n\r\n<SECRET>\r\n--boundary",
	"Content-Disposition: form-data; name=\"code\"\n\n<CODE>\n--boundary--",
	"array(2) {\n  [\"access_token\"]=>\n  string(43) \"<AT>\"\n  [\"x\"]=>\n  int(1)\n}",
	"array(2) {\n  [\"code\"]=>\n  string(32) \"<CODE>\"\n}",
	"{ access_token:\n   '<AT>',\n  token_type: 'Bearer' }",
	"access_token =\n    <AT>\n",
	"<access_token>\n  <AT>\n</access_token>",
	"<key>access_token</key>\n<string><AT></string>",
	"\"client_secret\": [\n    \"<SECRET>\"\n],",
	"    [access_token] => Array\n        (\n            [0] => <AT>\n        )",
	"env:\n  - name: CLIENT_SECRET\n    value: <SECRET>\n  - name: x\n",
	"- name: code\n  value: <CODE>\n", "- name: token\n  value: \"<AT>\"\n", "  - name: codeVerifier\n    value: <VERIFIER>\n",
	"> Authorization: Bearer\n> Host: x\nAuthorization: Bearer\n <AT>\nHost: x", "Authorization: Bearer\n<JWT>\nHost: x",
	"\x1b[32m'refresh_token'\x1b[0m:      \x1b[2m     \x1b[0m\n\x1b[2;36m     \x1b[0m  \x1b[32m'<RT>'\x1b[0m, \x1b[32m'x'\x1b[0m: 1\n",
	"string: '{\"scope\": \"openid\", \"refresh_token\":\n        \"<RT>\", \"id_token\": null}'\n",
	"  [\"refreshToken\":\"AccessToken\":private]=>\n  string(43) \"<RT>\"\n", "  [\"accessToken\":protected]=>\n  string(43) \"<AT>\"\n",
	"Cookie:\n sid=<AT>\nHost: x",
	"Cookie: a=b;\n sid=<AT>; c=d;\n auth=<RT>\nHost: x",
}

// overLinesInnocent look alike; {b64u43} is a public value.
var overLinesInnocent = []string{
	"client_secret: |\n\n\nnext: {b64u43}",
	"access_token:\n  description: what it is {b64u43}\n",
	"access_token:\n  type: string\n  example: {b64u43}\n",
	"client_secret:\n  from-the-environment-of-the-process\n",
	"missing parameter access_token:\n2026-11-20T08:15:02.123456Z INFO {b64u43} started\n",
	"missing parameter access_token:\n{b64u43} started\n",
	"\"access_token\"\n{b64u43}\n",
	"access_token:\nstate={b64u43}\n",
	"{\n  \"name\": \"access_token\",\n  \"in\": \"header\"\n},\n{b64u43}",
	"{\n  \"name\": \"access_token\",\n  \"id\": \"{b64u43}\"\n}",
	"Content-Disposition: form-data; name=\"access_token\"\n\n\n--boundary-{b64u43}",
	"\x1b[32m'refresh_token'\x1b[0m:\n\x1b[32mstarted {b64u43}\x1b[0m\n", "\x1b[32mrefresh_token:\x1b[0m\n\x1b[32m{b64u43}\x1b[0m started\n",
	"- name: client_secret\n  valueFrom: {b64u43}\n", "- name: code\n  description: {b64u43}\n", "- name: token\n{b64u43}\n",
	"Authorization: Bearer\nX-Request-Id: {b64u43}\n", "Authorization: Bearer\n\n{b64u43}\n", "Authorization: Bearer\n{b64u43} started\n",
	"Cookie:\nsid={b64u43}\n",
	"Cookie: a=b\n sid={b64u43}\n",
	"<access_token>\n  <value>{b64u43}</value>\n</access_token>\n",
	"refresh_token = \n\n{b64u43}\n",
}

// overLinesFound scans text as lines, in pieces of n lines (all of it for 0), and
// returns the findings with their offsets in the whole.
func overLinesFound(t *testing.T, s *Scanner, text string, n int) (out []string) {
	t.Helper()
	var before Open
	for base := 0; base < len(text); {
		end := len(text)
		for i, at := 0, base; n > 0 && i < n; i++ {
			nl := strings.IndexByte(text[at:], '\n')
			if nl < 0 {
				break
			}
			at += nl + 1
			end = at
		}
		var b Batch
		b.SetLines([]byte(text[base:end]))
		b.SetOpen(before)
		found, _, err := s.Scan(&b)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			out = append(out, text[base+f.Start:base+f.End])
		}
		before, base = s.Open(), end
	}
	return out
}

// Values below their keys are found whole, and the same in pieces of any length.
func TestPairsOverLines(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range overLines {
		for range 5 {
			text, want := filled(rand.New(rand.NewPCG(rand.Uint64(), 1)), text)
			for _, n := range []int{0, 1, 2, 3} {
				if got := overLinesFound(t, s, text+"\nlast line\n", n); !slices.Equal(got, want) {
					t.Fatalf("in pieces of %d lines: %s\nfound %q, want %q", n, text, got, want)
				}
			}
		}
	}
}

// What only looks like a pair over lines stays.
func TestNoPairsOverLines(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range overLinesInnocent {
		for range 5 {
			text, _ := filled(rand.New(rand.NewPCG(rand.Uint64(), 1)), text)
			if got := overLinesFound(t, s, text+"\n", 0); len(got) > 0 {
				t.Errorf("%s\nfound %q", text, got)
				break
			}
		}
	}
}

// A megabyte of keys that end their lines is read once.
func TestPairsOverLinesAreBounded(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	var b Batch
	b.SetLines(bytes.Repeat([]byte("access_token:\n"), 1<<16))
	if found, _, err := s.Scan(&b); err != nil || len(found) > 0 {
		t.Errorf("%d findings, error %v", len(found), err)
	}
	if open := s.Open(); !open.Live() {
		t.Error("the last key awaits nothing")
	}
}
