package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // for -gzip

	"github.com/leakveil/leakveil/benchmarks/requests"
)

// collector is a Collector that runs.
type collector struct {
	cmd     *exec.Cmd
	dir     string
	metrics string // host:port
	conn    *grpc.ClientConn
	logs    plogotlp.GRPCClient
	traces  ptraceotlp.GRPCClient
}

// start starts the Collector with the processors between an OTLP receiver and nop.
func start(program string, procs int, processors string) (*collector, error) {
	dir, err := os.MkdirTemp("", "leakveil-collector-")
	if err != nil {
		return nil, err
	}
	c := &collector{dir: dir}
	endpoint, err1 := freeAddress()
	metrics, err2 := freeAddress()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	c.metrics = metrics
	_, port, _ := strings.Cut(metrics, ":")
	config := filepath.Join(dir, "c.yaml")
	text := fmt.Sprintf(`receivers: {otlp: {protocols: {grpc: {endpoint: %q, max_recv_msg_size_mib: 64}}}}
processors: {leakveil: {}}
exporters: {nop: {}}
service:
  telemetry:
    logs: {level: error}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s, without_type_suffix: true}}}}]}
  pipelines:
    logs: {receivers: [otlp], processors: [%s], exporters: [nop]}
    traces: {receivers: [otlp], processors: [%s], exporters: [nop]}
`, endpoint, port, processors, processors)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	c.cmd = exec.Command(program, "--config", config)
	c.cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(procs))
	c.cmd.Stderr = os.Stderr
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if c.conn, err = grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		return nil, err
	}
	c.logs, c.traces = plogotlp.NewGRPCClient(c.conn), ptraceotlp.NewGRPCClient(c.conn)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := c.logs.Export(ctx, plogotlp.NewExportRequest(), grpc.WaitForReady(true)); err != nil {
		c.stop()
		return nil, fmt.Errorf("the Collector does not take requests: %w", err)
	}
	return c, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (c *collector) stop() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	_ = c.cmd.Process.Signal(os.Interrupt)
	_ = c.cmd.Wait()
	_ = os.RemoveAll(c.dir)
}

// cpu is the CPU time that the process has used so far, by its own clock: what /proc says is
// counted in ticks.
func (c *collector) cpu() time.Duration {
	const process = 2                            // CPUCLOCK_SCHED, of all threads
	id := int32(^c.cmd.Process.Pid<<3) | process // as <linux/posix-timers_types.h> says
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		panic(fmt.Sprintf("BUG: the clock of process %d: %v", c.cmd.Process.Pid, err))
	}
	return time.Duration(t.Nano())
}

// send sends all requests, as many at a time as the Collector has processors, and returns
// when all are answered. The Collector has no queue: answered is done.
func (c *collector) send(list []requests.Request) error {
	var group errgroup.Group
	group.SetLimit(*procs)
	var options []grpc.CallOption
	if *gzip {
		options = append(options, grpc.UseCompressor("gzip"))
	}
	for i := range list {
		group.Go(func() error {
			var err error
			if r := &list[i]; r.Traces.SpanCount() > 0 {
				_, err = c.traces.Export(context.Background(), ptraceotlp.NewExportRequestFromTraces(r.Traces), options...)
			} else {
				_, err = c.logs.Export(context.Background(), plogotlp.NewExportRequestFromLogs(r.Logs), options...)
			}
			return err
		})
	}
	return group.Wait()
}

// findings is how many secrets the Collector says it has found so far.
func (c *collector) findings() (sum int64, err error) {
	r, err := http.Get("http://" + c.metrics + "/metrics")
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "otelcol_processor_leakveil_findings") {
			n, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			if err != nil {
				return 0, err
			}
			sum += int64(n)
		}
	}
	return sum, nil
}
