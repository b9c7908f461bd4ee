package format_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/format"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
)

func render(t testing.TB, name string, item sink.Item) []byte {
	t.Helper()
	f, err := format.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	line, err := f(item)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func record(t testing.TB, item sink.Item) field.Record {
	t.Helper()
	r, err := field.Parse(item.Document)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// parseCEF reads a line by the rules of the format and by nothing of the
// renderer: it fails on every character that is not escaped as it must be.
func parseCEF(line string) (header []string, extension map[string]string, err error) {
	rest, ok := strings.CutPrefix(line, "CEF:0|")
	if !ok || strings.ContainsAny(line, "\r\n") {
		return nil, nil, fmt.Errorf("no CEF line")
	}
	for len(header) < 6 {
		part, after, err := untilPipe(rest)
		if err != nil {
			return nil, nil, err
		}
		header, rest = append(header, part), after
	}
	extension = map[string]string{}
	key, value := "", ""
	for _, word := range strings.Split(rest, " ") { // a blank begins a pair if an unescaped = follows in the word
		at := unescaped(word, '=')
		if at < 0 {
			value += " " + word
			continue
		}
		if err := keep(extension, key, value); err != nil {
			return nil, nil, err
		}
		key, value = word[:at], word[at+1:]
	}
	return header, extension, keep(extension, key, value)
}

func keep(extension map[string]string, key, value string) error {
	if key == "" {
		return nil
	}
	if _, twice := extension[key]; twice {
		return fmt.Errorf("key %q twice", key)
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '=':
			return fmt.Errorf("= in the value of %s", key)
		case c != '\\':
			b.WriteByte(c)
		default:
			i++
			if i == len(value) {
				return fmt.Errorf("a backslash ends the value of %s", key)
			}
			switch value[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case '\\', '=':
				b.WriteByte(value[i])
			default:
				return fmt.Errorf("escape of %q in %s", value[i], key)
			}
		}
	}
	extension[key] = b.String()
	return nil
}

func untilPipe(s string) (part, rest string, err error) {
	at := unescaped(s, '|')
	if at < 0 {
		return "", "", fmt.Errorf("the header is short")
	}
	return strings.NewReplacer(`\\`, `\`, `\|`, `|`).Replace(s[:at]), s[at+1:], nil
}

// unescaped returns where the first c is that no backslash escapes, or -1.
func unescaped(s string, c byte) int {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == c {
			return i
		}
	}
	return -1
}

func checkCEF(t testing.TB, item sink.Item) {
	t.Helper()
	line := string(render(t, "cef", item))
	header, extension, err := parseCEF(line)
	if err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	r := record(t, item)
	if header[0] != "leakveil" || header[4] != r.Title() || header[5] != strconv.FormatInt(r.Int("event.severity")/10, 10) || !utf8.ValidString(line) {
		t.Fatalf("%q", header)
	}
	for _, f := range field.Fields() {
		if f.CEF == "" {
			continue
		}
		want := strings.TrimSpace(field.Cut(r.Text(f.Path), 1023))
		if f.Type == field.Date && want != "" {
			want = strconv.FormatInt(r.Time(f.Path).UnixMilli(), 10)
		}
		if extension[f.CEF] != want || want != "" && extension[f.CEF+"Label"] != f.Label {
			t.Fatalf("%s: %q, not %q, in %s", f.CEF, extension[f.CEF], want, line)
		}
		delete(extension, f.CEF)
		delete(extension, f.CEF+"Label")
	}
	if len(extension) != 0 {
		t.Fatalf("more than was put in: %v", extension)
	}
}

func TestCEF(t *testing.T) {
	for _, item := range sinktest.Hostile(t) {
		checkCEF(t, item)
	}
}

func checkLEEF(t testing.TB, item sink.Item) {
	t.Helper()
	line := string(render(t, "leef", item))
	parts := strings.SplitN(line, "|", 7)
	if len(parts) != 7 || parts[0] != "LEEF:2.0" || parts[5] != "x09" || strings.ContainsAny(line, "\r\n") || !utf8.ValidString(line) {
		t.Fatal(line)
	}
	r := record(t, item)
	got := map[string]string{}
	for _, pair := range strings.Split(parts[6], "\t") {
		name, value, ok := strings.Cut(pair, "=")
		if _, twice := got[name]; !ok || twice {
			t.Fatalf("%q in %s", pair, line)
		}
		got[name] = value
	}
	for _, f := range field.Fields() {
		want := strings.TrimSpace(strings.NewReplacer("\t", " ", "\r", " ", "\n", " ").Replace(field.Cut(r.Text(f.Path), 1023)))
		if f.LEEF != "" && got[f.LEEF] != want {
			t.Fatalf("%s: %q, not %q", f.LEEF, got[f.LEEF], want)
		}
		delete(got, f.LEEF)
	}
	severity, err := strconv.Atoi(got["sev"])
	if err != nil || severity < 1 || severity > 10 || len(got) != 2 {
		t.Fatal(got)
	}
}

func TestLEEF(t *testing.T) {
	for _, item := range sinktest.Hostile(t) {
		checkLEEF(t, item)
	}
}

var classes = map[string]string{"ocsf": "detection_finding", "ocsf-data": "data_security_finding"}

func compile(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("testdata/ocsf-1.8.0-" + classes[name] + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(schema *jsonschema.Schema, line []byte) error {
	event, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		return err
	}
	return schema.Validate(event)
}

func TestOCSFByItsSchema(t *testing.T) {
	for name := range classes {
		schema := compile(t, name)
		for _, item := range sinktest.Hostile(t) {
			line := render(t, name, item)
			if err := validate(schema, line); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, line)
			}
			var event map[string]any
			if err := json.Unmarshal(line, &event); err != nil {
				t.Fatal(err)
			}
			if event["type_uid"] != event["class_uid"].(float64)*100+event["activity_id"].(float64) || event["time"].(float64) < 1e12 {
				t.Fatalf("%s", line)
			}
		}
		for from, to := range map[string]string{`"category_uid":2,`: ``, `"severity_id":3`: `"severity_id":"x"`, `"status_id":1`: `"status_id":77`, `"count":1`: `"counted":1`} {
			line := bytes.Replace(render(t, name, sinktest.Items(t, 1)[0]), []byte(from), []byte(to), 1)
			if validate(schema, line) == nil { // the schema does look
				t.Errorf("%s: the schema takes %s for %s", name, to, from)
			}
		}
	}
}

func TestOCSFSaysWhatHappened(t *testing.T) {
	d := sinktest.Detection("spa-bank", 1)
	var event struct {
		Activity    int `json:"activity_id"`
		Disposition int `json:"disposition_id"`
		Confidence  int `json:"confidence_id"`
		Resources   []struct{ UID, Type string }
		Unmapped    struct {
			Leakveil map[string]any
		}
	}
	if err := json.Unmarshal(render(t, "ocsf", sinktest.Fold(t, d)[0]), &event); err != nil {
		t.Fatal(err)
	}
	if event.Activity != 1 || event.Disposition != 11 || event.Confidence != 3 || event.Resources[0].UID != "spa-bank" ||
		event.Resources[0].Type != "OAuth client" || event.Unmapped.Leakveil["kind"] != "code_verifier" {
		t.Errorf("%+v", event)
	}
	d.Action = "report"
	second := d
	second.Where.Offset = 99
	if err := json.Unmarshal(render(t, "ocsf", sinktest.Fold(t, d, second)[0]), &event); err != nil {
		t.Fatal(err)
	}
	if event.Activity != 2 || event.Disposition != 15 {
		t.Errorf("%+v", event)
	}
}

func TestTheSameDocumentHasTheSameBytes(t *testing.T) {
	for _, name := range []string{"json", "cef", "leef", "ocsf", "ocsf-data"} {
		for _, item := range sinktest.Hostile(t) {
			if !bytes.Equal(render(t, name, item), render(t, name, item)) {
				t.Error(name)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, name := range []string{"json", "cef", "leef", "ocsf", "ocsf-data"} {
		f, _ := format.ByName(name)
		if _, err := f(sink.Item{Document: []byte(`{"a":1}`)}); err == nil {
			t.Error(name)
		}
	}
	if _, err := format.ByName("x"); err == nil {
		t.Error("x is a format")
	}
}

// Whatever a client is called, every format is read back whole.
func FuzzFormats(f *testing.F) {
	for _, client := range sinktest.HostileClients {
		f.Add(client, client)
	}
	schemas := map[string]*jsonschema.Schema{"ocsf": compile(f, "ocsf"), "ocsf-data": compile(f, "ocsf-data")}
	f.Fuzz(func(t *testing.T, client, service string) {
		d := sinktest.Detection(client, 1)
		d.Service, d.Region, d.Where.Topic = service, client, "t"+service
		item := sinktest.Fold(t, d)[0]
		checkCEF(t, item)
		checkLEEF(t, item)
		for name, schema := range schemas {
			if err := validate(schema, render(t, name, item)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
