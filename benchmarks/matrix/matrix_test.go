package matrix

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/rules"
)

// Each label must be right by itself: what it points at decodes to the value.
func TestLabelsPointAtTheValue(t *testing.T) {
	for seed := range uint64(3) {
		for _, c := range All(seed) {
			if len(c.Secrets) == 0 {
				t.Errorf("%s plants nothing", c.Name)
			}
			end := 0
			for _, s := range c.Secrets {
				if s.Start < end || s.End <= s.Start || s.End > len(c.Text) {
					t.Fatalf("%s: span [%d,%d) of %d bytes after %d", c.Name, s.Start, s.End, len(c.Text), end)
				}
				end = s.End
				written := string(c.Text[s.Start:s.End])
				if s.Kind == rules.BasicCredentials {
					checkBasic(t, c, s.Start, s.End, s.Value)
				} else if !decodesTo(written, s.Value, 4) {
					t.Errorf("%s: %q does not decode to %q", c.Name, written, s.Value)
				}
			}
		}
	}
}

func decodesTo(written, value string, depth int) bool {
	if written == value {
		return true
	}
	if depth == 0 {
		return false
	}
	if u, err := url.PathUnescape(written); err == nil && u != written && decodesTo(u, value, depth-1) {
		return true
	}
	var j string
	err := json.Unmarshal([]byte(`"`+written+`"`), &j)
	return err == nil && j != written && decodesTo(j, value, depth-1)
}

// checkBasic decodes the whole blob: what stands before the span is the user
// and its colon, and no character before the span holds a bit of the password.
func checkBasic(t *testing.T, c Case, start, end int, password string) {
	t.Helper()
	const letters = alphanumeric + "+/"
	at := start
	for at > 0 && strings.IndexByte(letters, c.Text[at-1]) >= 0 {
		at--
	}
	decoded, err := base64.StdEncoding.DecodeString(string(c.Text[at:end]))
	user, found, _ := strings.Cut(string(decoded), ":")
	if err != nil || found != password {
		t.Errorf("%s: the blob does not hold the password: %v", c.Name, err)
	}
	if bits := (start - at) * 6; bits > (len(user)+1)*8 || bits+6 <= (len(user)+1)*8 {
		t.Errorf("%s: the span starts at bit %d, the password at %d", c.Name, bits, (len(user)+1)*8)
	}
}

func TestMatrixCoversEveryKind(t *testing.T) {
	seen := map[rules.Kind]bool{}
	clients := 0
	for _, c := range All(1) {
		for _, s := range c.Secrets {
			seen[s.Kind] = true
			if s.Client != "" {
				clients++
			}
		}
	}
	for _, k := range rules.Kinds() {
		if !seen[k] {
			t.Errorf("no case of kind %s", k)
		}
	}
	if clients == 0 {
		t.Error("no case names a client")
	}
}

func TestSameSeedSameLines(t *testing.T) {
	if !reflect.DeepEqual(All(5), All(5)) || !reflect.DeepEqual(Traps(5), Traps(5)) {
		t.Error("the same seed gave other lines")
	}
	if reflect.DeepEqual(All(5), All(6)) {
		t.Error("another seed gave the same lines")
	}
}

// A line is one line, and its name tells it from every other.
func TestLinesAndNames(t *testing.T) {
	names := map[string]bool{}
	for _, c := range All(1) {
		if names[c.Name] {
			t.Errorf("%s comes twice", c.Name)
		}
		names[c.Name] = true
		if strings.ContainsAny(string(c.Text), "\n\r\x00") {
			t.Errorf("%s is more than a line", c.Name)
		}
	}
	for _, c := range Traps(1) {
		if len(c.Secrets) != 0 || strings.Contains(string(c.Text), "\n") {
			t.Errorf("trap %s plants a secret or is more than a line", c.Name)
		}
	}
}

func TestTokensHaveTheirChecksums(t *testing.T) {
	s := newSource(9)
	for range 100 {
		if v := supabase(s); len(v) < 51 || v[0] != 'A' || v[1] < 'A' || v[1] > 'P' {
			t.Fatalf("a refresh token of another shape: %d characters", len(v))
		}
		if v := dexRefresh(s); !strings.HasPrefix(v, "Chl") || len(v) != 72 {
			t.Fatalf("a refresh token of another shape: %d characters", len(v))
		}
		if v := hexVerifier(s); len(v) != 96 || v[12] != '4' {
			t.Fatal("a verifier of another shape")
		}
		if v := distinct(s); len(v) != 43 {
			t.Fatal("a verifier of another length")
		}
	}
}
