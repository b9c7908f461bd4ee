package leakveilprocessor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/processor"
	"google.golang.org/grpc"
)

// host has the extensions of a test.
type host struct {
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

var storageID = component.MustNewID("file_storage")

// withStorage returns a host with a real file_storage, and how to stop it.
func withStorage(t *testing.T, dir string) (host, func()) {
	t.Helper()
	f := filestorage.NewFactory()
	cfg := f.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.FSync = dir, true
	e, err := f.Create(context.Background(), extensiontest.NewNopSettings(f.Type()), cfg)
	if err == nil {
		err = e.Start(context.Background(), componenttest.NewNopHost())
	}
	if err != nil {
		t.Fatal(err)
	}
	return host{map[component.ID]component.Component{storageID: e}}, func() {
		if err := e.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// receiver of the sinks: over OTLP and as a webhook. It refuses while it is down.
type soc struct {
	plogotlp.UnimplementedGRPCServer
	mu      sync.Mutex
	down    bool
	all     bytes.Buffer   // every byte that came
	posted  map[string]int // by id and sequence number
	records map[string]int
}

func newSOC(t *testing.T) (s *soc, web, otlp string) {
	t.Helper()
	s = &soc{posted: map[string]int{}, records: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	plogotlp.RegisterGRPCServer(g, s)
	go func() { _ = g.Serve(listener) }()
	t.Cleanup(g.Stop)
	return s, server.URL, "http://" + listener.Addr().String()
}

func (s *soc) turn(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *soc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.Write(body)
	if s.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for id := range documents(body) {
		s.posted[id]++
	}
}

// documents returns id and sequence number of each alert of a webhook's body.
func documents(body []byte) map[string]int64 {
	var got struct {
		Alerts []struct {
			Leakveil struct {
				Count int64
				Alert struct {
					ID       string
					Sequence int64
				}
			}
		}
	}
	out := map[string]int64{}
	if json.Unmarshal(body, &got) == nil {
		for _, a := range got.Alerts {
			out[fmt.Sprintf("%s-%d", a.Leakveil.Alert.ID, a.Leakveil.Alert.Sequence)] = a.Leakveil.Count
		}
	}
	return out
}

func (s *soc) Export(_ context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	body, _ := r.MarshalProto()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.Write(body)
	if s.down {
		return plogotlp.NewExportResponse(), errors.New("down")
	}
	list := r.Logs().ResourceLogs()
	for i := range list.Len() {
		records := list.At(i).ScopeLogs().At(0).LogRecords()
		for j := range records.Len() {
			id, _ := records.At(j).Attributes().Get("log.record.uid")
			s.records[id.Str()]++
		}
	}
	return plogotlp.NewExportResponse(), nil
}

func (s *soc) has(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.posted) >= n && len(s.records) >= n
}

// eventually waits for what other goroutines do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// alerting is a configuration with all sinks.
func alerting(dir, web, otlp string) *Config {
	cfg := small()
	cfg.FingerprintKey.Value = "0123456789abcdef0123456789abcdef"
	cfg.Alerts.Interval = time.Millisecond
	cfg.Alerts.Directory = filepath.Join(dir, "outbox")
	cfg.Alerts.File = &FileSinkConfig{Path: filepath.Join(dir, "alerts.ndjson")}
	cfg.Alerts.OTLP = &OTLPSinkConfig{HTTPSinkConfig: HTTPSinkConfig{URL: otlp}}
	cfg.Alerts.Webhook = &WebhookSinkConfig{HTTPSinkConfig: HTTPSinkConfig{URL: web}}
	return cfg
}

// begin starts a processor of logs; end shuts it down.
func begin(t *testing.T, cfg *Config, set processor.Settings, h component.Host, next consumer.Logs) (p processor.Logs, end func()) {
	t.Helper()
	p, err := NewFactory().CreateLogs(context.Background(), set, cfg, next)
	if err == nil {
		err = p.Start(context.Background(), h)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p, func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// leak sends a record with a secret of a client, and returns the secret.
func leak(t *testing.T, p processor.Logs, client string) string {
	t.Helper()
	secret := randomVerifier()
	if err := p.ConsumeLogs(context.Background(), oneLog("client_id="+client+"&code_verifier="+secret)); err != nil {
		t.Fatal(err)
	}
	return secret
}

// nothingOf fails when a file below dir, or text, holds one of the secrets.
func nothingOf(t *testing.T, secrets []string, dir string, texts ...[]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		texts = append(texts, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(secret[8:30])) {
				t.Fatal("a secret is in an outbox or an output")
			}
		}
	}
}

func lines(t *testing.T, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for line := range bytes.Lines(text) {
		for id := range documents(fmt.Appendf(nil, `{"alerts":[%s]}`, line)) {
			out[id]++
		}
	}
	return out
}
