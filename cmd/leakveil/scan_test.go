package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestScanOutcomes(t *testing.T) {
	clean := leakveil(t, "nothing here\n", "scan")
	clean.want(t, 0)
	if clean.stdout+clean.stderr != "" {
		t.Errorf("a clean scan says %q", clean.stdout+clean.stderr)
	}
	value := randomSecret()
	found := leakveil(t, "clean\nclient_id=web code_verifier="+value+"\n", "scan", "-")
	found.want(t, 1)
	found.hides(t, value)
	if found.stdout != "-:2:29 code_verifier pkce-verifier certain web\n" || found.stderr != "" {
		t.Errorf("got %q, %q", found.stdout, found.stderr)
	}
	path := file(t, "a.log", "code_verifier="+value+"\n")
	failed := leakveil(t, "", "scan", "/nowhere", path)
	failed.want(t, 2, "leakveil: /nowhere: stat: no such file", path+":1:15 code_verifier", "not everything was scanned: 1 failed")
	failed.hides(t, value)
}

func TestScanDisable(t *testing.T) {
	text := "code_verifier=" + randomSecret() + "\n"
	leakveil(t, text, "scan", "--disable", "pkce-verifier").want(t, 0)
}

// The members of JSON are those of redact --findings: the same input gives the same.
func TestScanJSONIsRedactsFindings(t *testing.T) {
	key, _ := newKeyFile(t)
	var text strings.Builder
	var secrets []string
	for i := range 200 {
		s := randomSecret()
		secrets = append(secrets, s)
		fmt.Fprintf(&text, "clean %d\n{\"client_id\":\"c%d\",\"refresh_token\":\"%s\"}\n", i, i%7, s)
	}
	path := file(t, "a.log", text.String())
	findings := file(t, "findings.ndjson", "")
	leakveil(t, "", "redact", "--key-file", key, "--findings", findings, path).want(t, 0)
	want, err := os.ReadFile(findings)
	if err != nil {
		t.Fatal(err)
	}
	got := leakveil(t, "", "scan", "--key-file", key, "--format", "json", path)
	got.want(t, 1)
	if got.stdout != string(want) || strings.Count(got.stdout, "\n") != len(secrets) {
		t.Errorf("the findings differ:\n%s\n%s", got.stdout[:min(400, len(got.stdout))], want[:min(400, len(want))])
	}
	for _, s := range secrets {
		got.hides(t, s)
	}
}

// A key made for one run is told where its fingerprints are shown, and only there.
func TestScanWithoutKey(t *testing.T) {
	text := "code_verifier=" + randomSecret() + "\n"
	for format, told := range map[string]bool{"text": false, "json": true, "sarif": false} {
		got := leakveil(t, text, "scan", "--format", format)
		got.want(t, 1)
		if strings.Contains(got.stderr, "no --key-file") != told || strings.Contains(got.stdout, "partialFingerprints") {
			t.Errorf("%s: got %q, %q", format, got.stdout, got.stderr)
		}
	}
}

func TestScanSARIF(t *testing.T) {
	key, id := newKeyFile(t)
	value := randomSecret()
	got := leakveil(t, "client_secret="+value+"\n", "scan", "--format", "sarif", "--key-file", key, "-", "/nowhere")
	got.want(t, 2, `"version":"2.1.0"`, `"ruleId":"client-secret"`, `"leakveil/`+id+`/v1"`, `"executionSuccessful":false`, `"uri":"file:///nowhere"`)
	got.hides(t, value)
	if !json.Valid([]byte(got.stdout)) {
		t.Error("the log is not JSON")
	}
}
