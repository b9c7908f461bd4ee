package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// clusterID is that of every cluster: any 22-character base64 UUID does.
const clusterID = "4L6g3nShT-eMCtK--X86sw"

var javaFlags = []string{
	"-Xms32m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
	"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
}

// Broker is one Kafka process. Its methods are safe for one goroutine at a time.
type Broker struct {
	id         int
	dir        string
	addr       string // of the PLAINTEXT listener
	controller string
	extra      map[string]string
	dist       distribution
	nodes      int

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the process is gone
}

// Start runs a broker for the length of a test and waits until it serves.
func Start(t testing.TB, options ...Option) *Broker {
	t.Helper()
	b, err := Launch(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// Launch is Start for a TestMain, which must Close the broker.
func Launch(options ...Option) (*Broker, error) {
	c, err := launch(1, options)
	if err != nil {
		return nil, err
	}
	return c.Brokers[0], nil
}

// Addr is host:port of the listener without security.
func (b *Broker) Addr() string { return b.addr }

// Listener is host:port of a listener added by the option of that name.
func (b *Broker) Listener(name string) string { return b.extra[name] }

// Data is the folder of the broker's logs: one folder in it for each partition.
func (b *Broker) Data() string { return filepath.Join(b.dir, "data") }

func (b *Broker) properties() string { return filepath.Join(b.dir, "server.properties") }

// Log is what the broker wrote on its standard error, warnings and worse.
func (b *Broker) Log() string {
	text, _ := os.ReadFile(filepath.Join(b.dir, "log"))
	return string(text)
}

func (b *Broker) start() error {
	log, err := os.OpenFile(filepath.Join(b.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	args := append(append([]string{}, javaFlags...), "-cp", b.dist.classpath(), "kafka.Kafka", b.properties())
	cmd := exec.Command(b.dist.java, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is for the test to know, which ended it
		close(done)
	}()
	b.mu.Lock()
	b.cmd, b.done = cmd, done
	b.mu.Unlock()
	return nil
}

// signal sends s and tells the channel that closes when the process is gone.
func (b *Broker) signal(s syscall.Signal) (<-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.done:
		return b.done, nil
	default:
		return b.done, syscall.Kill(b.cmd.Process.Pid, s)
	}
}

// Kill ends the broker with SIGKILL and waits until it is gone.
func (b *Broker) Kill() {
	if done, err := b.signal(syscall.SIGKILL); err == nil {
		<-done
	}
}

// Stop ends the broker with SIGTERM, and with SIGKILL when that takes 10 s.
func (b *Broker) Stop() {
	done, err := b.signal(syscall.SIGTERM)
	if err != nil {
		return
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		b.Kill()
	}
}

// Freeze stops the process where it is, until Thaw. It returns when all of its threads
// stand still: the signal alone does not wait for them.
func (b *Broker) Freeze() error {
	if _, err := b.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for range 1000 {
		if b.stands() {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("kafkatest: the broker does not stand still")
}

// stands reports whether all threads are stopped, as Linux tells it (proc_pid_stat(5)).
func (b *Broker) stands() bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", b.cmd.Process.Pid))
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err == nil && !bytes.Contains(stat, []byte(") T ")) {
			return false
		}
	}
	return true
}

// Thaw lets a frozen process go on.
func (b *Broker) Thaw() error { _, err := b.signal(syscall.SIGCONT); return err }

// Restart starts a broker again that Kill or Stop ended, on its data and ports,
// and waits until it serves.
func (b *Broker) Restart() error {
	select {
	case <-b.done:
	default:
		return errors.New("kafkatest: the broker still runs: Kill or Stop it first")
	}
	if err := b.start(); err != nil {
		return err
	}
	return b.wait()
}

func (b *Broker) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if err := ready(ctx, b.addr, b.nodes, b.done); err != nil {
		return fmt.Errorf("kafkatest: broker %d: %w\n%s", b.id, err, b.Log())
	}
	return nil
}

// Close ends the broker and removes its folder.
func (b *Broker) Close() {
	b.Kill()
	_ = os.RemoveAll(b.dir) // a leftover folder in the temporary directory harms nothing
}
