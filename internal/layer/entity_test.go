package layer_test

import (
	"fmt"
	"testing"

	"github.com/leakveil/leakveil/internal/layer"
)

func TestEntity(t *testing.T) {
	for c := 1; c < 0x80; c++ {
		for _, format := range []string{"&#%d;", "&#x%x;", "&#x%X;", "&#X%02X;", "&#%04d;", "&#x%04X;"} {
			text := fmt.Sprintf(format, c)
			if got, n := layer.Entity([]byte(text + "x")); int(got) != c || n != len(text) {
				t.Errorf("%s: %d, %d bytes", text, got, n)
			}
			if got := string(layer.Form{Entity: true}.Decode(nil, []byte("a"+text+"b"))); got != "a"+string(rune(c))+"b" {
				t.Errorf("%s: decoded to %q", text, got)
			}
		}
	}
	for _, text := range []string{"", "&", "&#", "&#;", "&#x;", "&#0;", "&#61", "&#6a;", "&#x3G;", "&#233;", "&amp;", "&#999999999999;", "&#0000000000000061;"} {
		if _, n := layer.Entity([]byte(text)); n != 0 {
			t.Errorf("%q: %d bytes", text, n)
		}
		if got := string(layer.Form{Entity: true}.Decode(nil, []byte(text))); got != text {
			t.Errorf("%q: decoded to %q", text, got)
		}
	}
}
