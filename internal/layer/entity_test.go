package layer_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/layer"
)

// Inflating stops at the bounds, and at the end of cut data.
func TestInflate(t *testing.T) {
	pack := func(text []byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write(text)
		_ = w.Close()
		return out.Bytes()
	}
	text := []byte(strings.Repeat("one two three ", 20))
	data := pack(text)
	if got, all := layer.Inflate([]byte("x"), data); !all || string(got) != "x"+string(text) {
		t.Errorf("%q, %v", got, all)
	}
	for cut := range data {
		if got, all := layer.Inflate(nil, data[:cut]); !all || !bytes.HasPrefix(text, got) {
			t.Errorf("cut to %d: %q, %v", cut, got, all)
		}
	}
	bomb := pack(make([]byte, 16<<20))
	if got, all := layer.Inflate(nil, bomb); all || len(got) > 33*len(bomb)+1<<10 {
		t.Errorf("%d bytes of %d, %v", len(got), len(bomb), all)
	}
}

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
