package build_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/octetcounting"
	"github.com/leodido/go-syslog/v4/rfc5424"
	"github.com/prometheus/common/model"
	"github.com/santhosh-tekuri/jsonschema/v6"
	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/build"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// framesPerBatch is how many documents go to a sink at once.
const framesPerBatch = 2000

// Documents of hostile text go through every encoder as a sink sends them, and are read by
// parsers that are not ours: one frame for each, none broken, none with a byte of a secret.
// The long job does it a million times for each encoder. LEAKVEIL_FRAMES=N does it N times
// for one seed, LEAKVEIL_SEED.
func TestFrames(t *testing.T) {
	n, shards, first := framesPerBatch, 1, 20261125
	if os.Getenv("LEAKVEIL_LONG") != "" {
		n, shards = 1_000_000, 4
	}
	if wanted, err := strconv.Atoi(os.Getenv("LEAKVEIL_FRAMES")); err == nil {
		n, shards = wanted, 1
		first, _ = strconv.Atoi(os.Getenv("LEAKVEIL_SEED"))
	}
	for shard := range shards {
		seed := uint64(first + shard)
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			g := newGenerator(t, seed)
			encoders := newEncoders(t)
			done := 0
			for done < n/shards {
				items := g.items(framesPerBatch)
				for _, e := range encoders {
					frames := e.send(t, items)
					g.clean(e.name, frames)
					e.read(t, items, frames)
				}
				done += len(items)
			}
			t.Logf("%d documents by each of %d encoders", done, len(encoders))
		})
	}
}

// encoder is a sink with what it writes, and an independent reader of that.
type encoder struct {
	name string
	send func(t *testing.T, items []sink.Item) []byte
	read func(t *testing.T, items []sink.Item, frames []byte)
}

func newEncoders(t *testing.T) []encoder {
	t.Helper()
	schemas := compileSchemas(t)
	return []encoder{
		{"ECS JSON", overHTTP(t, build.Options{Type: "elasticsearch"}, bulkAnswer), func(t *testing.T, items []sink.Item, body []byte) { readBulk(t, schemas, items, body) }},
		{"HEC", overHTTP(t, build.Options{Type: "splunk_hec", HTTP: transport.HTTPOptions{Token: token(t)}}, func(http.ResponseWriter, []byte) string { return `{"code":0}` }), readHEC},
		{"OTLP", overHTTP(t, build.Options{Type: "otlp", Protocol: "http"}, func(w http.ResponseWriter, _ []byte) string {
			w.Header().Set("Content-Type", "application/x-protobuf")
			return ""
		}), readOTLP},
		{"Alertmanager", overHTTP(t, build.Options{Type: "alertmanager"}, func(http.ResponseWriter, []byte) string { return "" }), readAlertmanager},
		{"RFC 5424", overTCP(t, build.Options{Type: "syslog", Protocol: "tcp"}), readSyslog},
		{"CEF", toFile(t, "cef"), readCEF},
		{"LEEF", toFile(t, "leef"), readLEEF},
		{"OCSF", toFile(t, "ocsf"), func(t *testing.T, items []sink.Item, lines []byte) { readJSON(t, schemas["ocsf"], items, lines) }},
		{"OCSF data", toFile(t, "ocsf-data"), func(t *testing.T, items []sink.Item, lines []byte) { readJSON(t, schemas["ocsf-data"], items, lines) }},
	}
}

func token(t *testing.T) transport.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(sinktest.Secret()), 0o600); err != nil {
		t.Fatal(err)
	}
	return transport.Secret{File: path}
}

func compileSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	out := map[string]*jsonschema.Schema{}
	for name, path := range map[string]string{
		"alert": "../../../docs/schema/alert-v1.json", "skipped": "../../../docs/schema/skipped-v1.json",
		"ocsf": "../format/testdata/ocsf-1.8.0-detection_finding.json", "ocsf-data": "../format/testdata/ocsf-1.8.0-data_security_finding.json",
	} {
		schema, err := jsonschema.NewCompiler().Compile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = schema
	}
	return out
}

