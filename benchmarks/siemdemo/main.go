// Command siemdemo sends the generated logs of several services to a leakveil run
// with an OTLP input, for make demo-siem: first a day's worth of them at once, with
// the times that they would have had, then more as they come, until it is stopped.
// One client leaks in the first part alone: somebody has mended it. It prints what
// it has sent, and never a planted value; one of these it writes to a file, so that
// somebody can ask whether that value has leaked.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/rules"
)

type options struct {
	url, mended, value string
	past               int
	span               time.Duration
	pace               int
	once               bool
}

func main() {
	var o options
	flag.StringVar(&o.url, "url", "http://127.0.0.1:4318", "OTLP over HTTP")
	flag.IntVar(&o.past, "past", 20_000, "records of the past")
	flag.DurationVar(&o.span, "span", 8*time.Hour, "how far these go back")
	flag.IntVar(&o.pace, "pace", 100, "records a second then")
	flag.StringVar(&o.mended, "mended", "web-shop", "client that no longer leaks in the second half of the past")
	flag.StringVar(&o.value, "value", "", "file for one leaked value")
	flag.BoolVar(&o.once, "once", false, "end after the past")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "siemdemo:", err)
		os.Exit(1)
	}
}

// batch is the number of records of a request.
const batch = 200

func run(ctx context.Context, o options) error {
	g := &feed{options: o, corpus: corpus.New(corpus.Options{Seed: uint64(time.Now().UnixNano()), LeakEvery: 50})}
	start := time.Now().Add(-o.span)
	step := o.span / time.Duration(max(o.past, 1))
	for sent := 0; sent < o.past && ctx.Err() == nil; sent += batch {
		if err := g.send(ctx, batch, func(i int) time.Time { return start.Add(step * time.Duration(sent+i)) }, sent > o.past/2); err != nil {
			return err
		}
	}
	fmt.Printf("%d records of the last %s sent, %d of them with a leak\n", g.sent, strings.TrimSuffix(o.span.String(), "0m0s"), g.leaks)
	if o.once {
		return nil
	}
	const tick = 500 * time.Millisecond
	for t := time.NewTicker(tick); ; {
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case now := <-t.C:
			if err := g.send(ctx, max(1, o.pace*int(tick)/int(time.Second)), func(int) time.Time { return now }, true); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

type feed struct {
	options
	corpus      *corpus.Generator
	sent, leaks int
	kept        bool // a value is in the file
}

// next is a line that the mended client does not leak in, when that is so.
func (f *feed) next(mended bool) corpus.Line {
	for {
		line := f.corpus.Next()
		leaks := false
		for _, s := range line.Secrets {
			leaks = leaks || s.Client == f.mended
		}
		if !mended || !leaks {
			return line
		}
	}
}

func (f *feed) send(ctx context.Context, n int, at func(int) time.Time, mended bool) error {
	services := map[string][]record{}
	for i := range n {
		line := f.next(mended)
		services[line.Service] = append(services[line.Service], record{
			Time: strconv.FormatInt(at(i).UnixNano(), 10), Trace: id(16), Span: id(8),
			Body: text{strings.ToValidUTF8(string(line.Text), "?")},
		})
		if f.sent++; len(line.Secrets) > 0 {
			f.leaks++
		}
		if err := f.keep(line); err != nil {
			return err
		}
	}
	var r request
	for service, records := range services {
		r.Resources = append(r.Resources, resource{
			Resource: attributes{[]attribute{{"service.name", text{service}}}}, Scopes: []scope{{records}},
		})
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return f.post(ctx, body)
}

// id is a random one of n bytes, in hexadecimal.
func id(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// keep writes the first refresh token whose client is known to the file.
func (f *feed) keep(line corpus.Line) error {
	for _, s := range line.Secrets {
		if f.value != "" && !f.kept && s.Kind == rules.RefreshToken && s.Client != "" {
			f.kept = true
			return os.WriteFile(f.value, []byte(s.Value), 0o600)
		}
	}
	return nil
}

// post sends a request, and again while leakveil says to come again.
func (f *feed) post(ctx context.Context, body []byte) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/v1/logs", bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		switch {
		case response.StatusCode == http.StatusOK:
			return err
		case response.StatusCode != http.StatusServiceUnavailable && response.StatusCode != http.StatusTooManyRequests:
			return errors.New("leakveil answers " + response.Status)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// The request in OTLP's JSON, as far as it is needed.
type (
	request struct {
		Resources []resource `json:"resourceLogs"`
	}
	resource struct {
		Resource attributes `json:"resource"`
		Scopes   []scope    `json:"scopeLogs"`
	}
	attributes struct {
		Attributes []attribute `json:"attributes"`
	}
	attribute struct {
		Key   string `json:"key"`
		Value text   `json:"value"`
	}
	text struct {
		String string `json:"stringValue"`
	}
	scope struct {
		Records []record `json:"logRecords"`
	}
	record struct {
		Time  string `json:"timeUnixNano"`
		Trace string `json:"traceId"`
		Span  string `json:"spanId"`
		Body  text   `json:"body"`
	}
)
