package detect

import (
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// A value of a known shape is found whatever stands around it, and nowhere in
// longer words; its bounds are exactly its own.
func TestShapesInTheirSurroundings(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, shape := range shapeCases {
		for _, text := range []string{
			"V", "seen V here", "seen V.", "seen 'V', then", "<V>", "[V]", "x=%3DV%26", "x=%253DV%2526", `{"a":"b\nV"}`, `\u003dV`,
			"a&amp;V&amp;", "é V é", "\x00V\xff", strings.Repeat(".", 300) + " V", strings.Repeat("a", 70) + "/V?", "V\r",
			strings.Repeat("padding ", 40) + "V " + strings.Repeat("x", 64),
		} {
			value := shape.make[0]()
			text = strings.Replace(text, "V", value, 1)
			found := scanText(t, s, text)
			if len(found) != 1 || text[found[0].Start:found[0].End] != value {
				t.Errorf("%s in %q: found %v", shape.name, text, found)
			}
		}
		for _, text := range []string{"aV", "Va", "V.V", "VV", "state=V", `"nonce":"V"`, "V-V", strings.Repeat(".", 51), strings.Repeat("-", 200)} {
			text = strings.ReplaceAll(text, "V", shape.make[0]())
			if found := scanText(t, s, text); len(found) != 0 {
				t.Errorf("%s in %q: found %v", shape.name, text, found)
			}
		}
	}
}

// Every shape that rules may name has a function, and none is shorter than what
// is looked at.
func TestShapesHaveFunctions(t *testing.T) {
	for _, name := range rules.ShapeNames {
		if shapes[name].fits == nil || shapes[name].confidence == "" {
			t.Errorf("shape %q has no function or confidence", name)
		}
	}
	if len(shapes) != len(rules.ShapeNames) {
		t.Errorf("%d functions for %d names", len(shapes), len(rules.ShapeNames))
	}
	for _, shape := range shapeCases {
		for _, build := range shape.make {
			if v := build(); len(v) < leastShape {
				t.Errorf("%s: %d bytes, less than %d", shape.name, len(v), leastShape)
			}
		}
	}
}
