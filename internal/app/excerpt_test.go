package app

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/telemetry"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// found masks records as run does and returns the detections.
func found(t *testing.T, policy redact.Policy, at time.Time, records ...recordbatch.Record) []event.Detection {
	t.Helper()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	key := redact.RandomKey()
	w, err := pipeline.NewWorker(pipeline.Options{Database: db, Key: key, Policy: policy, Attribute: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var counts *telemetry.Metrics
	p := newProcessor(&processor{
		maxRecord: 16 << 20, output: func(in string) string { return in }, key: key.Derive("detection id"), keyID: key.ID(), counts: counts,
		excerpts: true, label: parseLabel("synthetic=yes"), now: func() time.Time { return at },
	}, w)
	for i := range records {
		records[i].Offset, records[i].Timestamp = int64(i), at.UnixMilli()
	}
	unit, err := p.process(t.Context(), kafka.Input{Topic: "logs", Records: records})
	if err != nil {
		t.Fatal(err)
	}
	return unit.Detections
}

// No byte of a secret is in an excerpt, whatever stands near it and whatever the
// policy lets stay.
func TestExcerptsHoldNoSecret(t *testing.T) {
	at := time.Now()
	verifier, token, secret := randomText(32), randomText(40), randomText(30)
	secrets := []string{verifier, token, secret}
	line := fmt.Sprintf("POST /token client_id=spa&code_verifier=%s&access_token=%s\nsecond line client_secret=%s end", verifier, token, secret)
	json := fmt.Sprintf(`{"client_id":"spa","body":"code_verifier=%s","next":{"access_token":%q,"client_secret":%q}}`, verifier, token, secret)
	encoded := "d=" + base64.StdEncoding.EncodeToString([]byte("code_verifier="+verifier+"&client_id=spa"))
	for name, policy := range map[string]redact.Policy{
		"mask": nil, "hash": {rules.CodeVerifier: redact.ActionHash, rules.AccessToken: redact.ActionHash},
		"report": {rules.AccessToken: redact.ActionReport}, "report all": {rules.AccessToken: redact.ActionReport, rules.CodeVerifier: redact.ActionReport, rules.ClientSecret: redact.ActionReport},
		"partial": {rules.AccessToken: redact.ActionPartial}, "remove": {rules.AccessToken: redact.ActionRemove}, "drop": {rules.CodeVerifier: redact.ActionDropRecord},
	} {
		all := found(t, policy, at, recordbatch.Record{Value: []byte(line)}, recordbatch.Record{Value: []byte(json)}, recordbatch.Record{Value: []byte(encoded)},
			recordbatch.Record{Value: []byte("x"), Headers: []recordbatch.Header{{Key: []byte("code_verifier"), Value: []byte(verifier)}}},
			recordbatch.Record{Key: []byte("code_verifier=" + verifier), Value: append([]byte{0xff, 0xfe, 0}, line...)})
		with := 0
		for _, d := range all {
			if d.Excerpt != "" {
				with++
			}
			document := string(alert.MarshalDetection(d, at))
			for _, s := range secrets {
				for i := 0; i+6 <= len(s); i++ {
					if strings.Contains(document, s[i:i+6]) {
						t.Fatalf("%s: a part of a secret is in %s", name, document)
					}
				}
			}
			if len(d.Excerpt) > 200 || d.Excerpt != "" && !strings.Contains(d.Excerpt, d.Fingerprint) {
				t.Errorf("%s: %q", name, d.Excerpt)
			}
		}
		switch name {
		case "mask", "hash":
			if with < 6 {
				t.Errorf("%s: %d of %d detections have an excerpt", name, with, len(all))
			}
		case "report all":
			if with > 0 {
				t.Errorf("%s: %d excerpts beside values that stay", name, with)
			}
		}
	}
}

// What the record says of a value's life is in its detection, and so is its header.
func TestSeverityAndTrafficOfDetections(t *testing.T) {
	at := time.Now().Truncate(time.Second)
	jwt := func(exp time.Time) string {
		part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		return part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(fmt.Sprintf(`{"iss":"https://idp","azp":"spa","exp":%d}`, exp.Unix())) + "." + randomText(256)
	}
	all := found(t, nil, at,
		recordbatch.Record{Value: []byte("access_token=" + jwt(at.Add(time.Hour)))},
		recordbatch.Record{Value: []byte("access_token=" + jwt(at.Add(-time.Hour)))},
		recordbatch.Record{Value: []byte("client_id=spa client_secret=" + randomText(30)), Headers: []recordbatch.Header{{Key: []byte("synthetic"), Value: []byte("yes")}}},
		recordbatch.Record{Value: []byte("client_id=spa client_secret=" + randomText(30)), Headers: []recordbatch.Header{{Key: []byte("synthetic"), Value: []byte("no")}}})
	var got []string
	for _, d := range all {
		one := fmt.Sprint(d.Severity, d.Reasons, d.Traffic)
		if !d.Expires.IsZero() {
			one += fmt.Sprint(d.Expires.Sub(at))
		}
		got = append(got, one)
	}
	if want := "high[]1h0m0s info[expired]-1h0m0s critical[pair]synthetic critical[pair]"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", strings.Join(got, " "), want)
	}
}

// A value that the policy lets stay is found by the name before it. An excerpt that ends
// between the two has the value alone, which a second scan knows nothing of.
func TestExcerptsBesideValuesThatStay(t *testing.T) {
	at := time.Now()
	token := randomText(40)
	var records []recordbatch.Record
	for pad := range 20 {
		records = append(records, recordbatch.Record{Value: fmt.Appendf(nil, `{"access_token"%s: %q, "code_verifier": %q, "note": "%s"}`,
			strings.Repeat(" ", pad), token, randomText(32), strings.Repeat("a b ", 40))})
	}
	for _, action := range []redact.Action{redact.ActionReport, redact.ActionPartial} {
		all := found(t, redact.Policy{rules.AccessToken: action}, at, records...)
		stays := map[int64]bool{}
		for _, d := range all {
			stays[d.Where.Offset] = stays[d.Where.Offset] || d.Kind == string(rules.AccessToken)
		}
		with := 0
		for _, d := range all {
			if stays[d.Where.Offset] {
				with++
				if d.Excerpt != "" {
					t.Fatalf("%s: %q", action, d.Excerpt)
				}
			}
		}
		if with < 20 {
			t.Errorf("%s: only %d detections", action, with)
		}
	}
}
