package lines

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// solid is a random value with a digit in each eight characters, so that no part of
// it reads like a word.
func solid(n int) string {
	out := []byte(secret(n))
	for i := range out {
		if i%4 == 1 {
			out[i] = byte('0' + i/4%10)
		}
		if i%4 == 3 || i%8 == 0 {
			out[i] = "QXZJKVWq"[i/4%8]
		}
	}
	return string(out)
}

// wrapped is a log of values over lines, between others.
func wrapped(n int) (text string, secrets []string) {
	var b strings.Builder
	for i := range n {
		v := solid(200)
		secrets = append(secrets, v[:60], v[60:120], v[120:])
		switch i % 3 {
		case 0:
			fmt.Fprintf(&b, "curl -d access_token=%s\\\n%s\\\n%s\n", v[:60], v[60:120], v[120:])
		case 1:
			fmt.Fprintf(&b, "{\"access_token\": \"%s\n  %s\n  %s\"}\r\n", v[:60], v[60:120], v[120:])
		default:
			fmt.Fprintf(&b, "access_token: \"%s\" +\n   \"%s\" +\n   \"%s\",\n", v[:60], v[60:120], v[120:])
		}
		b.WriteString(strings.Repeat("INFO started\n", i%4))
	}
	return b.String(), secrets
}

// Findings and output do not depend on where the input is cut, and a second run
// changes nothing.
func TestWrappedAcrossPieces(t *testing.T) {
	text, secrets := wrapped(300)
	o := options(t)
	o.now = func() time.Time { return time.Unix(0, 0) } // nothing takes too long
	o.after = func(time.Duration) <-chan time.Time { return nil }
	var reference string
	var masked []byte
	for _, workers := range []int{1, 3} {
		for _, arena := range []int{64, 300, 1 << 10, 256 << 10} {
			o.Workers, o.Arena = workers, arena
			var found strings.Builder
			n := 0
			o.OnFound = func(f Found) error {
				n++
				fmt.Fprintln(&found, f.Line, f.From, f.To, f.EndLine, f.Kind, f.Truncated)
				if f.EndLine != f.Line+2 {
					t.Fatalf("workers %d arena %d: line %d ends on %d", workers, arena, f.Line, f.EndLine)
				}
				return nil
			}
			var out bytes.Buffer
			stats, err := Copy(&out, strings.NewReader(text), o)
			if err != nil {
				t.Fatal(err)
			}
			if n != 300 || stats.Findings != 300 {
				t.Fatalf("workers %d arena %d: %d findings, %d counted", workers, arena, n, stats.Findings)
			}
			if reference == "" {
				reference, masked = found.String(), append(masked, out.Bytes()...)
			}
			if found.String() != reference || !bytes.Equal(out.Bytes(), masked) {
				t.Fatalf("workers %d arena %d: another outcome", workers, arena)
			}
		}
	}
	for _, s := range secrets {
		if bytes.Contains(masked, []byte(s)) {
			t.Fatal("a part passed")
		}
	}
	if strings.Count(text, "\n") != bytes.Count(masked, newline) || strings.Count(text, "\r\n") != bytes.Count(masked, []byte("\r\n")) {
		t.Error("line ends changed")
	}
	o.OnFound = nil
	var again bytes.Buffer
	if stats, err := Copy(&again, bytes.NewReader(masked), o); err != nil || stats.Findings != 0 || !bytes.Equal(again.Bytes(), masked) {
		t.Errorf("a second run: %d findings, %v", stats.Findings, err)
	}
}

// A line that may go on comes out when the wait is over, though nothing follows it;
// what follows later is masked all the same, and reported.
func TestLateRestIsMasked(t *testing.T) {
	for _, workers := range []int{1, 2} {
		v := solid(120)
		o := options(t)
		o.Workers = workers
		over := make(chan time.Time)
		o.now = func() time.Time { return time.Unix(0, 0) }
		o.after = func(time.Duration) <-chan time.Time { return over }
		lines := make(chan int64, 4)
		o.OnFound = func(f Found) error {
			lines <- f.Line
			return nil
		}
		in, feed := io.Pipe()
		got, out := io.Pipe()
		done := make(chan error, 1)
		go func() {
			_, err := Copy(out, in, o)
			_ = out.CloseWithError(err)
			done <- err
		}()
		fmt.Fprintf(feed, "curl -d access_token=%s\\\n", v[:60])
		over <- time.Time{} // taken only while the line is held
		first := make([]byte, 4096)
		n, err := got.Read(first)
		if err != nil || !bytes.HasSuffix(first[:n], []byte("\\\n")) || bytes.Contains(first[:n], []byte(v[:8])) {
			t.Fatalf("workers %d: %q, %v", workers, first[:n], err)
		}
		go func() {
			fmt.Fprintf(feed, "%s\nINFO started\n", v[60:])
			_ = feed.Close()
		}()
		rest, err := io.ReadAll(got)
		if err != nil || <-done != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(rest, []byte("REDACTED.access_token.")) || !bytes.HasSuffix(rest, []byte("\nINFO started\n")) {
			t.Errorf("workers %d: %q", workers, rest)
		}
		if a, b := <-lines, <-lines; a != 0 || b != 1 {
			t.Errorf("workers %d: findings at lines %d and %d", workers, a, b)
		}
	}
}