func made(t *testing.T, o build.Options) sink.Sink {
	t.Helper()
	s, err := build.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c, ok := s.(sink.Closer); ok {
			_ = c.Close()
		}
	})
	return s
}

func sendAll(t *testing.T, s sink.Sink, items []sink.Item) {
	t.Helper()
	for i, o := range s.Send(t.Context(), items).Outcomes {
		if o.Verdict != sink.Delivered {
			t.Fatalf("%s: %+v", items[i].Document, o)
		}
	}
}

// overHTTP gives what a sink posts to a receiver that answers as its kind does.
func overHTTP(t *testing.T, o build.Options, answer func(w http.ResponseWriter, body []byte) string) func(*testing.T, []sink.Item) []byte {
	t.Helper()
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, answer(w, body))
	}))
	t.Cleanup(server.Close)
	o.HTTP.URL = server.URL
	s := made(t, o)
	return func(t *testing.T, items []sink.Item) []byte {
		sendAll(t, s, items)
		return body
	}
}

// overTCP gives the bytes that come over a connection.
func overTCP(t *testing.T, o build.Options) func(*testing.T, []sink.Item) []byte {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var got bytes.Buffer
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			block := make([]byte, 1<<20)
			for {
				n, err := c.Read(block)
				mu.Lock()
				got.Write(block[:n])
				mu.Unlock()
				if err != nil {
					break
				}
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	o.Address = l.Addr().String()
	s := made(t, o)
	return func(t *testing.T, items []sink.Item) []byte {
		sendAll(t, s, items)
		mu.Lock()
		defer mu.Unlock()
		out := bytes.Clone(got.Bytes())
		got.Reset()
		return out
	}
}

// toFile gives the lines that are added to a file.
func toFile(t *testing.T, format string) func(*testing.T, []sink.Item) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lines")
	s := made(t, build.Options{Type: "file", Path: path, MaxBytes: 64 << 20, Keep: 1, Format: format})
	return func(t *testing.T, items []sink.Item) []byte {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		_ = s.(sink.Closer).Close()
		s = made(t, build.Options{Type: "file", Path: path, MaxBytes: 64 << 20, Keep: 1, Format: format})
		sendAll(t, s, items)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}

func bulkAnswer(_ http.ResponseWriter, body []byte) string {
	one := `{"create":{"status":201}}`
	return `{"items":[` + strings.TrimSuffix(strings.Repeat(one+",", bytes.Count(body, []byte("\n"))/2), ",") + `]}`
}

func split(t *testing.T, lines []byte, want int) [][]byte {
	t.Helper()
	all := bytes.Split(bytes.TrimSuffix(lines, []byte("\n")), []byte("\n"))
	if len(all) != want {
		t.Fatalf("%d lines, not %d", len(all), want)
	}
	return all
}

func readJSON(t *testing.T, schema *jsonschema.Schema, items []sink.Item, lines []byte) {
	t.Helper()
	for i, line := range split(t, lines, len(items)) {
		event, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err == nil {
			err = schema.Validate(event)
		}
		if err != nil || !utf8.Valid(line) {
			t.Fatalf("%v\n%s\nof %s", err, line, items[i].Document)
		}
	}
}

func readBulk(t *testing.T, schemas map[string]*jsonschema.Schema, items []sink.Item, body []byte) {
	t.Helper()
	lines := split(t, body, 2*len(items))
	for i := range items {
		var action map[string]map[string]string
		if err := json.Unmarshal(lines[2*i], &action); err != nil || len(action) != 1 || action["create"]["_id"] != items[i].ID {
			t.Fatalf("%v: %s", err, lines[2*i])
		}
		schema := schemas["alert"]
		if i == len(items)-1 {
			schema = schemas["skipped"]
		}
		readJSON(t, schema, items[i:i+1], lines[2*i+1])
	}
}

func readHEC(t *testing.T, items []sink.Item, body []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	for i := range items {
		var e struct {
			Time  json.Number
			Event struct {
				ID       string
				Document json.RawMessage
			}
		}
		if err := d.Decode(&e); err != nil || e.Event.ID != items[i].ID {
			t.Fatalf("%v: %q, not %q", err, e.Event.ID, items[i].ID)
		}
	}
	if d.More() || !utf8.Valid(body) {
		t.Fatal("more events than documents")
	}
}

func readOTLP(t *testing.T, items []sink.Item, body []byte) {
	t.Helper()
	var r collectorlogs.ExportLogsServiceRequest
	if err := proto.Unmarshal(body, &r); err != nil { // text that is no UTF-8 is an error
		t.Fatal(err)
	}
	i := 0
	for _, resource := range r.ResourceLogs {
		for _, scope := range resource.ScopeLogs {
			for _, record := range scope.LogRecords {
				uid := ""
				for _, a := range record.Attributes {
					if a.Key == "log.record.uid" {
						uid = a.Value.GetStringValue()
					}
				}
				if i >= len(items) || uid != items[i].ID || record.Body.GetStringValue() == "" {
					t.Fatalf("record %d is %q", i, uid)
				}
				i++
			}
		}
	}
	if i != len(items) {
		t.Fatalf("%d records of %d", i, len(items))
	}
}

func readAlertmanager(t *testing.T, items []sink.Item, body []byte) {
	t.Helper()
	var alerts []model.Alert
	if err := json.Unmarshal(body, &alerts); err != nil || len(alerts) != len(items) {
		t.Fatalf("%d of %d: %v", len(alerts), len(items), err)
	}
	for i := range alerts {
		if err := alerts[i].Validate(); err != nil || !strings.HasPrefix(items[i].ID, string(alerts[i].Labels["alert_id"])) {
			t.Fatalf("%v: %v", err, alerts[i].Labels)
		}
	}
}

func readSyslog(t *testing.T, items []sink.Item, frames []byte) {
	t.Helper()
	i := 0
	octetcounting.NewParser(syslog.WithMaxMessageLength(1<<20), syslog.WithListener(func(r *syslog.Result) {
		if r.Error != nil || i >= len(items) {
			t.Fatalf("frame %d: %v", i, r.Error)
		}
		m := r.Message.(*rfc5424.SyslogMessage)
		data := map[string]string{}
		if m.StructuredData != nil { // what is no alert has none
			data = (*m.StructuredData)["leakveil@32473"]
		}
		if *m.Message != string(items[i].Document) || !strings.HasPrefix(items[i].ID, data["alertId"]) {
			t.Fatalf("frame %d: %q", i, data)
		}
		i++
	})).Parse(bytes.NewReader(frames))
	if i != len(items) {
		t.Fatalf("%d frames of %d", i, len(items))
	}
}

// readCEF is liblognorm.
func readCEF(t *testing.T, items []sink.Item, lines []byte) {
	t.Helper()
	split(t, lines, len(items))
	got := backend.Lognormalize(t, lines)
	if len(got) != len(items) {
		t.Fatalf("%d events of %d", len(got), len(items))
	}
	for i := range got {
		f, ok := got[i]["f"].(map[string]any)
		if !ok || f["DeviceVendor"] != "leakveil" {
			t.Fatalf("%v\nof %s", got[i], items[i].Document)
		}
		r, err := field.Parse(items[i].Document)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.TrimSpace(field.Cut(r.Text("leakveil.client.id"), 1023))
		if extensions := f["Extensions"].(map[string]any); want != "" && extensions["cs1"] != want {
			t.Fatalf("%q, not %q", extensions["cs1"], want)
		}
	}
}

// readLEEF is Tenzir.
func readLEEF(t *testing.T, items []sink.Item, lines []byte) {
	t.Helper()
	split(t, lines, len(items))
	got := backend.RunTenzir(t, "from_stdin { read_lines }\nx = line.parse_leef()\nselect v=x.vendor, s=x.attributes.sev, l=line.length_bytes()", lines)
	if len(got) != len(items) {
		t.Fatalf("%d events of %d", len(got), len(items))
	}
	for i := range got {
		if got[i]["v"] != "leakveil" || got[i]["s"] == nil {
			t.Fatalf("%v\nof %s", got[i], items[i].Document)
		}
	}
}
