package elastic_test

import (
	"os"
	"testing"

	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/elastic"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
	"github.com/leakveil/leakveil/internal/sink/transport"
)

// The same on real Elasticsearch servers, with TLS and a user that may only create
// documents, in the long job.
func TestARealElasticsearch(t *testing.T) {
	if os.Getenv("LEAKVEIL_LONG") == "" {
		return
	}
	for _, version := range []string{"8.15.0", "9.1.0"} {
		t.Run(version, func(t *testing.T) {
			certs := backend.NewCerts(t)
			server, ok := backend.StartSecureElasticsearch(t, certs, version)
			if !ok {
				t.Fatalf("no Java for Elasticsearch %s", version)
			}
			options := func(user, stream string) elastic.Options {
				return elastic.Options{Stream: stream, HTTP: transport.HTTPOptions{
					URL: server.URL, TLS: transport.TLS{CAFile: certs.CA}, Username: user, Password: transport.Secret{File: server.PasswordFile}, Gzip: true,
				}}
			}
			if a := open(t, options("admin", "")).Install(t.Context()); a.Outcome.Verdict != sink.Delivered {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			s := open(t, options(server.Writer, ""))
			t.Run("documents arrive once", func(t *testing.T) { arriveOnce(t, server, s) })
			t.Run("queries by the template's fields", func(t *testing.T) { queries(t, server, s) })
			t.Run("a bad document hurts no other", func(t *testing.T) { badDocument(t, server, s) })
			t.Run("a full disk is waited for", func(t *testing.T) {
				block := func(value string) {
					server.Do(t, "PUT", "/"+elastic.DefaultStream+"/_settings", `{"index.blocks.read_only_allow_delete":`+value+`}`, nil)
				}
				block("true")
				expect(t, s, sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonBusy})
				block("null")
				expect(t, s, sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Delivered})
			})
			t.Run("a stream that this user may not write", func(t *testing.T) {
				server.Do(t, "PUT", "/other-index", "", nil)
				expect(t, open(t, options(server.Writer, "other-index")), sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth})
			})
			t.Run("a wrong password", func(t *testing.T) {
				wrong := options(server.Writer, "")
				t.Setenv("LEAKVEIL_TEST_PASSWORD", sinktest.Secret())
				wrong.HTTP.Password = transport.Secret{Env: "LEAKVEIL_TEST_PASSWORD"}
				expect(t, open(t, wrong), sinktest.Items(t, 2), sink.Outcome{Verdict: sink.Retry, Reason: sink.ReasonAuth})
			})
		})
	}
}
