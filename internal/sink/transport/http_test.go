package transport

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
)

func secretFile(t *testing.T, value string) Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Secret{File: path}
}

func client(t *testing.T, o HTTPOptions) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, status)
		}))
		a := client(t, HTTPOptions{URL: s.URL, Token: secretFile(t, sinktest.Secret())}).Do(t.Context(), Request{Body: []byte("x")})
		if a.Outcome != (sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonRedirect}) || reached {
			t.Errorf("%d: %+v, reached %v", status, a.Outcome, reached)
		}
		s.Close()
	}
}

func TestCredentials(t *testing.T) {
	var got *http.Request
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	defer s.Close()
	secret := sinktest.Secret()
	t.Setenv("LEAKVEIL_TEST_SECRET", secret)
	env := Secret{Env: "LEAKVEIL_TEST_SECRET"}
	for name, c := range map[string]struct {
		o    HTTPOptions
		want func(*http.Request) bool
	}{
		"basic": {HTTPOptions{Username: "u", Password: secretFile(t, secret)}, func(r *http.Request) bool {
			u, p, _ := r.BasicAuth()
			return u == "u" && p == secret
		}},
		"bearer": {HTTPOptions{Token: env}, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+secret }},
		"scheme": {HTTPOptions{Token: env, Scheme: "Splunk"}, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Splunk "+secret }},
		"header": {HTTPOptions{SecretHeaders: map[string]Secret{"X-Key": env}}, func(r *http.Request) bool { return r.Header.Get("X-Key") == secret }},
		"none":   {HTTPOptions{}, func(r *http.Request) bool { return r.Header.Get("Authorization") == "" }},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.URL = s.URL
			if a := client(t, c.o).Do(t.Context(), Request{}); a.Status != 200 || !c.want(got) {
				t.Error(a.Status, got.Header)
			}
		})
	}
}

func TestARotatedCredentialIsUsed(t *testing.T) {
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	defer s.Close()
	token := secretFile(t, "old")
	c := client(t, HTTPOptions{URL: s.URL, Token: token})
	if err := os.WriteFile(token.File, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c.Do(t.Context(), Request{}); got != "Bearer new" {
		t.Fatal(got)
	}
	if err := os.Remove(token.File); err != nil {
		t.Fatal(err)
	}
	if a := c.Do(t.Context(), Request{}); a.Outcome != (sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth}) {
		t.Fatal(a.Outcome)
	}
}

func TestBadOptions(t *testing.T) {
	secret := sinktest.Secret()
	token := secretFile(t, secret)
	for name, o := range map[string]HTTPOptions{
		"no address":          {},
		"other scheme":        {URL: "ftp://h/"},
		"user in the address": {URL: "https://u:" + secret + "@h/"},
		"plain text":          {URL: "http://siem.example/", Token: token},
		"plain text, header":  {URL: "http://siem.example/", SecretHeaders: map[string]Secret{"X": token}},
		"plain text, body":    {URL: "http://siem.example/", Confidential: true},
		"no password":         {URL: "https://h/", Username: "u"},
		"no user":             {URL: "https://h/", Password: token},
		"two":                 {URL: "https://h/", Username: "u", Password: token, Token: token},
		"missing file":        {URL: "https://h/", Token: Secret{File: "/nonexistent"}},
		"empty variable":      {URL: "https://h/", Token: Secret{Env: "LEAKVEIL_NOT_SET"}},
		"control characters":  {URL: "https://h/", Token: secretFile(t, secret+"\r\nX-Evil: 1")},
		"half a certificate":  {URL: "https://h/", TLS: TLS{CertFile: token.File}},
		"no certificate":      {URL: "https://h/", TLS: TLS{CAFile: token.File}},
		"broken certificate":  {URL: "https://h/", TLS: TLS{CertFile: token.File, KeyFile: token.File}},
	} {
		_, err := New(o)
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds the credential", name)
		}
	}
}

