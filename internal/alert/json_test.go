package alert

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write testdata/*.golden.json anew")

// goldenKey makes the ids of the golden files, which must not change.
var goldenKey = []byte("a key for golden files, 32 bytes")

func goldenDetections() map[string]event.Detection {
	kafka := event.Detection{
		Time: epoch.Add(1234 * time.Millisecond), Kind: "code_verifier", Rule: "pkce-verifier",
		Severity: "medium", Confidence: "certain",
		Client:      event.Client{ID: "spa-bank", How: event.SameRecord, Confidence: "certain"},
		Fingerprint: "AAAAAAAAAAAAAAAAAAAAAA", KeyID: "k1",
		Where:   event.Where{Topic: "app-logs", Partition: 0, Offset: 0, Field: "value", Start: 18, End: 61},
		Service: "login", Region: "eu-west-1", Action: "mask",
	}
	kafka.ID = DetectionID(goldenKey, kafka.Where, kafka.Rule)
	file := kafka
	file.Where = event.Where{File: "/var/log/app.log", Line: 7, Start: 3, End: 90}
	file.Client = event.Client{How: event.Ambiguous, Candidates: []string{"app-a", "app-b"}}
	file.ID = DetectionID(goldenKey, file.Where, file.Rule)
	stdin := kafka
	stdin.Where = event.Where{Line: 0, Start: 0, End: 40}
	stdin.Client, stdin.Service, stdin.Region = event.Client{How: event.Unknown}, "", ""
	stdin.ID = DetectionID(goldenKey, stdin.Where, stdin.Rule)
	otlp := kafka
	otlp.Where = event.Where{
		Signal: "traces", Field: "attributes.url.query", TraceID: "0102030405060708090a0b0c0d0e0f10", SpanID: "0102030405060708", Start: 4, End: 47,
	}
	otlp.ID = "AAAAAAAAAAAAAAAAAAAAAB"
	both := otlp
	both.Where.Topic, both.Where.Partition, both.Where.Offset = "otlp_spans", 0, 12
	both.ID = PayloadID(goldenKey, both.Where, otlp.ID, 0)
	return map[string]event.Detection{"kafka": kafka, "file": file, "stdin": stdin, "otlp": otlp, "otlp-kafka": both}
}

// foldOne returns the alert of one detection.
func foldOne(t fataler, d event.Detection) Alert {
	t.Helper()
	f, err := NewFold(Config{Key: goldenKey})
	if err != nil {
		t.Fatal(err)
	}
	f.Add(0, epoch.Add(2*time.Second), d)
	return f.Changed()[0]
}

func compileSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "schema", name))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(schema *jsonschema.Schema, line []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

func TestGoldenDocuments(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{
		"detection": compileSchema(t, "detection-v1.json"), "alert": compileSchema(t, "alert-v1.json"),
	}
	for name, d := range goldenDetections() {
		for kind, line := range map[string][]byte{
			"detection": MarshalDetection(d, epoch.Add(2*time.Second)),
			"alert":     MarshalAlert(foldOne(t, d)),
		} {
			if err := validate(schemas[kind], line); err != nil {
				t.Errorf("%s %s: %v", kind, name, err)
			}
			compareGolden(t, kind+"-"+name+".golden.json", line)
		}
	}
}

func compareGolden(t *testing.T, name string, line []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, line, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

func TestSchemasRefuseAnythingMore(t *testing.T) {
	d := goldenDetections()["kafka"]
	lines := map[string][]byte{"detection": MarshalDetection(d, epoch), "alert": MarshalAlert(foldOne(t, d))}
	for kind, line := range lines {
		schema := compileSchema(t, kind+"-v1.json")
		for _, object := range []string{"", "event", "leakveil", "leakveil.client", "leakveil.where"} {
			var doc map[string]any
			if err := json.Unmarshal(line, &doc); err != nil {
				t.Fatal(err)
			}
			at := doc
			for _, name := range strings.FieldsFunc(object, func(r rune) bool { return r == '.' }) {
				at = at[name].(map[string]any)
			}
			at["original"] = "the line as it was"
			more, _ := json.Marshal(doc)
			if validate(schema, more) == nil {
				t.Errorf("%s: a member more in %q is allowed", kind, object)
			}
		}
	}
}

func TestDetectionRoundTrip(t *testing.T) {
	for name, d := range goldenDetections() {
		created := epoch.Add(3 * time.Second)
		line := MarshalDetection(d, created)
		got, at, err := UnmarshalDetection(line)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(Clean(d, created), got, cmpopts.EquateEmpty()); diff != "" || !at.Equal(created) {
			t.Errorf("%s: created %s (-want +got)\n%s", name, at, diff)
		}
		if !IsDetection(line) || IsDetection(MarshalAlert(foldOne(t, d))) || IsDetection([]byte("x")) {
			t.Errorf("%s: IsDetection tells wrongly", name)
		}
	}
}

func TestUnmarshalDetectionRefuses(t *testing.T) {
	good := string(MarshalDetection(goldenDetections()["kafka"], epoch))
	for field, change := range map[string][2]string{
		"the JSON":                {"{", "["},
		"@timestamp":              {`"@timestamp":"2026`, `"@timestamp":"x`},
		"event.created":           {`"created":"2026`, `"created":"x`},
		"event.kind":              {`"kind":"event"`, `"kind":"alert"`},
		"leakveil.schema.version": {`"schema":{"version":1}`, `"schema":{"version":2}`},
		"leakveil.detection.id":   {`"detection":{"id":"`, `"detection":{"id":"x`},
		"leakveil.kind":           {`"kind":"code_verifier"`, `"kind":""`},
		"leakveil.severity":       {`"severity":"medium"`, `"severity":"dire"`},
		"leakveil.confidence":     {`"key_id"`, `"confidence":"sure","key_id"`},
		"leakveil.where":          {`"topic":"app-logs"`, `"line":4`},
		"where":                   {`"offset":0`, `"line":0,"signal":"logs"`},
		"leakveil.action":         {`"action":"mask"`, `"action":["mask"]`},
		"service.name":            {`"service":{"name":"login"}`, `"service":{"name":["login"]}`},
	} {
		line := strings.Replace(good, change[0], change[1], 1)
		if line == good {
			t.Fatalf("%s: the test changes nothing", field)
		}
		_, _, err := UnmarshalDetection([]byte(line))
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error %v", field, err)
		}
	}
}

// hostile draws text as an attacker might log it.
func hostile(t *rapid.T, name string) string {
	return rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.Map(rapid.IntRange(200, 3000), func(n int) string { return strings.Repeat("é\x1b", n) }),
		rapid.SampledFrom([]string{"a\nb", "a\r\nb", "a\u2028b", "\u202eb", "\x00", "\"},{", "<script>", "\\", "\x7f"}),
	).Draw(t, name)
}

func TestHostileTextStaysOneValidLine(t *testing.T) {
	detections, alerts := compileSchema(t, "detection-v1.json"), compileSchema(t, "alert-v1.json")
	rapid.Check(t, func(t *rapid.T) {
		d := goldenDetections()["kafka"]
		d.Client.ID = hostile(t, "client") + "x"
		d.Client.Candidates = []string{hostile(t, "candidate") + "x", "b"}
		d.Service, d.Region = hostile(t, "service"), hostile(t, "region")
		d.Where.Topic = hostile(t, "topic") + "x"
		for schema, line := range map[*jsonschema.Schema][]byte{
			detections: MarshalDetection(d, epoch), alerts: MarshalAlert(foldOne(t, d)),
		} {
			if err := validate(schema, line); err != nil {
				t.Fatalf("%v", err)
			}
			if bytes.ContainsAny(line, "\n\r\x00\x1b\x7f\u2028\u202e") {
				t.Fatalf("a control character is in %q", line)
			}
		}
		once := Clean(d, epoch)
		if len(once.Client.ID) > maxClientID || len(once.Service) > maxText {
			t.Fatalf("client of %d bytes, service of %d", len(once.Client.ID), len(once.Service))
		}
		if diff := cmp.Diff(once, Clean(once, epoch)); diff != "" {
			t.Fatalf("cleaning twice changes more (-once +twice)\n%s", diff)
		}
		got, _, err := UnmarshalDetection(MarshalDetection(d, epoch))
		if err != nil || groupOf(got) != groupOf(once) {
			t.Fatalf("read again it is of another group: %v", err)
		}
	})
}
