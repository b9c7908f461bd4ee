package otlp

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
)

// logOf is a request whose log records have the members of a JSON object as attributes,
// and the whole as a body.
func logOf(t *testing.T, text string) plog.Logs {
	t.Helper()
	d, err := parse([]byte(text))
	if err != nil {
		t.Fatal(text, err)
	}
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	if text[0] == '{' {
		d.value.Map().CopyTo(records.AppendEmpty().Attributes())
	}
	d.value.CopyTo(records.AppendEmpty().Body())
	return ld
}

// What a value is may be said in more than one place.
func TestStructuresInParts(t *testing.T) {
	m, alone := testMasker(t, nil), testMasker(t, nil)
	alone.worker = &failing{finder: alone.worker, word: "boom", fail: func() error { return errors.New("engine") }}
	for _, form := range []string{
		`{"authorization":["Bearer","@"]}`, `{"http.request.header.authorization":["Bearer","@"]}`, `{"headers":{"Authorization":["DPoP","@"]}}`,
		`{"authorization":{"scheme":"Bearer","parameter":"@"}}`, `{"Authorization":{"Parameter":"@","Scheme":"bearer"}}`, `{"authorization":{"type":"Bearer","value":"@"}}`,
		`{"header_name":"x-api-key","header_value":"@"}`, `{"headerValue":"@","headerName":"client_secret"}`, `{"p":[{"parameterName":"code_verifier","parameterValue":"@"}]}`,
		`{"parameter_name":"code_verifier","parameter_value":"@"}`,
		`{"names":["user","code_verifier"],"values":["alice","@"]}`, `{"r":{"values":["@",7],"columns":["refresh_token","n"]}}`,
		`{"tokens":{"access":"@","refresh":"abc"}}`, `{"oauth.tokens":{"refresh":"@"}}`, `{"token":{"access":"@"}}`,
		`["code_verifier=","@"]`, `["the access token is","@"]`, `{"args":["client_secret:","@"]}`, `["sent","Access token: ","@"]`,
		`{"code_verifier.raw":"@"}`, `{"oauth.code_verifier.original":"@"}`, `{"code_verifier":{"plain":"@"}}`, `{"client_secret":{"original":"@"}}`,
		`{"process.command_args":["curl","-s","-u","web:@","https://idp.example/token"]}`, `["/usr/bin/curl","--user","web:@"]`,
	} {
		for _, mode := range []string{"together", "alone"} {
			v := secret()
			ld := logOf(t, strings.ReplaceAll(form, "@", v))
			with := m
			if mode == "alone" {
				with = alone
				records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
				for i := range records.Len() {
					records.At(i).SetSeverityText("boom")
				}
			}
			_, err := with.Logs(ld)
			raw := bytesOr(err, func() ([]byte, error) { return (&plog.JSONMarshaler{}).MarshalLogs(ld) })
			if err != nil || bytes.Contains(raw, []byte(v[2:14])) || !bytes.Contains(raw, []byte("REDACTED.")) {
				t.Errorf("%s, %s: %v %s", form, mode, err, raw)
			}
		}
	}
}

// What looks alike and is no secret stays.
func TestPartsOfOtherThings(t *testing.T) {
	m := testMasker(t, nil)
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	for _, text := range []string{
		`{"authorization":["Bearer","realm=example"]}`, `{"authorization":["Bearer","token"]}`, `{"authorization":["Bearer","Basic","DPoP"]}`, `{"www-authenticate":["Bearer","#"]}`,
		`{"authorization":{"scheme":"Bearer","parameter":"required"}}`, `{"authorization":{"scheme":"Digest","parameter":"7"}}`, `{"step":{"scheme":"Bearer","parameter":"#"}}`,
		`{"header_name":"x-request-id","header_value":"#"}`, `{"headerName":"content-type","headerValue":"application/json"}`, `{"header_value":"#"}`, `{"parameterName":"page","parameterValue":"#"}`,
		`{"names":["user","trace"],"values":["alice","#"]}`, `{"names":["code_verifier","user"],"values":["S256","alice","#"]}`, `{"columns":["id","grant_type"],"values":["#","refresh_token"]}`,
		`{"tokens":{"access":"2026-11-25T15:00:00Z","refresh":"never"}}`, `{"tokens":{"access":"granted","refresh":"every 30 minutes"}}`, `{"cache":{"access":"#","refresh":"#"}}`, `{"token":{"access":"read-write"}}`,
		`["the access token is","expired"]`, `["The code is","invalid_grant"]`, `["the client secret is","not-configured-for-client"]`, `["request id is","#"]`, `["trace:","#"]`, `["The token is","expired-and-cannot-be-renewed"]`, `["grant_type=","authorization_code"]`, `["code_challenge_method=","S256"]`,
		`{"user_agent.original":"curl/8.5.0"}`, `{"url.original":"https://idp.example/token"}`, `{"session.id.raw":"#"}`, `{"trace.id.original":"#"}`, `{"code":{"plain":"invalid_grant"}}`, `{"token":{"original":"com.example.auth.TokenService"}}`,
		`["docker","run","-u","1000:1000","app"]`, `["docker","run","-u","build:jenkins-agents-2026"]`, `["curl","-u","alice:"]`, `["git","push","-u","origin:main"]`, `["curl","-v","--user","alice"]`,
	} {
		ld := logOf(t, strings.ReplaceAll(text, "#", hex.EncodeToString(random)))
		ld.MarkReadOnly()
		if out, err := m.Logs(ld); err != nil || out.Changed || len(out.Detections) > 0 {
			t.Errorf("%s: %v, %+v", text, err, out.Detections)
		}
	}
}
