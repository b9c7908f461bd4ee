package syslog_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	parser "github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/octetcounting"
	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/syslog"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

func open(t *testing.T, o syslog.Options) *syslog.Sink {
	t.Helper()
	s, err := syslog.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func expect(t *testing.T, s *syslog.Sink, items []sink.Item, want sink.Outcome) {
	t.Helper()
	for i, o := range s.Send(t.Context(), items).Outcomes {
		if o != want {
			t.Fatalf("item %d: %+v, not %+v", i, o, want)
		}
	}
}

var delivered = sink.Outcome{Verdict: sink.Delivered}

// receiver is a server in the process that keeps what it reads.
type receiver struct {
	net.Listener
	mu  sync.Mutex
	got bytes.Buffer
	all []net.Conn
}

func receive(t *testing.T) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.all = append(r.all, c)
			r.mu.Unlock()
			go r.read(c)
		}
	}()
	return r
}

func (r *receiver) read(c net.Conn) {
	for block := make([]byte, 4096); ; {
		n, err := c.Read(block)
		r.mu.Lock()
		r.got.Write(block[:n])
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (r *receiver) text() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.got.Bytes())
}

// hangUp closes every connection.
func (r *receiver) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.all {
		_ = c.Close()
	}
	r.all = nil
}

// strict reads frames with a parser that takes nothing but RFC 5424.
func strict(t *testing.T, stream []byte) (all []*rfc5424.SyslogMessage) {
	t.Helper()
	octetcounting.NewParser(parser.WithMaxMessageLength(1<<20), parser.WithMachineOptions(rfc5424.WithCompliantMsg()), parser.WithListener(func(r *parser.Result) {
		if r.Error != nil {
			t.Fatalf("%v: %v", r.Error, r.Message)
		}
		all = append(all, r.Message.(*rfc5424.SyslogMessage))
	})).Parse(bytes.NewReader(stream))
	return all
}

func TestMessagesAreStrict(t *testing.T) {
	for _, text := range []string{"json", "cef", "leef", "ocsf", "ocsf-data"} {
		t.Run(text, func(t *testing.T) {
			r := receive(t)
			items := sinktest.Hostile(t)
			expect(t, open(t, syslog.Options{Address: r.Addr().String(), Plain: true, Format: text, Host: "ho st\n<é>", Settle: 50 * time.Millisecond}), items, delivered)
			backend.Eventually(t, "every message", func() bool { return len(split(r.text())) == len(items) })
			got := strict(t, r.text())
			for i, m := range got {
				if *m.Facility != 13 || *m.Hostname != "host<>" || *m.Appname != "leakveil" || m.ProcID != nil || *m.MsgID == "" || m.Message == nil || m.Timestamp == nil {
					t.Errorf("%d: %+v", i, m)
				}
				data := map[string]string{} // a document of which no element can be made has none
				if m.StructuredData != nil {
					data = (*m.StructuredData)["leakveil@32473"]
				}
				if id := data["alertId"]; id != "" && !strings.HasPrefix(items[i].ID, id) {
					t.Errorf("%d: %v", i, data)
				}
				if text == "json" && *m.Message != string(items[i].Document) {
					t.Errorf("%d: the text is not the document", i)
				}
			}
			if client := (*got[0].StructuredData)["leakveil@32473"]["oauthClientId"]; client != "spa-bank" {
				t.Error(client)
			}
		})
	}
}

// split cuts a stream by its octet counts.
func split(stream []byte) (frames []string) {
	for r := bufio.NewReader(bytes.NewReader(stream)); ; {
		size, err := r.ReadString(' ')
		if err != nil {
			return frames
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, " "))
		if err != nil {
			return nil
		}
		frame := make([]byte, n)
		if _, err := readFull(r, frame); err != nil {
			return frames
		}
		frames = append(frames, string(frame))
	}
}

func readFull(r *bufio.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// What was sent shortly before a connection broke is sent again.
func TestABrokenConnectionLosesNothing(t *testing.T) {
	r := receive(t)
	s := open(t, syslog.Options{Address: r.Addr().String(), Plain: true, Settle: 50 * time.Millisecond})
	items := sinktest.Items(t, 3)
	expect(t, s, items[:2], delivered)
	r.hangUp()
	for s.Send(t.Context(), items[2:]).Outcomes[0] != delivered {
	}
	backend.Eventually(t, "all again", func() bool { return len(split(r.text())) >= 5 })
	for i, want := range []int{0, 1, 0, 1, 2} {
		if got := split(r.text())[i]; !strings.Contains(got, string(items[want].Document)) {
			t.Errorf("message %d: %s", i, got)
		}
	}
}

// A receiver whose system takes no more does not get what it cannot confirm.
func TestAReceiverThatDoesNotRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	items := sinktest.Items(t, 120)
	big := make([]sink.Item, 0, len(items))
	for _, item := range items { // more than the system's buffers hold
		item.Document = append(append([]byte(`{"pad":"`), bytes.Repeat([]byte("x"), 100_000)...), append([]byte(`",`), item.Document[1:]...)...)
		big = append(big, item)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	s := open(t, syslog.Options{Address: l.Addr().String(), Plain: true})
	if o := s.Send(ctx, big).Outcomes[0]; o.Verdict != sink.Retry || o.Reason != sink.ReasonUnconfirmed {
		t.Error(o)
	}
}

func TestNobodyThere(t *testing.T) {
	s := open(t, syslog.Options{Address: fmt.Sprint("127.0.0.1:", backend.FreePort(t)), Plain: true})
	expect(t, s, sinktest.Items(t, 1), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNetwork})
}

func TestMalformedDocument(t *testing.T) {
	r := receive(t)
	items := sinktest.Items(t, 2)
	items[0].Document = []byte("{}")
	o := open(t, syslog.Options{Address: r.Addr().String(), Plain: true, Settle: time.Millisecond}).Send(t.Context(), items).Outcomes
	if o[0].Verdict != sink.Reject || o[1] != delivered {
		t.Error(o)
	}
}

func TestBadOptions(t *testing.T) {
	facility := 24
	for _, o := range []syslog.Options{
		{}, {Address: "host"}, {Address: ":514"}, {Address: "h:1", Format: "x"}, {Address: "h:1", Facility: &facility},
		{Address: "h:1", TLS: transport.TLS{CAFile: "/nonexistent"}},
	} {
		if _, err := syslog.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
