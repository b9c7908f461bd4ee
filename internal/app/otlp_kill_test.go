package app_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
)

// senders send requests, each with a secret and a trace of its own, and each again until
// it is answered.
type senders struct {
	t          *testing.T
	grpc, http string
	stop       chan struct{}
	all        sync.WaitGroup

	mu       sync.Mutex
	next     uint64
	secrets  needles
	answered map[uint64]bool
	again    int // tries after the first
}

func traceOf(n uint64) pcommon.TraceID {
	var id pcommon.TraceID
	copy(id[:], fmt.Sprintf("request %08d", n))
	return id
}

func (s *senders) request() (uint64, plog.Logs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.next
	s.next++
	secret := randomSecret()
	s.secrets.add(s.t, secret)
	ld := plog.NewLogs()
	l := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	l.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	l.SetTraceID(traceOf(n))
	l.Body().SetStr("client_id=shop&code_verifier=" + secret)
	l.Attributes().PutStr("filler", strings.Repeat("order shipped in 12 ms ", 400))
	return n, ld
}

// run sends until it is stopped, and then what it began with.
func (s *senders) run(export func(context.Context, plog.Logs) error) {
	defer s.all.Done()
	for {
		select {
		case <-s.stop:
			return
		default:
		}
		n, ld := s.request()
		for export(s.t.Context(), ld) != nil {
			if s.t.Context().Err() != nil {
				return
			}
			s.mu.Lock()
			s.again++
			s.mu.Unlock()
			time.Sleep(20 * time.Millisecond) // as clients do
		}
		s.mu.Lock()
		s.answered[n] = true
		s.mu.Unlock()
	}
}

func (s *senders) start(n int) {
	conn, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	client := plogotlp.NewGRPCClient(conn)
	overGRPC := func(ctx context.Context, ld plog.Logs) error {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		_, err := client.Export(ctx, plogotlp.NewExportRequestFromLogs(ld))
		return err
	}
	for i := range n {
		s.all.Add(1)
		if i%2 == 0 {
			go s.run(overGRPC)
		} else {
			go s.run(s.overHTTP)
		}
	}
}

func (s *senders) overHTTP(ctx context.Context, ld plog.Logs) error {
	body, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.http+"/v1/logs", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d", answer.StatusCode)
	}
	return nil
}

func (s *senders) done() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []uint64
	for n := range s.answered {
		out = append(out, n)
	}
	return out
}

// A request that was answered is on the output, and its detection is kept, whatever ends
// the process the moment after; one that was cut is sent again. The output is rotated all
// the while.
func TestOTLPSurvivesKills(t *testing.T) {
	rounds := 6
	if os.Getenv("LEAKVEIL_LONG") != "" {
		rounds = 60
	}
	dir := t.TempDir()
	s := &senders{t: t, grpc: otlpnettest.FreeAddress(t), http: otlpnettest.FreeAddress(t), stop: make(chan struct{}), answered: map[uint64]bool{}}
	m := &member{t: t, program: mustBinary(t), dir: dir, listen: otlpnettest.FreeAddress(t)}
	text := fmt.Sprintf("input: {otlp: {enabled: true, grpc: %q, http: %q}}\noutput: {file: {path: %s/out.ndjson, max_bytes: 1MiB, max_age: 1s, keep: 1000}}\n"+
		"alerts: {file: {path: %s/alerts.ndjson}, interval: 1s}\nfingerprint: {key_file: %s}\nhttp: {listen: %q}\n", s.grpc, s.http, dir, dir, newKey(t), m.listen)
	if err := os.WriteFile(filepath.Join(dir, "leakveil.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.kill)
	s.start(6)
	for round := range rounds {
		before := len(s.done())
		m.start()
		want := before + 20 + rand.IntN(200)
		await(t, "answers", []*member{m}, func() bool { return len(s.done()) >= want })
		if round%2 == 0 {
			m.signal(syscall.SIGKILL)
			<-m.ended
		} else if code := m.stop(); code != 0 {
			t.Errorf("exit code %d after SIGTERM\n%s", code, m.tail())
		}
		s.there(dir, s.done())
	}
	close(s.stop)
	m.start()
	s.all.Wait()
	if code := m.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, m.tail())
	}
	if int(s.next) != len(s.answered) || s.again == 0 {
		t.Errorf("%d of %d requests were answered, %d tries were in vain", len(s.answered), s.next, s.again)
	}
	files := s.there(dir, s.done())
	if files < 3 {
		t.Errorf("the output was not rotated: %d files", files)
	}
	t.Logf("%d requests, %d tries more, %d files", s.next, s.again, files)
}

// there looks for requests on the output and for their detections, and for secrets in
// every file. It returns the number of the output's files.
func (s *senders) there(dir string, answered []uint64) int {
	s.t.Helper()
	out, files := everyFile(s.t, dir, "out.ndjson*")
	alerts, _ := everyFile(s.t, dir, "alerts.ndjson")
	log, _ := everyFile(s.t, dir, "log")
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, text := range map[string][]byte{"output": out, "alerts": alerts, "log": log} {
		if form := s.secrets.in(text); form != "" {
			s.t.Errorf("%s: a secret passed (%s)", name, form)
		}
	}
	onOutput, kept := idsIn(out, `"traceId":"`), idsIn(alerts, `"trace_id":"`)
	for _, n := range answered {
		id := traceOf(n)
		if at := hex.EncodeToString(id[:]); !onOutput[at] || !kept[at] {
			s.t.Errorf("request %d was answered; on the output: %v, its detection is kept: %v", n, onOutput[at], kept[at])
		}
	}
	return files
}

func everyFile(t *testing.T, dir, pattern string) (all []byte, files int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all, len(names)
}

// idsIn are the trace ids behind a word.
func idsIn(text []byte, before string) map[string]bool {
	out := map[string]bool{}
	for {
		i := bytes.Index(text, []byte(before))
		if i < 0 || len(text) < i+len(before)+32 {
			return out
		}
		text = text[i+len(before):]
		out[string(text[:32])] = true
	}
}
