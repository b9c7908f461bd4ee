package store

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/outbox"
)

// killedOptions are those of a store whose process is killed again and again.
func killedOptions(path string) Options {
	return Options{Path: path, Readers: []string{"siem"}, Notify: &Notifying{
		Timing: notify.Timing{Interval: time.Millisecond}, GroupBy: []string{"client"}, Every: time.Millisecond,
		Client: notify.Rate{Count: 3, Per: time.Second}, Global: notify.Rate{Count: 40, Per: time.Second},
		Digest: func(d notify.Digest) outbox.Entry {
			return outbox.Entry{ID: fmt.Sprint("digest-", d.From.UnixNano(), "-", d.Until.UnixNano()), Data: fmt.Appendf(nil, `{"held":%d}`, d.Alerts)}
		},
	}}
}

// After kill -9 at any time, what Append returned for is told or in a digest, once.
func TestKilledWhileNotifying(t *testing.T) {
	if path := os.Getenv("LEAKVEIL_TEST_NOTIFY"); path != "" {
		notifyForEver(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "db")
	acknowledged := 0
	for range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWhileNotifying$")
		cmd.Env = append(os.Environ(), "LEAKVEIL_TEST_NOTIFY="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for until := acknowledged + 30; acknowledged < until; {
			if _, err := fmt.Fscanln(out, &acknowledged); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Process.Kill()
		for {
			if _, err := fmt.Fscanln(out, &acknowledged); err != nil {
				break
			}
		}
		_ = cmd.Wait()
	}
	s := open(t, killedOptions(path))
	counts, err := s.Counts(t.Context())
	if err != nil || counts.Alerts < int64(acknowledged) {
		t.Fatalf("%d of %d acknowledged alerts are there (%v)", counts.Alerts, acknowledged, err)
	}
	time.Sleep(2 * time.Millisecond) // the interval
	for more, err := true, error(nil); more; {
		if more, err = s.Notify(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.View("siem").Read(t.Context(), 0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	told, held := map[string]bool{}, int64(0)
	for _, e := range got {
		var n int64
		if _, err := fmt.Sscanf(string(e.Data), `{"held":%d}`, &n); err == nil {
			held += n
		} else if told[e.ID] {
			t.Errorf("%s is told twice", e.ID)
		}
		told[e.ID] = true
	}
	var waiting int64 // for the next digest
	if err := s.db.QueryRow(`SELECT coalesce((SELECT json_extract(CAST(digest AS TEXT), '$.Alerts') FROM held), 0)`).Scan(&waiting); err != nil {
		t.Fatal(err)
	}
	held += waiting
	alone := int64(0)
	for i := 1; i <= int(counts.Alerts); i++ {
		if !told[fmt.Sprintf("a%d-1", i)] {
			alone++
		}
	}
	if alone != held || held == 0 {
		t.Errorf("%d alerts are not told, %d are in digests", alone, held)
	}
}

// notifyForEver is the process that is killed. It goes on where the last one was.
func notifyForEver(t *testing.T, path string) {
	s := open(t, killedOptions(path))
	counts, err := s.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	for i := int(counts.Alerts) + 1; ; i++ {
		e := state(fmt.Sprint("a", i), 1, fmt.Sprint("c", i%7), "high", "")
		e.Data = bytes.ReplaceAll(e.Data, []byte("2026-11-20T00:00:00Z"), []byte(now))
		if err := s.Append(t.Context(), []outbox.Entry{e}); err != nil {
			t.Fatal(err)
		}
		fmt.Println(i)
		if _, err := s.Notify(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
