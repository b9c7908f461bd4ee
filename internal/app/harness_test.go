package app_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/freeport"
	"github.com/leakveil/leakveil/internal/kafkatest"
)

var (
	binaryFolder string
	sharedBroker *kafkatest.Broker
)

// quick lets members have sessions shorter than a broker takes by itself: a
// member that is killed is missed sooner.
var quick = kafkatest.Properties(map[string]string{"group.min.session.timeout.ms": "1000"})

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	var err error
	if binaryFolder, err = os.MkdirTemp("", "leakveil-app-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(binaryFolder)
	defer func() {
		if sharedBroker != nil {
			sharedBroker.Close()
		}
	}()
	return m.Run()
}

// binary is the program as users build it.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryFolder, "leakveil")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/leakveil").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

var launchShared = sync.OnceValues(func() (*kafkatest.Broker, error) {
	b, err := kafkatest.Launch(quick)
	sharedBroker = b
	return b, err
})

// broker is one for all tests that do not harm it; each has topics of its own.
func broker(t *testing.T) *kafkatest.Broker {
	t.Helper()
	b, err := launchShared()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// setup is the configuration of a member; its topics are named after its group.
type setup struct {
	broker, group, input string // input: one topic
	more                 string // further YAML, of keys that are not written here
	inputMore, limits    string // YAML flow members, as `topics_regex: ".*"`
	alertsMore           string // YAML lines below alerts, indented by two
	alertsKafka          string // YAML flow members of alerts.kafka
	noAlertsFile         bool
}

func (s setup) alerts() string { return s.group + ".alerts" }
func (s setup) dead() string   { return s.group + ".dead" }
func (s setup) output() string { return s.input + ".masked" }

// write makes the member's folder with key and configuration. Members of one
// group share the key.
func (s setup) write(t *testing.T, dir, key, listen string) string {
	t.Helper()
	input := fmt.Sprintf("brokers: [%s], group: %s, session_timeout: 3s, heartbeat_interval: 500ms", s.broker, s.group)
	if s.input != "" && !strings.Contains(s.inputMore, "topics_regex") {
		input += ", topics: [" + s.input + "]"
	}
	if s.inputMore != "" {
		input += ", " + s.inputMore
	}
	text := fmt.Sprintf("input: {kafka: {%s}}\n", input)
	text += fmt.Sprintf("alerts:\n  kafka: {topic: %s%s}\n  interval: 1s\n", s.alerts(), s.alertsKafka)
	if !s.noAlertsFile {
		text += fmt.Sprintf("  file: {path: %s}\n", filepath.Join(dir, "alerts.ndjson"))
	}
	text += s.alertsMore
	text += fmt.Sprintf("dead_letter: {kafka: {topic: %s}}\nfingerprint: {key_file: %s}\nhttp: {listen: %q}\n", s.dead(), key, listen)
	if s.limits != "" {
		text += "limits: {" + s.limits + "}\n"
	}
	path := filepath.Join(dir, "leakveil.yaml")
	if err := os.WriteFile(path, []byte(text+s.more), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// topics creates what the member needs, with n partitions each.
func (s setup) topics(t *testing.T, b *kafkatest.Broker, n int) {
	t.Helper()
	b.CreateTopics(t,
		kafkatest.Topic{Name: s.input, Partitions: n}, kafkatest.Topic{Name: s.output(), Partitions: n},
		kafkatest.Topic{Name: s.alerts(), Partitions: 3}, kafkatest.Topic{Name: s.dead()})
}

func newKey(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.bin")
	if out, err := exec.Command(mustBinary(t), "key", "new", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func mustBinary(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// member is a process of leakveil run, started any number of times.
type member struct {
	command                string // empty: run
	t                      *testing.T
	program, dir, listen   string
	cmd                    *exec.Cmd
	ended                  chan struct{}
	mu                     sync.Mutex
	wanted                 bool // to end
	unexpected             error
	scrapes                []byte // what /metrics said
	kills, starts, scraped int
}

func newMember(t *testing.T, s setup, key string) *member {
	t.Helper()
	l, err := freeport.Listen()
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	_ = l.Close()
	m := &member{t: t, program: mustBinary(t), dir: t.TempDir(), listen: listen}
	s.write(t, m.dir, key, listen)
	t.Cleanup(m.kill)
	return m
}

func (m *member) start() {
	m.t.Helper()
	log, err := os.OpenFile(filepath.Join(m.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		m.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(m.program, cmp.Or(m.command, "run"), "--config", filepath.Join(m.dir, "leakveil.yaml"))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.starts++
	ended := make(chan struct{})
	m.mu.Lock()
	m.cmd, m.ended, m.wanted = cmd, ended, false
	m.mu.Unlock()
	go func() {
		err := cmd.Wait()
		m.mu.Lock()
		if !m.wanted {
			m.unexpected = fmt.Errorf("a member ended by itself: %v (code %d)", err, cmd.ProcessState.ExitCode())
		}
		m.mu.Unlock()
		close(ended)
	}()
}

func (m *member) signal(s syscall.Signal) {
	m.mu.Lock()
	m.wanted = true
	cmd := m.cmd
	m.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Signal(s) // it may be gone
	}
}

// kill is kill -9.
func (m *member) kill() {
	if m.cmd == nil {
		return
	}
	m.kills++
	m.signal(syscall.SIGKILL)
	<-m.ended
}

// stop asks the member to end and gives its exit code.
func (m *member) stop() int {
	m.t.Helper()
	m.signal(syscall.SIGTERM)
	select {
	case <-m.ended:
	case <-time.After(patience):
		m.t.Fatalf("a member does not end after SIGTERM\n%s", m.tail())
	}
	return m.cmd.ProcessState.ExitCode()
}

// check fails the test when the member has ended without being told to.
func (m *member) check() {
	m.t.Helper()
	m.mu.Lock()
	err := m.unexpected
	m.mu.Unlock()
	if err != nil {
		m.t.Fatalf("%v\n%s", err, m.tail())
	}
}

func (m *member) log() []byte {
	text, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return text
}

func (m *member) tail() string {
	text := m.log()
	return string(text[max(0, len(text)-4000):])
}

// get asks the member's HTTP server.
func (m *member) get(path string) (int, []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.listen+path, nil)
	if err != nil {
		return 0, nil
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, nil
	}
	return answer.StatusCode, body
}

// scrape keeps what /metrics says now; a member that has just started has none.
func (m *member) scrape() {
	if code, body := m.get("/metrics"); code == http.StatusOK {
		m.scrapes = append(m.scrapes, body...)
		m.scraped++
	}
}

func (m *member) ready() bool {
	code, _ := m.get("/readyz")
	return code == http.StatusOK
}

// patience ends a wait for something that does not come.
const patience = 3 * time.Minute

// await waits until done tells so, and fails the test when a member ends.
func await(t *testing.T, what string, members []*member, done func() bool) {
	t.Helper()
	limit := time.Now().Add(patience)
	for !done() {
		for _, m := range members {
			m.check()
		}
		if time.Now().After(limit) {
			for _, m := range members {
				t.Logf("log of a member:\n%s", m.tail())
			}
			t.Fatalf("%s: not within %v", what, patience)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
