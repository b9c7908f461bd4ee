// Package otlp is the sink that sends alerts as OTLP log records, over gRPC or
// HTTP with protobuf. An answer says that the receiver has taken the records, or
// how many of a request it refused, but not which: then the request is split.
package otlp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // registers the compressor
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/field"
	"github.com/leakveil/leakveil/internal/sink/otlp/record"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// Options configure a Sink.
type Options struct {
	// Protocol is grpc (the default) or http.
	Protocol string
	// HTTP has the address, TLS, credentials, headers and compression of both. Over
	// HTTP, /v1/logs is added to an address without a path. For gRPC, https means
	// TLS and http none, and only scheme, host and port of the address count.
	HTTP transport.HTTPOptions
}

// Sink sends to one endpoint.
type Sink struct {
	http *transport.Client
	conn *grpc.ClientConn
	grpc plogotlp.GRPCClient
	o    Options
}

var _ sink.Sink = (*Sink)(nil)

// New checks the options. It does not connect.
func New(o Options) (*Sink, error) {
	address, err := url.Parse(o.HTTP.URL)
	if err != nil {
		return nil, errors.New("url: not an address")
	}
	if o.Protocol == "http" && (address.Path == "" || address.Path == "/") {
		address.Path = "/v1/logs"
		o.HTTP.URL = address.String()
	}
	s := &Sink{o: o}
	if s.http, err = transport.New(o.HTTP); err != nil { // it checks the credentials of both
		return nil, err
	}
	switch o.Protocol {
	case "http":
		return s, nil
	case "", "grpc":
		return s, s.dial(address)
	}
	return nil, fmt.Errorf("protocol: %q is not grpc or http", o.Protocol)
}

func (s *Sink) dial(address *url.URL) error {
	creds := insecure.NewCredentials()
	if address.Scheme == "https" {
		config, err := s.o.HTTP.TLS.Config()
		if err != nil {
			return err
		}
		config.NextProtos, config.ClientSessionCache = []string{"h2"}, tls.NewLRUClientSessionCache(4)
		creds = credentials.NewTLS(config)
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(creds), grpc.WithUserAgent("leakveil"), grpc.WithDisableServiceConfig()}
	if s.o.HTTP.Gzip {
		options = append(options, grpc.WithDefaultCallOptions(grpc.UseCompressor("gzip")))
	}
	port := address.Port()
	if port == "" {
		port = "4317"
	}
	var err error
	if s.conn, err = grpc.NewClient(net.JoinHostPort(address.Hostname(), port), options...); err != nil {
		return errors.New("url: not an address for gRPC")
	}
	s.grpc = plogotlp.NewGRPCClient(s.conn)
	return nil
}

// Send implements sink.Sink.
func (s *Sink) Send(ctx context.Context, items []sink.Item) sink.Report {
	report := sink.All(len(items), sink.Outcome{})
	logs := plog.NewLogs()
	records := record.Resource(logs)
	var sent []int
	for i, item := range items {
		r, err := field.Parse(item.Document)
		if err != nil {
			report.Outcomes[i] = sink.Outcome{Verdict: sink.Reject, Reason: sink.ReasonMalformed}
			continue
		}
		record.Fill(records.AppendEmpty(), r)
		sent = append(sent, i)
	}
	if len(sent) == 0 {
		return report
	}
	request := plogotlp.NewExportRequestFromLogs(logs)
	outcome, after := s.export(ctx, request, len(sent))
	for _, i := range sent {
		report.Outcomes[i] = outcome
	}
	report.RetryAfter = after
	return report
}

// export sends one request of n records.
func (s *Sink) export(ctx context.Context, request plogotlp.ExportRequest, n int) (sink.Outcome, time.Duration) {
	if s.grpc == nil {
		return s.post(ctx, request)
	}
	header, err := s.http.Credentials()
	if err != nil {
		return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth}, 0
	}
	pairs := metadata.MD{}
	for name, values := range header {
		pairs.Append(name, values...)
	}
	answer, err := s.grpc.Export(metadata.NewOutgoingContext(ctx, pairs), request)
	if err != nil {
		return judge(err, n)
	}
	return partial(answer), 0
}

func (s *Sink) post(ctx context.Context, request plogotlp.ExportRequest) (sink.Outcome, time.Duration) {
	body, err := request.MarshalProto()
	if err != nil {
		return sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonMalformed}, 0
	}
	a := s.http.Do(ctx, transport.Request{ContentType: "application/x-protobuf", Body: body})
	if a.Outcome.Verdict != sink.Delivered {
		return a.Outcome, a.RetryAfter
	}
	answer := plogotlp.NewExportResponse()
	if a.Header.Get("Content-Type") == "application/json" {
		err = answer.UnmarshalJSON(a.Body)
	} else {
		err = answer.UnmarshalProto(a.Body)
	}
	if err != nil { // accepted by its status, in words that are not OTLP's
		return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonProtocol}, 0
	}
	return partial(answer), 0
}

// partial judges an answer to a request that was accepted.
func partial(answer plogotlp.ExportResponse) sink.Outcome {
	if answer.PartialSuccess().RejectedLogRecords() > 0 {
		return sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}
	}
	return sink.Outcome{Verdict: sink.Delivered}
}

// judge says what an error of gRPC means for a request of n records. Its text is
// not looked at: receivers quote what they were sent.
func judge(err error, n int) (sink.Outcome, time.Duration) {
	s := status.Convert(err)
	after, asked := time.Duration(0), false
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			after, asked = info.GetRetryDelay().AsDuration(), true
		}
	}
	retry := func(reason string) (sink.Outcome, time.Duration) {
		return sink.Outcome{Verdict: sink.Retry, Reason: reason}, max(0, after)
	}
	switch s.Code() {
	case codes.Unavailable:
		if asked {
			return retry(sink.ReasonBusy)
		}
		return retry(sink.ReasonNetwork)
	case codes.DeadlineExceeded, codes.Canceled:
		return retry(sink.ReasonTimeout)
	case codes.ResourceExhausted:
		if !asked && n > 1 { // it may be the size of the request
			return sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonTooLarge}, 0
		}
		return retry(sink.ReasonBusy)
	case codes.Unauthenticated, codes.PermissionDenied:
		return retry(sink.ReasonAuth)
	case codes.Unimplemented, codes.NotFound:
		return retry(sink.ReasonNotFound)
	case codes.InvalidArgument:
		return sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}, 0
	}
	return retry(sink.ReasonServer)
}

// Close implements sink.Closer.
func (s *Sink) Close() error {
	if s.conn != nil {
		return errors.Join(s.conn.Close(), s.http.Close())
	}
	return s.http.Close()
}
