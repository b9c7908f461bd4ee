package detect

import (
	"strings"
	"testing"
	"time"
)

// wrapAt breaks text into lines of a width.
func wrapAt(text string, width int) string {
	var out []string
	for len(text) > width {
		out, text = append(out, text[:width]), text[width:]
	}
	return strings.Join(append(out, text), "\n")
}

// verifier is a random value whose parts do not read like words.
func verifier(parts ...int) (out []string) {
	for _, n := range parts {
		out = append(out, beginning(n))
	}
	return out
}

// wraps are ways of writing a value over lines, with the bytes of the value.
func wraps() map[string][2]string {
	two := verifier(24, 24)
	long := verifier(70, 70, 70, 30)
	v := strings.Join(two, "")
	all := strings.Join(long, "")
	mixed := all[:30] + "7aB" + all[30:70]
	jwt := "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9." + beginning(60) + "." + beginning(80)
	return map[string][2]string{
		"width 80":        {wrapAt(strings.Repeat("word ", 8)+"access_token="+all, 80) + "\n2026-01-01 12:00:01 INFO started", all},
		"rows alike":      {wrapAt(strings.Repeat("word ", 8)+"access_token="+all, 67) + "\nINFO started", all},
		"blank behind":    {wrapAt(strings.Repeat("word ", 8)+"access_token="+mixed, 80) + " grant_type=x ok\nstarted", mixed},
		"request line":    {wrapAt(strings.Repeat("word ", 8)+"access_token="+mixed, 80) + " HTTP/1.1\" 200\nstarted", mixed},
		"CRLF":            {strings.ReplaceAll(wrapAt("access_token="+all, 72)+"\nINFO started", "\n", "\r\n"), all},
		"soft breaks":     {"code_verifier=3D" + two[0] + "=\n" + two[1] + " and more", v},
		"folded header":   {"Authorization: Bearer " + long[0] + "\n " + long[1] + "\nAccept: x", long[0] + long[1]},
		"backslash":       {"curl -d code_verifier=" + two[0] + "\\\n" + two[1], v},
		"open quote":      {"{\n  \"access_token\": \"" + two[0] + "\n    " + two[1] + "\"\n}", v},
		"plus":            {"access_token: \"" + two[0] + "\" +\n  \"" + two[1] + "\",", v},
		"strings":         {"{'access_token': '" + two[0] + "'\n  '" + two[1] + "'}", v},
		"rows in colours": {"\x1b[32m'access_token'\x1b[0m: \x1b[32m'" + long[0] + "\x1b[0m  \x1b[2m    \x1b[0m\n\x1b[2;36m   \x1b[0m \x1b[32m" + long[1] + "\x1b[0m \x1b[2m  \x1b[0m\n\x1b[2;36m   \x1b[0m \x1b[32m" + long[3] + "'\x1b[0m, \x1b[32m'x'\x1b[0m: 1\n", long[0] + long[1] + long[3]},
		"hanging":         {"  url = 'http://ab/?access_token=" + all[:35] + "\n         " + all[35:95] + "\n         " + all[95:130] + "'\n", all[:130]},
		"JWT":             {"token " + jwt[:50] + "\n" + jwt[50:] + "\nINFO started", jwt},
		"JWT at one part": {"access_token=" + jwt[:37] + "\n" + jwt[37:] + "\nINFO started", jwt},
	}
}

func TestWrappedValues(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for range 10 {
		for name, w := range wraps() {
			text := w[0]
			checkWrapped(t, name+" in lines", text, w[1], scanText(t, s, text))
			var b Batch
			b.Reset()
			b.AddText(0, []byte(text))
			found, _, err := s.Scan(&b)
			if err != nil {
				t.Fatal(err)
			}
			checkWrapped(t, name+" in a record", text, w[1], found)
		}
	}
}

func checkWrapped(t *testing.T, name, text, value string, found []Finding) {
	t.Helper()
	var got strings.Builder
	for i, f := range found {
		got.WriteString(text[f.Start:f.End])
		if f.Part != (i > 0) || f.Truncated || i == 0 && f.Lines != len(found)-1 {
			t.Errorf("%s: finding %d: part %v, lines %d, truncated %v", name, i, f.Part, f.Lines, f.Truncated)
		}
	}
	if got.String() != value {
		t.Errorf("%s: found %q in %q", name, got.String(), text)
	}
}

// What follows a line that ends in a value is mostly a line of its own.
func TestNextLineIsItsOwn(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, next := range []string{
		"INFO started", "2026-11-25T07:52:17.123Z INFO started", "127.0.0.1 - - [x]", "    at com.example.Foo.bar(Foo.java:12)",
		"web-7f9c6d5b4-x2x9z started", "d41d8cd98f00b204e9800998ecf8427e  file", "550e8400-e29b-41d4-a716-446655440000,1",
		"{\"level\":\"info\"}", "\tGET /x", "0123456789", "", "REDACTED.access_token.k1.0123456789012345678901",
		"  scope: openid", "0ujtsYcgvSTl8PAuAdqWYSMnLOv GET /", "V1StGXR8_Z5jdHi6B-myT GET /", "x-request-id: 5f1d7a84bc2e4e0c", "}", "\"next\": 1", "'scope': 'openid'",
	} {
		for _, pad := range []int{0, 20, 67 - 43} {
			for _, tail := range []string{"", "\\ ", "\"", "=", "\","} {
				text := strings.Repeat("x", pad) + " code_verifier=" + beginning(43) + tail + "\n" + next
				if found := scanText(t, s, text); len(found) != 1 {
					t.Errorf("%q: %d findings", text, len(found))
				}
			}
		}
	}
}

