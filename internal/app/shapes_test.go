package app_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// outputOf runs records, all of partition 1, through leakveil and gives what came.
func outputOf(t *testing.T, s setup, in ...*kgo.Record) (out, dead []*kgo.Record) {
	t.Helper()
	for _, r := range in {
		r.Topic, r.Partition = s.input, 1
	}
	produce(t, s.broker, in...)
	r := s.run(t)
	r.finish(2)
	for _, record := range readAll(t, s.broker, s.output(), 2) {
		if record.Partition != 1 {
			t.Errorf("a record has moved to partition %d", record.Partition)
		}
		out = append(out, record)
	}
	return out, readAll(t, s.broker, s.dead(), 1)
}

// same tells that two byte strings are equal, and both or none of them null.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func TestNullIsNotEmpty(t *testing.T) {
	s, _ := newSetup(t, "nulls", 2)
	in := []*kgo.Record{
		{Key: []byte("deleted"), Value: nil},
		{Key: []byte("empty"), Value: []byte{}},
		{Key: nil, Value: []byte("no key")},
		{Key: []byte{}, Value: []byte("an empty key")},
		{Key: nil, Value: nil, Headers: []kgo.RecordHeader{{Key: "null"}, {Key: "empty", Value: []byte{}}, {Key: "", Value: []byte("no name")}}},
	}
	out, _ := outputOf(t, s, in...)
	if len(out) != len(in) {
		t.Fatalf("%d records, want %d", len(out), len(in))
	}
	for i, got := range out {
		if want := in[i]; !same(got.Key, want.Key) || !same(got.Value, want.Value) || len(got.Headers) != len(want.Headers) {
			t.Errorf("record %d: key %#v, value %#v, headers %v", i, got.Key, got.Value, got.Headers)
		}
		for j, h := range got.Headers {
			if want := in[i].Headers[j]; h.Key != want.Key || !same(h.Value, want.Value) {
				t.Errorf("record %d: header %q is %#v", i, h.Key, h.Value)
			}
		}
	}
}

// A secret is masked wherever it stands in a record, and the record stays where
// it is.
func TestEveryFieldIsMasked(t *testing.T) {
	s, _ := newSetup(t, "fields", 2)
	secret := randomSecret()
	verifier := "code_verifier=" + secret
	in := []*kgo.Record{
		{Key: []byte("client_id=shop&" + verifier), Value: []byte("clean")},
		{Key: []byte("k1"), Value: []byte(verifier)},
		{Key: []byte("k2"), Headers: []kgo.RecordHeader{{Key: "kept", Value: []byte("v")}, {Key: "Authorization", Value: []byte("Bearer " + secret)}}},
		{Key: []byte("k3"), Headers: []kgo.RecordHeader{{Key: verifier, Value: []byte("v")}}},
		{Key: []byte("k4"), Value: append([]byte{0, 1, 2, 0xff, 0xfe, byte(len(verifier))}, verifier+"\x00\x01\xff"...)},
	}
	out, _ := outputOf(t, s, in...)
	if len(out) != len(in) {
		t.Fatalf("%d records, want %d", len(out), len(in))
	}
	for i, got := range out {
		text := append(append(bytes.Clone(got.Key), '\n'), got.Value...)
		for _, h := range got.Headers {
			text = append(append(append(text, '\n'), h.Key...), h.Value...)
		}
		if bytes.Contains(text, []byte(secret)) || !bytes.Contains(text, []byte("REDACTED")) && i != 4 {
			t.Errorf("record %d is not masked: %q", i, text)
		}
	}
	if !strings.HasPrefix(string(out[0].Key), "client_id=shop&code_verifier=REDACTED.") {
		t.Errorf("key %q", out[0].Key)
	}
	if h := out[2].Headers; h[0].Key != "kept" || string(h[0].Value) != "v" || h[1].Key != "Authorization" || !strings.HasPrefix(string(h[1].Value), "Bearer REDACTED.") {
		t.Errorf("headers %q", h)
	}
	want := in[4].Value
	if got := out[4].Value; len(got) != len(want) || !bytes.Equal(got[:20], want[:20]) || !bytes.Equal(got[len(got)-3:], want[len(want)-3:]) {
		t.Errorf("a binary value: %q", got)
	}
}

func TestOversizeIsWithheld(t *testing.T) {
	s, _ := newSetup(t, "oversize", 2)
	s.limits = "max_record_bytes: 4KiB"
	secret := randomSecret()
	large := []byte("code_verifier=" + secret + strings.Repeat(" and more", 1000))
	out, dead := outputOf(t, s, &kgo.Record{Value: []byte("before")}, &kgo.Record{Key: []byte("k"), Value: large}, &kgo.Record{Value: []byte("behind")})
	if len(out) != 3 || string(out[0].Value) != "before" || string(out[2].Value) != "behind" {
		t.Fatalf("%d records, the neighbours are not as they were", len(out))
	}
	if got, want := string(out[1].Value), stubFor(s.input, 1, 1, len(large), "oversize"); got != want {
		t.Errorf("stub %s, want %s", got, want)
	}
	checkDead(t, dead, s.input, 1, "oversize", secret)
}

