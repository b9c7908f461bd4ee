package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// fault is what a receiver does for a while.
type fault string

const (
	well  fault = ""
	down  fault = "503"
	busy  fault = "429"
	reset fault = "reset" // takes the documents, then breaks the connection
	twice fault = "twice" // one request in ten arrives twice
	stall fault = "stall"
)

var faults = []fault{down, busy, reset, twice, stall}

// double is a receiver of alerts that has moods. It knows each document by its id.
type double struct {
	name string

	mu     sync.Mutex
	mood   fault
	change chan struct{} // closes when the mood does
	ids    map[string]int
	bytes  bytes.Buffer
	felt   map[fault]int // requests while it was so
	random *rand.Rand
}

func newDouble(name string) *double {
	return &double{name: name, change: make(chan struct{}), ids: map[string]int{}, felt: map[fault]int{}, random: rand.New(rand.NewPCG(rand.Uint64(), 1))}
}

func (d *double) set(mood fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mood = mood
	close(d.change)
	d.change = make(chan struct{})
}

// now returns the mood, and what closes when it changes.
func (d *double) now() (fault, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.felt[d.mood]++
	return d.mood, d.change
}

// take notes documents; while it is twice, some of them again.
func (d *double) take(raw []byte, ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	times := 1
	if d.mood == twice && d.random.IntN(10) == 0 {
		times = 2
	}
	for range times {
		for _, id := range ids {
			d.ids[id]++
		}
	}
	if d.bytes.Len() < 64<<20 {
		d.bytes.Write(raw)
	}
}

func (d *double) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ids)
}

// receiver says what ids a body has, and how its kind answers. A body that it cannot read
// has none.
type receiver struct {
	ids    func(r *http.Request, body []byte) []string
	answer func(w http.ResponseWriter, r *http.Request, ids []string)
}

// serve runs the double over HTTP.
func (d *double) serve(t *testing.T, kind receiver) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Header.Get("Content-Encoding") == "gzip" {
			if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
				body, _ = io.ReadAll(z)
			}
		}
		mood, changed := d.now()
		switch mood {
		case down:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case busy:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case stall:
			select {
			case <-changed: // it answers after all
			case <-r.Context().Done():
				return
			}
		}
		ids := kind.ids(r, body)
		d.take(body, ids)
		if mood == reset {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = c.Close()
			}
			return
		}
		kind.answer(w, r, ids)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s.URL
}

func plainly(http.ResponseWriter, *http.Request, []string) {}

// bulk is Elasticsearch's interface: what it has already is a conflict.
var bulk = receiver{
	ids: func(_ *http.Request, body []byte) (ids []string) {
		for line := range bytes.Lines(body) {
			var action struct {
				Create struct {
					ID string `json:"_id"`
				}
			}
			if json.Unmarshal(line, &action) == nil && action.Create.ID != "" {
				ids = append(ids, action.Create.ID)
			}
		}
		return ids
	},
	answer: func(w http.ResponseWriter, _ *http.Request, ids []string) {
		var items []string
		for range ids {
			items = append(items, `{"create":{"status":201}}`)
		}
		fmt.Fprintf(w, `{"items":[%s]}`, join(items))
	},
}

func join(list []string) (out string) {
	for i, s := range list {
		if i > 0 {
			out += ","
		}
		out += s
	}
	return out
}

// hec is Splunk's, with acknowledgements.
var hec = receiver{
	ids: func(_ *http.Request, body []byte) (ids []string) {
		for d := json.NewDecoder(bytes.NewReader(body)); ; {
			var e struct{ Event struct{ ID string } }
			if d.Decode(&e) != nil {
				return ids
			}
			if e.Event.ID != "" {
				ids = append(ids, e.Event.ID)
			}
		}
	},
	answer: func(w http.ResponseWriter, r *http.Request, _ []string) {
		if r.URL.Path == "/services/collector/ack" {
			_, _ = io.WriteString(w, `{"acks":{"7":true}}`)
			return
		}
		_, _ = io.WriteString(w, `{"text":"Success","code":0,"ackId":7}`)
	},
}