// No id, digest or pair on a line of its own is the rest of the value before it,
// whatever width that line has, whatever sign stands at its end.
func TestIDsOnTheNextLine(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	mixed := func(n int) string { return "aB3" + beginning(n-3) }
	ids := map[string]func() string{
		"digest": func() string { return random("0123456789abcdef", 64) }, "commit": func() string { return random("0123456789abcdef", 40) },
		"trace": func() string { return random("0123456789abcdef", 32) }, "UUID": func() string { return fill("{U}") }, "ULID": func() string { return strings.ToUpper(fillAll("{L}")) },
		"pod": func() string { return "nextline_" + mixed(20) }, "integrity": func() string { return "sha512-" + mixed(40) }, "pair": func() string { return mixed(9) + "=" + mixed(20) },
		"id and text": func() string { return mixed(30) + " started ok" }, "container": func() string { return random("0123456789abcdefghijklmnopqrstuvwxyz", 25) + " up" },
		"indented": func() string { return "  " + random("0123456789abcdef", 64) }, "class": func() string { return "com.example." + mixed(20) },
	}
	values := map[string]string{"token": "access_token=%", "header": "Authorization: Bearer %", "quote": "say \" stray access_token=%", "URL": "GET \"http://a/?access_token=%", "shell": "KEY=x access_token=%\\"}
	for name, id := range ids {
		for kind, form := range values {
			for _, width := range []int{0, 64, 76, 80, 93, 100, 120} {
				first := strings.Replace(form, "%", mixed(40), 1)
				if pad := width - len(first) - 1; pad > 0 && kind != "header" {
					first = strings.Repeat("x", pad) + " " + first
				}
				text := first + "\n" + id() + "\nend"
				if found := scanText(t, s, text); len(found) != 1 || found[0].Lines != 0 {
					t.Errorf("%s behind %s, width %d: %q: %s", name, kind, width, text, shown(text, found))
				}
			}
		}
		text := "code_verifier=" + mixed(30) + "\n" + id() + "\nend"
		if found := scanText(t, s, text); len(found) != 1 {
			t.Errorf("%s behind a short verifier: %q: %s", name, text, shown(text, found))
		}
	}
}

// A value of a length that is whole goes on in no line that happens to be as long, and
// the line of mod_log_forensic that closes a request is no rest of what opened it.
func TestWholeValuesEnd(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for range 50 {
		for _, first := range []string{
			strings.Repeat("x", 20) + " access_token=" + beginning(43), "refresh_token=" + random("0123456789abcdef", 40), "token: " + beginning(86),
			"+" + beginning(24) + "|GET /x HTTP/1.1|Host:" + strings.Repeat("a", 60) + "|Authorization:Bearer " + beginning(43),
		} {
			for _, next := range []string{random(base64url, len(first)), "-" + random(base64url, 24)} {
				text := first + "\n" + next + "\nend"
				if found := scanText(t, s, text); len(found) != 1 || found[0].Lines != 0 {
					t.Fatalf("%q: %s", text, shown(text, found))
				}
			}
		}
	}
}

// A sign at the line's end joins no option, pair or word to a value.
func TestSignBeforeAnother(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for _, text := range []string{
		"curl -d code_verifier=" + beginning(43) + "\\\n--data-urlencode x",
		"curl -d code_verifier=" + beginning(43) + "\\\nAB12CD34EF=x",
		"code_verifier=3D" + beginning(43) + "=\nstarted",
		"access_token=" + beginning(43) + "\\\nsome_name=AB12CD34EF",
	} {
		if found := scanText(t, s, text); len(found) != 1 {
			t.Errorf("%q: %d findings", text, len(found))
		}
	}
}

// A text that is cut at any of its line ends gives the findings that it gives whole,
// when what was open is handed on.
func TestOpenIsHandedOn(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	for name, w := range wraps() {
		want := len(scanText(t, s, w[0]+"\n"))
		got, open := 0, Open{}
		for _, line := range strings.SplitAfter(w[0]+"\n", "\n") {
			var b Batch
			b.SetLines([]byte(line))
			b.SetOpen(open)
			found, _, err := s.Scan(&b)
			if err != nil {
				t.Fatal(err)
			}
			got, open = got+len(found), s.Open()
		}
		if got != want {
			t.Errorf("%s: %d findings line by line, want %d", name, got, want)
		}
	}
}

// Values over lines are read a bounded number of times, however many lines there are.
func TestLinesCostNoSquare(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	row := beginning(72)
	for name, unit := range map[string]string{
		"values": "access_token=" + row + "\n", "backslashes": row + "\\\n", "rows": row + "\n",
		"pairs": "access_token=" + row + "\\\n" + row + "&access_token=" + row + "\\\n", "quotes": `"access_token":"` + row + "\n",
	} {
		took := func(n int, lines bool) time.Duration {
			text := []byte("access_token=" + row + "\\\n" + strings.Repeat(unit, n))
			var b Batch
			if b.SetLines(text); !lines {
				b.Reset()
				b.AddText(0, text)
			}
			best := time.Duration(1<<63 - 1)
			for range 6 {
				best = min(best, cpuTime(t, func() {
					if _, _, err := s.Scan(&b); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}))
			}
			return best
		}
		for _, lines := range []bool{true, false} {
			if one, many := took(1000, lines), took(16000, lines); many > 100*one {
				t.Errorf("%s (lines %v): 1000 lines took %v, 16000 %v", name, lines, one, many)
			}
		}
	}
}
