package format_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
)

func lines(t *testing.T, name string, items []sink.Item) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, item := range items {
		b.Write(append(render(t, name, item), '\n'))
	}
	return b.Bytes()
}

// client returns what the table gives CEF and LEEF for the client.
func client(t *testing.T, item sink.Item) string {
	t.Helper()
	return strings.TrimSpace(record(t, item).Text("leakveil.client.id"))
}

// Two programs that know nothing of leakveil read CEF.
func TestCEFByOthers(t *testing.T) {
	items := sinktest.Hostile(t)
	t.Run("liblognorm", func(t *testing.T) {
		for i, got := range backend.Lognormalize(t, lines(t, "cef", items)) {
			f, ok := got["f"].(map[string]any)
			if !ok {
				t.Fatalf("%d is not read: %v", i, got)
			}
			extensions := f["Extensions"].(map[string]any)
			if want := client(t, items[i]); want != "" && extensions["cs1"] != want {
				t.Errorf("%d: %q, not %q", i, extensions["cs1"], want)
			}
		}
	})
	t.Run("tenzir", func(t *testing.T) {
		// Tenzir 6.20 takes a pipe in the extension for one of the header, where the
		// format allows it as it is: those lines are for liblognorm alone.
		items := slices.DeleteFunc(slices.Clone(items), func(item sink.Item) bool { return bytes.Count(render(t, "cef", item), []byte("|")) != 7 })
		got := backend.RunTenzir(t, "from_stdin { read_lines }\nx = line.parse_cef()", lines(t, "cef", items))
		if len(got) != len(items) {
			t.Fatalf("%d events of %d", len(got), len(items))
		}
		for i := range got {
			cef, ok := got[i]["x"].(map[string]any)
			if !ok || cef["device_vendor"] != "leakveil" || cef["extension"].(map[string]any)["rt"] == nil {
				t.Errorf("%d is not read: %v", i, got[i])
			}
		}
	})
}

func TestLEEFByTenzir(t *testing.T) {
	items := sinktest.Hostile(t)
	got := backend.RunTenzir(t, "from_stdin { read_lines }\nx = line.parse_leef()", lines(t, "leef", items))
	if len(got) != len(items) {
		t.Fatalf("%d events of %d", len(got), len(items))
	}
	for i := range got {
		leef, ok := got[i]["x"].(map[string]any)
		if !ok || leef["vendor"] != "leakveil" {
			t.Fatalf("%d is not read: %v", i, got[i])
		}
		attributes := leef["attributes"].(map[string]any)
		if want := client(t, items[i]); want == "spa-bank" && attributes["oauthClientId"] != want || attributes["sev"] == nil {
			t.Errorf("%d: %v", i, attributes)
		}
	}
}
