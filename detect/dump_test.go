package detect

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/internal/layer"
)

// shownChars is what dumps show bytes as.
func shownChars(b []byte) string {
	out := []byte(nil)
	for _, c := range b {
		if c < ' ' || c >= 0x7f {
			c = '.'
		}
		out = append(out, c)
	}
	return string(out)
}

// pairsOf writes bytes in hexadecimal, a blank behind every size bytes.
func pairsOf(b []byte, size int) string {
	var out []string
	for len(b) > 0 {
		n := min(size, len(b))
		out = append(out, hex.EncodeToString(b[:n]))
		b = b[n:]
	}
	return strings.Join(out, " ")
}

// dumpRows are the ways in which tools write a row of at most 16 bytes.
var dumpRows = map[string]func(at int, b []byte) string{
	"curl": func(at int, b []byte) string { return fmt.Sprintf("%04x: %-48s%s", at, pairsOf(b, 1), shownChars(b)) },
	"xxd":  func(at int, b []byte) string { return fmt.Sprintf("%08x: %-39s  %s", at, pairsOf(b, 2), shownChars(b)) },
	"tcpdump": func(at int, b []byte) string {
		return fmt.Sprintf("\t0x%04x:  %-39s  %s", at, pairsOf(b, 2), shownChars(b))
	},
	"netty": func(at int, b []byte) string {
		return fmt.Sprintf("|%08x| %-48s|%-16s|", at, pairsOf(b, 1), shownChars(b))
	},
	"no chars": func(at int, b []byte) string { return fmt.Sprintf("%08x: %s", at, pairsOf(b, 1)) },
	"wireshark": func(at int, b []byte) string {
		return fmt.Sprintf("%04x   %-47s   %s", at, pairsOf(b, 1), shownChars(b))
	},
	"logger": func(at int, b []byte) string {
		return fmt.Sprintf("2026-11-20 08:15:%02d,%03d DEBUG [io-%d] o.a.wire - %08x: %-47s  %s", at/16%60, at%1000, at%7, at, pairsOf(b, 1), shownChars(b))
	},
	"logger, bars": func(at int, b []byte) string {
		return fmt.Sprintf("{%d} i.n.LoggingHandler: |%08x| %-48s|%-16s|", at, at, pairsOf(b, 1), shownChars(b))
	},
	"hexdump -C": func(at int, b []byte) string {
		half := min(8, len(b))
		return fmt.Sprintf("%08x  %-23s  %-23s  |%s|", at, pairsOf(b[:half], 1), pairsOf(b[half:], 1), shownChars(b))
	},
}

func dumped(row func(int, []byte) string, b []byte) string {
	var out []string
	for at := 0; at < len(b); at += 16 {
		out = append(out, row(at, b[at:min(len(b), at+16)]))
	}
	return strings.Join(out, "\n")
}

// dumpBodies are what is dumped.
var dumpBodies = []string{
	"grant_type=authorization_code&code=<CODE>&code_verifier=<VERIFIER>&client_secret=<SECRET>",
	"HTTP/1.1 302 Found\r\nLocation: https://x/cb?code=<CODE>&state={b64u22}\r\nSet-Cookie: sid=<AT>; Path=/\r\n\r\n",
	"{\"access_token\":\"<AT>\",\"id_token\":\"<JWT>\"}",
	"GET / HTTP/1.1\r\nAuthorization: Bearer <AT>\r\nX: \x00\x01\xff\r\n",
	"refresh_token=<HEX>&scope=openid&client_secret=<HEX>",
	"GET / HTTP/1.1\r\nIf-None-Match: {b64u43}\r\nX-Request-Id: {uuid}\r\n",
}

// filledDump masks the findings of a text as redaction does.
func filledDump(text string, found []Finding) string {
	out, last := []byte(nil), 0
	for _, f := range found {
		out = append(out, text[last:f.Start]...)
		out = layer.AppendFill(out, []byte(text[f.Start:f.End]), f.Form.Fill)
		last = f.End
	}
	return string(append(out, text[last:]...))
}

// In dumps secrets are masked in both columns, byte for byte and nothing else, and the
// dump is one of the masked bytes.
func TestDumpsInHexadecimal(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for name, row := range dumpRows {
		for _, body := range dumpBodies {
			for lead := range 17 {
				body, want := filled(rand.New(rand.NewPCG(rand.Uint64(), 1)), strings.Repeat("z", lead)+" "+body)
				masked := body
				for _, v := range want {
					masked = strings.Replace(masked, v, strings.Repeat("*", len(v)), 1)
				}
				text := "before\n" + dumped(row, []byte(body)) + "\nafter\n"
				found := scanText(t, s, text)
				if got, want := filledDump(text, found), "before\n"+dumped(row, []byte(masked))+"\nafter\n"; got != want {
					t.Fatalf("%s: got\n%s\nwant\n%s", name, got, want)
				}
				whole := 0
				for _, f := range found {
					if f.Part {
						continue
					}
					if v := string(f.Value(nil, []byte(text))); v != want[whole] {
						t.Fatalf("%s: value %q, want %q", name, v, want[whole])
					}
					whole++
				}
				if whole != len(want) {
					t.Fatalf("%s: %d findings, want %d", name, whole, len(want))
				}
			}
		}
	}
}

// What is no dump is text like any other.
func TestNoDumps(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range []string{
		"0000: access_token=V",
		"0000  access_token=V",
		"0000: 61 63 access_token=V",
		"at +0000: access_token=V",
		"|00000000| access_token=V",
	} {
		v := random(base64url[:62], 40) + "7"
		if got := missed(t, s, strings.ReplaceAll(text, "V", v), []string{v}); got != "" {
			t.Errorf("%s: found %s", text, got)
		}
	}
	for _, line := range []string{"", "0000", "0000: ", "0000: 6", "0000: 61 62 63 xyz", "2026-11-20 08:15:02 61 62", "0000: zz", "|0000", "00000000000: 61  a", "0000: 61 62 a"} {
		if IsDumpRow([]byte(line)) {
			t.Errorf("%q is taken for a row of a dump", line)
		}
	}
}

func FuzzDumpRow(f *testing.F) {
	for _, row := range dumpRows {
		f.Add([]byte(row(16, []byte("code=abcdefghijk"))))
		f.Add([]byte(row(0, []byte("co"))))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var r dumpRow
		if !r.read(line) {
			return
		}
		for i := range r.n {
			if b, err := hex.DecodeString(string(line[r.at[i] : r.at[i]+2])); err != nil || b[0] != r.bytes[i] {
				t.Fatalf("byte %d of %q", i, line)
			}
		}
		if r.n == 0 || r.chars > 0 && (r.chars <= r.at[r.n-1]+1 || r.chars+r.n > len(line)) {
			t.Fatalf("%d bytes, characters at %d of %q", r.n, r.chars, line)
		}
	})
}