func TestJudge(t *testing.T) {
	want := map[int]sink.Outcome{
		200: {Verdict: sink.Delivered}, 201: {Verdict: sink.Delivered}, 202: {Verdict: sink.Delivered}, 204: {Verdict: sink.Delivered},
		304: {Verdict: sink.Retry, Reason: sink.ReasonRedirect}, 400: {Verdict: sink.Split, Reason: sink.ReasonRefused},
		401: {Verdict: sink.Retry, Reason: sink.ReasonAuth}, 403: {Verdict: sink.Retry, Reason: sink.ReasonAuth},
		404: {Verdict: sink.Retry, Reason: sink.ReasonNotFound}, 408: {Verdict: sink.Retry, Reason: sink.ReasonBusy},
		413: {Verdict: sink.Split, Reason: sink.ReasonTooLarge}, 422: {Verdict: sink.Split, Reason: sink.ReasonRefused},
		429: {Verdict: sink.Retry, Reason: sink.ReasonBusy}, 500: {Verdict: sink.Retry, Reason: sink.ReasonServer},
		502: {Verdict: sink.Retry, Reason: sink.ReasonServer}, 503: {Verdict: sink.Retry, Reason: sink.ReasonBusy}, 700: {Verdict: sink.Retry, Reason: sink.ReasonServer},
	}
	for status, outcome := range want {
		if got := Judge(status); got != outcome {
			t.Errorf("%d: %+v", status, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "x": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-7": 0, "99999999999999": 0,
		"Thu, 01 Jan 2026 00:01:00 GMT": time.Minute, "Thu, 01 Jan 2015 00:01:00 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestBodiesAndAnswers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z, err := gzip.NewReader(r.Body)
		if err != nil || r.URL.Path != "/base/sub" || r.URL.Query().Get("a") != "1" || r.URL.Query().Get("b") != "2" {
			w.WriteHeader(400)
			return
		}
		body, _ := io.ReadAll(z)
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(429)
		_, _ = w.Write(body)
	}))
	defer s.Close()
	c := client(t, HTTPOptions{URL: s.URL + "/base?a=1", Gzip: true})
	a := c.Do(t.Context(), Request{Path: "sub", Query: map[string][]string{"b": {"2"}}, Body: []byte("hello")})
	if string(a.Body) != "hello" || a.Status != 429 || a.RetryAfter != 3*time.Second || a.Report(2).Outcomes[1].Reason != sink.ReasonBusy {
		t.Fatalf("%+v", a)
	}
}

func TestNoAnswer(t *testing.T) {
	hang := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	c := client(t, HTTPOptions{URL: s.URL})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := c.Do(ctx, Request{}); a.Outcome.Reason != sink.ReasonTimeout || a.Outcome.Verdict != sink.Retry {
		t.Errorf("%+v", a.Outcome)
	}
	close(hang)
	s.Close()
	if a := c.Do(t.Context(), Request{}); a.Outcome.Reason != sink.ReasonNetwork || a.Outcome.Verdict != sink.Retry {
		t.Errorf("%+v", a.Outcome)
	}
}

// An address that is a credential is read for each request, and is in no error.
func TestASecretAddress(t *testing.T) {
	reached := 0
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/new" {
			reached++
		}
	}))
	defer s.Close()
	address := secretFile(t, s.URL+"/old")
	c := client(t, HTTPOptions{SecretURL: address})
	if err := os.WriteFile(address.File, []byte(s.URL+"/new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := c.Do(t.Context(), Request{}); a.Status != 200 || reached != 1 {
		t.Error(a.Status, reached)
	}
	if err := os.WriteFile(address.File, []byte("http://siem.example/"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := c.Do(t.Context(), Request{}); a.Outcome != (sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth}) {
		t.Error("sent in plain text:", a.Outcome)
	}
	token := sinktest.Secret()
	for _, o := range []HTTPOptions{
		{SecretURL: secretFile(t, "http://siem.example/"+token)}, {SecretURL: secretFile(t, "ftp://siem.example/"+token)},
		{SecretURL: secretFile(t, "https://siem.example/%zz"+token)}, {URL: "https://h", SecretURL: secretFile(t, "https://siem.example/"+token)},
		{SecretURL: Secret{File: "/nonexistent"}},
	} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%v", err)
		}
	}
}
