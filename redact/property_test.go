package redact_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// drawText draws texts and values that take turns, and the spans of the values.
func drawText(t *rapid.T) (src []byte, spans []redact.Span, between [][]byte) {
	for range rapid.IntRange(0, 5).Draw(t, "spans") {
		between = append(between, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "text"))
		src = append(src, between[len(between)-1]...)
		start := len(src)
		// Small letters and digits: no eight of them in a row are part of a mask.
		src = append(src, rapid.StringMatching(`([a-z][0-9]){1,60}`).Draw(t, "value")...)
		spans = append(spans, redact.Span{
			Start: start, End: len(src), Blob: start,
			Kind:        rapid.SampledFrom(rules.Kinds()).Draw(t, "kind"),
			Fingerprint: printOf(rapid.StringMatching(`[A-Z_-]{22}`).Draw(t, "fingerprint")),
		})
	}
	between = append(between, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "text"))
	return append(src, between[len(between)-1]...), spans, between
}

func drawPolicy(t *rapid.T) redact.Policy {
	policy := redact.Policy{}
	for _, kind := range rules.Kinds() {
		policy[kind] = rapid.SampledFrom(redact.Actions).Draw(t, "action")
	}
	return policy
}

// replacements cuts out what stands between the given texts. The texts are
// found by place, so that a text inside a value misleads nothing.
func replacements(t *rapid.T, r *redact.Redactor, src []byte, spans []redact.Span, between [][]byte, equal bool) [][]byte {
	out, err := r.Apply(nil, src, spans, equal)
	if err != nil {
		t.Fatal(err)
	}
	var found [][]byte
	rest := out
	for i, s := range spans {
		one := s
		one.Start, one.End, one.Blob = 0, s.End-s.Start, 0
		alone, err := r.Apply(nil, src[s.Start:s.End], []redact.Span{one}, equal)
		if err != nil {
			t.Fatal(err)
		}
		want := append(bytes.Clone(between[i]), alone...)
		if !bytes.HasPrefix(rest, want) {
			t.Fatalf("a byte outside span %d changed", i)
		}
		found, rest = append(found, alone), rest[len(want):]
	}
	if !bytes.Equal(rest, between[len(spans)]) {
		t.Fatal("a byte behind the last span changed")
	}
	return found
}

func TestApplyProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src, spans, between := drawText(t)
		saved := bytes.Clone(src)
		policy := drawPolicy(t)
		equal := rapid.Bool().Draw(t, "equal")
		r := redact.NewRedactor(policy, "K1")
		for i, mask := range replacements(t, r, src, spans, between, equal) {
			value := src[spans[i].Start:spans[i].End]
			action := policy.Action(spans[i].Kind)
			if action == redact.ActionReport {
				if !bytes.Equal(mask, value) {
					t.Errorf("report changed a value")
				}
				continue
			}
			if equal && len(mask) != len(value) {
				t.Errorf("%s: %d bytes became %d", action, len(value), len(mask))
			}
			if removed := action == redact.ActionRemove && !equal; removed != (len(mask) == 0) || !removed && !rules.IsMask(mask) {
				t.Errorf("%s: %q is no mask: a second run would change it", action, mask)
			}
			for at := 0; at+8 <= len(value); at++ {
				if bytes.Contains(mask, value[at:at+8]) {
					t.Errorf("%s: eight bytes of the value are left", action)
				}
			}
		}
		if !bytes.Equal(src, saved) {
			t.Error("the input was changed")
		}
	})
}