var managed = receiver{
	ids: func(_ *http.Request, body []byte) (ids []string) {
		var all []struct{ Labels, Annotations map[string]string }
		_ = json.Unmarshal(body, &all)
		for _, a := range all {
			ids = append(ids, a.Labels["alert_id"]+"-"+a.Annotations["sequence"])
		}
		return ids
	},
	answer: plainly,
}

var hook = receiver{
	ids: func(_ *http.Request, body []byte) (ids []string) {
		var all struct{ Alerts []json.RawMessage }
		_ = json.Unmarshal(body, &all)
		for _, document := range all.Alerts {
			ids = append(ids, idOf(document))
		}
		return ids
	},
	answer: plainly,
}

// idOf is an alert document's id with its sequence number.
func idOf(document []byte) string {
	var doc struct {
		Leakveil struct {
			Alert struct {
				ID       string
				Sequence int64
			}
		}
	}
	if json.Unmarshal(document, &doc) != nil || doc.Leakveil.Alert.ID == "" {
		return ""
	}
	return fmt.Sprintf("%s-%d", doc.Leakveil.Alert.ID, doc.Leakveil.Alert.Sequence)
}

// uids are the log records' names in a request of OTLP.
func uids(r plogotlp.ExportRequest) (ids []string) {
	for _, resource := range r.Logs().ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if id, ok := record.Attributes().Get("log.record.uid"); ok {
					ids = append(ids, id.Str())
				}
			}
		}
	}
	return ids
}

var otlpHTTP = receiver{
	ids: func(_ *http.Request, body []byte) []string {
		r := plogotlp.NewExportRequest()
		if r.UnmarshalProto(body) != nil {
			return nil
		}
		return uids(r)
	},
	answer: func(w http.ResponseWriter, _ *http.Request, _ []string) {
		w.Header().Set("Content-Type", "application/x-protobuf")
	},
}

// otlpGRPC is the double over gRPC.
type otlpGRPC struct {
	plogotlp.UnimplementedGRPCServer
	*double
}

// Export is of plogotlp.GRPCServer.
func (d *otlpGRPC) Export(ctx context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	mood, changed := d.now()
	switch mood {
	case down:
		return plogotlp.NewExportResponse(), status.Error(codes.Unavailable, "down")
	case busy:
		s, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
		if err != nil {
			return plogotlp.NewExportResponse(), err
		}
		return plogotlp.NewExportResponse(), s.Err()
	case stall:
		select {
		case <-changed:
		case <-ctx.Done():
		}
		return plogotlp.NewExportResponse(), status.Error(codes.DeadlineExceeded, "late")
	}
	raw, _ := r.MarshalProto()
	d.take(raw, uids(r))
	if mood == reset {
		return plogotlp.NewExportResponse(), status.Error(codes.Internal, "reset")
	}
	return plogotlp.NewExportResponse(), nil
}

func (d *double) serveGRPC(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	plogotlp.RegisterGRPCServer(s, &otlpGRPC{double: d})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return "http://" + l.Addr().String()
}

// serveKafka is the double as a cluster with the topic soc. What it has taken is read from
// the topic in the end.
func (d *double) serveKafka(t *testing.T) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "soc"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		switch mood, _ := d.now(); mood {
		case down:
			return refuseProduce(req, kerr.NotEnoughReplicas.Code), nil, true
		case busy:
			return refuseProduce(req, kerr.InvalidRecord.Code), nil, true
		case reset:
			return nil, io.ErrUnexpectedEOF, true
		case stall: // the cluster has one goroutine
			time.Sleep(200 * time.Millisecond)
			return refuseProduce(req, kerr.RequestTimedOut.Code), nil, true
		}
		return nil, nil, false
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("soc"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() {
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { d.take(r.Value, []string{idOf(r.Value)}) })
		}
	})
	t.Cleanup(func() { cancel(); reading.Wait(); client.Close() })
	return c.ListenAddrs()[0]
}

func refuseProduce(req kmsg.Request, code int16) kmsg.Response {
	r := req.(*kmsg.ProduceRequest)
	out := r.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range r.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic, t.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = partition.Partition, code
			t.Partitions = append(t.Partitions, p)
		}
		out.Topics = append(out.Topics, t)
	}
	return out
}
