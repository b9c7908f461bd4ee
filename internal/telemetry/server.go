package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server answers /livez, /readyz and /metrics.
type Server struct {
	http     *http.Server
	listener net.Listener
	done     chan error
}

// Serve listens on addr (host:port; port 0 takes a free one) and answers until
// Shutdown. live and ready may be nil: all is well then.
func Serve(addr string, m *Metrics, live, ready *Health) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /livez", healthHandler(live))
	mux.Handle("GET /readyz", healthHandler(ready))
	mux.Handle("GET /metrics", m.Handler())
	s := &Server{
		http: &http.Server{
			Handler:           mux,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       time.Minute,
			MaxHeaderBytes:    16 << 10,
		},
		listener: listener,
		done:     make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(listener) }()
	return s, nil
}

// Addr is the address that the server listens on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Shutdown stops listening and waits for answers under way, until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("http server: %w", err)
	}
	return nil
}

type healthBody struct {
	Status string        `json:"status"`
	Checks []CheckStatus `json:"checks"`
}

func healthHandler(h *Health) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ok, body := true, healthBody{"ok", []CheckStatus{}}
		if h != nil {
			ok, body.Checks = h.Status()
		}
		code := http.StatusOK
		if !ok {
			body.Status, code = "failing", http.StatusServiceUnavailable
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(code)
		// The caller may have gone away; there is nobody to tell.
		_ = json.NewEncoder(w).Encode(body)
	})
}