// A value inside a string of JSON, itself in JSON up to three levels deep: the
// outermost and the innermost document stay, all members but the value too.
func TestJSONStaysJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[a-zA-Z0-9/+=&"\\é-]{8,60}`).Draw(t, "value")
		levels := rapid.IntRange(1, 3).Draw(t, "levels")
		document := map[string]any{"client": rapid.String().Draw(t, "client"), "token": value, "n": 1.5}
		text, written := marshal(t, document), value
		written = inside(t, written)
		for range levels - 1 {
			text = marshal(t, map[string]any{"msg": text, "level": "info"})
			written = inside(t, written)
		}
		start := strings.Index(text, "token") + len("token")
		start += strings.Index(text[start:], ":")
		start += strings.Index(text[start:], written)
		span := redact.Span{
			Start: start, End: start + len(written), Blob: start, Kind: rules.AccessToken,
			Form: layer.Form{Backslash: true}, Fingerprint: someprint,
		}
		action := rapid.SampledFrom(redact.Actions).Draw(t, "action")
		r := redact.NewRedactor(redact.Policy{rules.AccessToken: action}, "k1")
		out, err := r.Apply(nil, []byte(text), []redact.Span{span}, rapid.Bool().Draw(t, "equal"))
		if err != nil {
			t.Fatal(err)
		}
		for range levels - 1 {
			var outer map[string]any
			if err := json.Unmarshal(out, &outer); err != nil {
				t.Fatalf("no JSON: %v", err)
			}
			out = []byte(outer["msg"].(string))
		}
		var got map[string]any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("no JSON: %v", err)
		}
		if action != redact.ActionReport && action != redact.ActionRemove && !rules.IsMask([]byte(got["token"].(string))) {
			t.Errorf("%s: the token became %q", action, got["token"])
		}
		got["token"] = document["token"]
		if diff := cmp.Diff(document, got); diff != "" {
			t.Errorf("other members changed:\n%s", diff)
		}
	})
}

func marshal(t *rapid.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func inside(t *rapid.T, s string) string {
	quoted := marshal(t, s)
	return quoted[1 : len(quoted)-1]
}

func TestURLStaysURL(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[a-zA-Z0-9/+=&%?#é~.-]{8,60}`).Draw(t, "value")
		state := rapid.StringMatching(`[ -~]{0,20}`).Draw(t, "state")
		written := url.QueryEscape(value)
		text := "https://app.example/cb?state=" + url.QueryEscape(state) + "&code=" + written + "&iss=x#top"
		start := strings.Index(text, "&code=") + len("&code=")
		span := redact.Span{
			Start: start, End: start + len(written), Blob: start, Kind: rules.AuthorizationCode,
			Form: layer.Form{Percent: true}, Fingerprint: someprint,
		}
		action := rapid.SampledFrom(redact.Actions).Draw(t, "action")
		r := redact.NewRedactor(redact.Policy{rules.AuthorizationCode: action}, "k1")
		out, err := r.Apply(nil, []byte(text), []redact.Span{span}, rapid.Bool().Draw(t, "equal"))
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(string(out))
		if err != nil {
			t.Fatal(err)
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil || len(q) != 3 || q.Get("state") != state || q.Get("iss") != "x" || u.Fragment != "top" || u.Path != "/cb" {
			t.Errorf("the URL became %q, %v", out, err)
		}
		if code := q.Get("code"); action != redact.ActionReport && action != redact.ActionRemove && !rules.IsMask([]byte(code)) {
			t.Errorf("%s: the code became %q", action, code)
		}
	})
}

// FuzzApply gives arbitrary spans: either they are refused and nothing is
// written, or everything outside of them stays.
func FuzzApply(f *testing.F) {
	f.Add([]byte("Authorization: Basic dXNlcjpzZWNyZQ=="), 21, 27, 37, uint8(1), uint8(5), uint8(0), false)
	f.Add([]byte("code=4%2F0Abcdefgh"), 5, 5, 18, uint8(0), uint8(0), uint8(3), true)
	f.Fuzz(func(t *testing.T, src []byte, blob, start, end int, base, lead, action uint8, equal bool) {
		form := layer.Form{Percent: true, Backslash: true, Base64: layer.Base64(base % 3), Lead: int(lead)}
		span := redact.Span{Start: start, End: end, Blob: blob, Kind: rules.AccessToken, Form: form, Fingerprint: someprint}
		r := redact.NewRedactor(redact.Policy{rules.AccessToken: redact.Actions[int(action)%len(redact.Actions)]}, "k1")
		out, err := r.Apply([]byte("x"), src, []redact.Span{span}, equal)
		if err != nil {
			if string(out) != "x" {
				t.Fatalf("an error and %d bytes", len(out))
			}
			return
		}
		if !bytes.HasPrefix(out[1:], src[:blob]) || !bytes.HasSuffix(out, src[end:]) || equal && len(out)-1 != len(src) {
			t.Fatalf("Apply(%q) = %q", src, out)
		}
	})
}