// checkDead wants one dead letter, which refers to a record and holds nothing of it.
func checkDead(t *testing.T, dead []*kgo.Record, topic string, offset int64, reason, secret string) {
	t.Helper()
	if len(dead) != 1 {
		t.Fatalf("%d dead letters, want 1", len(dead))
	}
	var letter struct {
		Topic  string
		Part   int   `json:"partition"`
		First  int64 `json:"first_offset"`
		Last   int64 `json:"last_offset"`
		Reason string
	}
	if err := json.Unmarshal(dead[0].Value, &letter); err != nil {
		t.Fatal(err)
	}
	if letter.Topic != topic || letter.Part != 1 || letter.First != offset || letter.Last != offset || letter.Reason != reason {
		t.Errorf("dead letter %s", dead[0].Value)
	}
	if bytes.Contains(dead[0].Value, []byte(secret)) || bytes.Contains(dead[0].Key, []byte(secret)) {
		t.Error("a dead letter holds the payload")
	}
}

// A record that the output topic does not take, masked or not, becomes a stub;
// what stands around it is delivered once and in order.
func TestTooLargeForTheOutputIsWithheld(t *testing.T) {
	s, b := newSetup(t, "toolarge", 0)
	b.CreateTopics(t, kafkatest.Topic{Name: s.input, Partitions: 2},
		kafkatest.Topic{Name: s.output(), Partitions: 2, Config: map[string]string{"max.message.bytes": "2000"}},
		kafkatest.Topic{Name: s.alerts(), Partitions: 3}, kafkatest.Topic{Name: s.dead()})
	secret := randomSecret()
	large := []byte("client_id=shop&code_verifier=" + secret + " " + randomText(3000))
	out, dead := outputOf(t, s, &kgo.Record{Value: []byte("before")}, &kgo.Record{Value: large}, &kgo.Record{Value: []byte("behind")})
	if len(out) != 3 || string(out[0].Value) != "before" || string(out[2].Value) != "behind" {
		t.Fatalf("%d records, the neighbours are not as they were", len(out))
	}
	if got := string(out[1].Value); !strings.Contains(got, `"reason":"too_large"`) || !strings.Contains(got, s.input+"/1/1") {
		t.Errorf("stub %s", got)
	}
	checkDead(t, dead, s.input, 1, "too_large", secret)
	if n := sum(ends(ask(t, s.broker), s.alerts(), 3)); n == 0 {
		t.Error("the secret of a withheld record is not alerted")
	}
}

// A compacted topic refuses records without a key; a stub must not be one.
func TestStubsGoToCompactedTopics(t *testing.T) {
	s, b := newSetup(t, "compacted", 0)
	compacted := map[string]string{"cleanup.policy": "compact"}
	b.CreateTopics(t, kafkatest.Topic{Name: s.input, Partitions: 2, Config: compacted},
		kafkatest.Topic{Name: s.output(), Partitions: 2, Config: map[string]string{"cleanup.policy": "compact", "max.message.bytes": "2000"}},
		kafkatest.Topic{Name: s.alerts(), Partitions: 3}, kafkatest.Topic{Name: s.dead()})
	s.limits = "max_record_bytes: 8KiB"
	out, dead := outputOf(t, s, &kgo.Record{Key: []byte("a"), Value: []byte("before")},
		&kgo.Record{Key: []byte(randomSecret()), Value: []byte(randomText(3000))}, // too large for the topic
		&kgo.Record{Key: []byte(randomSecret()), Value: []byte(randomText(9000))}, // for limits
		&kgo.Record{Key: []byte{}, Value: []byte("behind")})
	if len(out) != 4 || len(dead) != 2 {
		t.Fatalf("%d records and %d dead letters, want 4 and 2", len(out), len(dead))
	}
	for i, want := range []string{"a", s.input + "/1/1", s.input + "/1/2", ""} {
		if got := out[i].Key; string(got) != want || got == nil {
			t.Errorf("record %d has the key %q, want %q", i, got, want)
		}
	}
}

// randomText does not compress.
func randomText(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(randomSecret()[:7] + " ")
	}
	return b.String()
}

func TestDroppedRecordsAreLeftOut(t *testing.T) {
	s, _ := newSetup(t, "dropped", 2)
	s.more = "policies: [{kind: client_secret, action: drop_record}]\n"
	out, dead := outputOf(t, s, &kgo.Record{Value: []byte("before")},
		&kgo.Record{Value: []byte("client_id=shop&client_secret=" + randomSecret())},
		&kgo.Record{Value: []byte("code_verifier=" + randomSecret())}, &kgo.Record{Value: []byte("behind")})
	if len(out) != 3 || string(out[0].Value) != "before" || !strings.HasPrefix(string(out[1].Value), "code_verifier=REDACTED.") || string(out[2].Value) != "behind" {
		t.Errorf("%d records on the output", len(out))
	}
	if len(dead) != 0 {
		t.Errorf("%d dead letters", len(dead))
	}
}

// The codec of the output is the input's unless one is configured.
func TestOutputCodec(t *testing.T) {
	for codec, want := range map[string]uint8{"keep": 2, "zstd": 4} {
		t.Run(codec, func(t *testing.T) {
			s, _ := newSetup(t, "codec-"+codec, 2)
			s.more = "output: {kafka: {codec: " + codec + "}}\n"
			// produce writes snappy, franz-go's default.
			out, _ := outputOf(t, s, &kgo.Record{Value: []byte(strings.Repeat("a line that compresses ", 100))})
			if len(out) != 1 || out[0].Attrs.CompressionType() != want {
				t.Errorf("%d records, the first of codec %d, want %d", len(out), out[0].Attrs.CompressionType(), want)
			}
		})
	}
}
