package app_test

import (
	"fmt"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
)

// What runs with an OTLP input leaves nothing running behind, however often it is started.
func TestOTLPLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("runs", func(t *testing.T) {
		for range 5 {
			backend := otlpnettest.Start(t, nil)
			e := newEndpoint(t, "", fmt.Sprintf("output: {otlp: {endpoint: %q}, file: {path: DIR/out.ndjson}}\n", backend.GRPC))
			for _, overHTTP := range []bool{false, true} {
				address := e.grpc
				if overHTTP {
					address = e.http
				}
				sdk := otlpnettest.NewSDK(t, otlpnettest.Client{Address: address, HTTP: overHTTP}, shop())
				if err := emit(t.Context(), sdk, "code_verifier="+randomSecret()); err != nil {
					t.Fatal(err)
				}
			}
			e.stop()
		}
	})
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}
