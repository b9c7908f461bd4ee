package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/leakveil/leakveil/internal/sink"
)

// maxAnswer bounds how much of an answer is read: a bulk answer has one entry of
// a few hundred bytes for each item.
const maxAnswer = 16 << 20

// HTTPOptions configure a Client.
type HTTPOptions struct {
	// URL is the receiver's address: http or https, without user, query allowed.
	URL string
	// SecretURL is the place of an address that is itself a credential, instead of
	// URL. It is read again for each request.
	SecretURL Secret
	TLS       TLS
	// Username with Password is Basic authentication.
	Username string
	Password Secret
	// Token goes into the Authorization header behind Scheme ("Bearer" if empty).
	Token  Secret
	Scheme string
	// Headers are sent with every request; they are no place for credentials.
	Headers map[string]string
	// SecretHeaders are headers whose values are credentials.
	SecretHeaders map[string]Secret
	// Confidential says that bodies hold a credential.
	Confidential bool
	// Gzip compresses bodies.
	Gzip bool
}

// Client sends requests to one address.
type Client struct {
	o    HTTPOptions
	http *http.Client
	now  func() time.Time
}

// New checks the options and reads every credential once, so that a missing one
// is found at the start.
func New(o HTTPOptions) (*Client, error) {
	if o.Username != "" != o.Password.Set() || o.Username != "" && o.Token.Set() {
		return nil, errors.New("credentials: either username with password, or a token")
	}
	if o.URL != "" && o.SecretURL.Set() {
		return nil, errors.New("url: given twice")
	}
	c := &Client{o: o, now: time.Now}
	if _, err := c.address(); err != nil {
		return nil, err
	}
	config, err := o.TLS.Config()
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	if err := c.authorize(http.Header{}); err != nil {
		return nil, err
	}
	c.http = &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: config, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, MaxResponseHeaderBytes: 64 << 10,
			DisableCompression: true, // an answer must not grow when it is read
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// address returns where requests go. Its errors hold nothing of an address.
func (c *Client) address() (*url.URL, error) {
	text := c.o.URL
	if c.o.SecretURL.Set() {
		var err error
		if text, err = c.o.SecretURL.Read(); err != nil {
			return nil, fmt.Errorf("url: %w", err)
		}
	}
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("url: not an http or https address")
	case base.User != nil:
		return nil, errors.New("url: credentials do not belong into an address; use username and password_file")
	case c.secret() && base.Scheme == "http" && !loopback(base.Hostname()):
		return nil, errors.New("url: credentials go over https only")
	}
	base.Fragment = ""
	return base, nil
}

func (c *Client) secret() bool {
	return c.o.SecretURL.Set() || c.o.Username != "" || c.o.Token.Set() || len(c.o.SecretHeaders) > 0 || c.o.Confidential
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// authorize adds the credentials to h.
func (c *Client) authorize(h http.Header) error {
	if c.o.Username != "" {
		password, err := c.o.Password.Read()
		if err != nil {
			return fmt.Errorf("password: %w", err)
		}
		r := http.Request{Header: h}
		r.SetBasicAuth(c.o.Username, password)
	}
	if c.o.Token.Set() {
		token, err := c.o.Token.header()
		if err != nil {
			return fmt.Errorf("token: %w", err)
		}
		scheme := c.o.Scheme
		if scheme == "" {
			scheme = "Bearer"
		}
		h.Set("Authorization", scheme+" "+token)
	}
	for name, secret := range c.o.SecretHeaders {
		value, err := secret.header()
		if err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
		h.Set(name, value)
	}
	return nil
}

// Credentials returns the headers that a request carries, read now: for sinks
// that send over something else.
func (c *Client) Credentials() (http.Header, error) {
	h := http.Header{}
	for name, value := range c.o.Headers {
		h.Set(name, value)
	}
	return h, c.authorize(h)
}

// Request is one request.
type Request struct {
	Method string // POST if empty
	// Path is added to the address's, Query to its query.
	Path        string
	Query       url.Values
	ContentType string
	Body        []byte
	Header      http.Header
}

// Answer is what a receiver said.
type Answer struct {
	// Outcome judges the request as a whole.
	Outcome sink.Outcome
	// Status is 0 when there was no answer.
	Status     int
	Header     http.Header
	Body       []byte
	RetryAfter time.Duration
}

// Report is the answer as that for each of n items.
func (a Answer) Report(n int) sink.Report {
	r := sink.All(n, a.Outcome)
	r.RetryAfter = a.RetryAfter
	return r
}

// Do sends one request and judges the answer.
func (c *Client) Do(ctx context.Context, r Request) Answer {
	request, err := c.request(ctx, r)
	if err != nil { // a credential cannot be read now
		return failed(sink.ReasonAuth)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return failed(reason(ctx, err))
	}
	defer response.Body.Close()
	a := Answer{Status: response.StatusCode, Header: response.Header, Outcome: Judge(response.StatusCode)}
	a.RetryAfter = retryAfter(response.Header.Get("Retry-After"), c.now())
	a.Body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil && a.Outcome.Verdict == sink.Delivered {
		// The status came, the rest did not: a sink that reads the body knows too
		// little, and one that does not has its answer.
		a.Body = nil
	}
	return a
}

func failed(reason string) Answer {
	return Answer{Outcome: sink.Outcome{Verdict: sink.Retry, Reason: reason}}
}

func reason(ctx context.Context, err error) string {
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return sink.ReasonTimeout
	}
	return sink.ReasonNetwork
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	target, err := c.address()
	if err != nil {
		return nil, err
	}
	if r.Path != "" {
		target = target.JoinPath(r.Path)
	}
	if len(r.Query) > 0 {
		query := target.Query()
		for name, values := range r.Query {
			query[name] = values
		}
		target.RawQuery = query.Encode()
	}
	method, body := r.Method, r.Body
	if method == "" {
		method = http.MethodPost
	}
	if c.o.Gzip && len(body) > 0 {
		body = compress(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "leakveil")
	for name, value := range c.o.Headers {
		request.Header.Set(name, value)
	}
	if r.ContentType != "" {
		request.Header.Set("Content-Type", r.ContentType)
	}
	if c.o.Gzip && len(body) > 0 {
		request.Header.Set("Content-Encoding", "gzip")
	}
	for name, values := range r.Header {
		request.Header[name] = values
	}
	return request, c.authorize(request.Header)
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // into memory
	_ = w.Close()
	return b.Bytes()
}

// Close closes idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Judge says what a status means for what was sent. What may be the fault of the
// configuration (credentials, address, a redirect) is tried on: when it is
// mended, nothing was lost. Only what is about the bytes themselves is refused.
func Judge(status int) sink.Outcome {
	switch {
	case status >= 200 && status < 300:
		return sink.Outcome{Verdict: sink.Delivered}
	case status >= 300 && status < 400:
		return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonRedirect}
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth}
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusMisdirectedRequest:
		return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonNotFound}
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy}
	case http.StatusRequestEntityTooLarge:
		return sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonTooLarge}
	}
	if status >= 400 && status < 500 {
		return sink.Outcome{Verdict: sink.Split, Reason: sink.ReasonRefused}
	}
	return sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonServer}
}

// retryAfter reads the header: seconds or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
