// Package elastic is the sink for Elasticsearch and OpenSearch: it creates
// documents in a data stream through the bulk interface, each under its own id,
// so that what was sent twice is stored once (within one backing index: after a
// rollover the server takes a repeated id again). Statuses alone are read from
// answers: error texts quote documents, and are not even asked for.
package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// DefaultStream is the data stream if none is named.
const DefaultStream = "logs-leakveil.alert-default"

// Options configure a Sink.
type Options struct {
	HTTP transport.HTTPOptions
	// Stream is the data stream; empty: DefaultStream.
	Stream string
	// InstallTemplate puts the index template before the first document; the user
	// then needs the right to do so.
	InstallTemplate bool
}

// Sink writes to one data stream.
type Sink struct {
	o         Options
	client    *transport.Client
	installed bool
}

var _ sink.Sink = (*Sink)(nil)

var streamName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,200}$`)

// New checks the options. It does not connect.
func New(o Options) (*Sink, error) {
	if o.Stream == "" {
		o.Stream = DefaultStream
	}
	if !streamName.MatchString(o.Stream) {
		return nil, fmt.Errorf("stream: %q is no name of a data stream", o.Stream)
	}
	client, err := transport.New(o.HTTP)
	if err != nil {
		return nil, err
	}
	return &Sink{o: o, client: client, installed: !o.InstallTemplate}, nil
}

// Install puts the index template of the stream; it may be repeated.
func (s *Sink) Install(ctx context.Context) transport.Answer {
	return s.client.Do(ctx, transport.Request{
		Method: http.MethodPut, Path: "_index_template/leakveil-" + s.o.Stream, ContentType: "application/json", Body: Template(s.o.Stream),
	})
}

// Send implements sink.Sink.
func (s *Sink) Send(ctx context.Context, items []sink.Item) sink.Report {
	if !s.installed {
		a := s.Install(ctx)
		if a.Outcome.Verdict != sink.Delivered {
			if a.Outcome.Verdict == sink.Split { // it is the template that is refused, not the documents
				a.Outcome.Verdict = sink.Retry
			}
			return a.Report(len(items))
		}
		s.installed = true
	}
	report := sink.All(len(items), sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed})
	var body bytes.Buffer
	var sent []int
	for i, item := range items {
		if bytes.ContainsAny(item.Document, "\r\n") || !json.Valid(item.Document) {
			continue // it would be read as something else
		}
		id, _, _ := strings.Cut(item.ID, "~") // an alert that is said again is the same document
		fmt.Fprintf(&body, "{\"create\":{\"_id\":%q}}\n%s\n", id, item.Document)
		sent = append(sent, i)
	}
	if len(sent) == 0 {
		return report
	}
	a := s.client.Do(ctx, transport.Request{
		Path: s.o.Stream + "/_bulk", ContentType: "application/x-ndjson", Body: body.Bytes(),
		Query: url.Values{"filter_path": {"items.create.status"}},
	})
	report.RetryAfter = a.RetryAfter
	outcomes := judge(a, len(sent))
	for k, i := range sent {
		report.Outcomes[i] = outcomes[k]
	}
	return report
}

// judge reads the answer to a request of n documents.
func judge(a transport.Answer, n int) []sink.Outcome {
	if a.Outcome.Verdict != sink.Delivered {
		return a.Report(n).Outcomes
	}
	var answer struct {
		Items []struct {
			Create struct{ Status int }
		}
	}
	if json.Unmarshal(a.Body, &answer) != nil || len(answer.Items) != n {
		return sink.All(n, sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}).Outcomes
	}
	out := make([]sink.Outcome, n)
	for i := range out {
		out[i] = judgeItem(answer.Items[i].Create.Status)
	}
	return out
}

// judgeItem says what became of one document. A conflict means that the document
// is there already.
func judgeItem(status int) sink.Outcome {
	if status == http.StatusConflict {
		return sink.Outcome{Verdict: sink.Delivered}
	}
	o := transport.Judge(status)
	if o.Verdict == sink.Split {
		o.Verdict = sink.Reject // the judgement is of this document alone
	}
	return o
}

// Close implements sink.Closer.
func (s *Sink) Close() error { return s.client.Close() }
