package app_test

import (
	"errors"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/internal/app"
	"github.com/leakveil/leakveil/internal/kafkatest"
)

// What is wrong with the surroundings is said before the first record is read:
// by New, and by the program with exit code 2 and one sentence.
func TestStartSaysWhatIsMissing(t *testing.T) {
	full := func(s setup) []kafkatest.Topic {
		return []kafkatest.Topic{
			{Name: s.input, Partitions: 2}, {Name: s.output(), Partitions: 2},
			{Name: s.alerts(), Partitions: 1}, {Name: s.dead(), Partitions: 1},
		}
	}
	cases := []struct {
		name   string
		change func(topics []kafkatest.Topic) []kafkatest.Topic
		want   []string
	}{
		{"start-no-input", func(t []kafkatest.Topic) []kafkatest.Topic { return t[1:] }, []string{"input.kafka.topics", "start-no-input-in does not exist"}},
		{"start-no-output", func(t []kafkatest.Topic) []kafkatest.Topic { return append(t[:1:1], t[2:]...) }, []string{"output.kafka.topic", "start-no-output-in.masked does not exist"}},
		{"start-no-alerts", func(t []kafkatest.Topic) []kafkatest.Topic { return append(t[:2:2], t[3]) }, []string{"alerts.kafka.topic", "start-no-alerts.alerts does not exist"}},
		{"start-no-dead", func(t []kafkatest.Topic) []kafkatest.Topic { return t[:3] }, []string{"dead_letter.kafka.topic", "start-no-dead.dead does not exist"}},
		{"start-fewer", func(t []kafkatest.Topic) []kafkatest.Topic { t[1].Partitions = 1; return t }, []string{"start-fewer-in.masked has 1 partitions", "start-fewer-in has 2"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, b := newSetup(t, c.name, 0)
			b.CreateTopics(t, c.change(full(s))...)
			a, err := s.open(t)
			if err == nil {
				a.Close()
			}
			if !errors.Is(err, app.ErrStart) {
				t.Fatalf("New: %v, want ErrStart", err)
			}
			out, err := exec.Command(mustBinary(t), "run", "--config", s.configPath(t)).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Errorf("the program: %v, want exit code 2", err)
			}
			for _, want := range c.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q is not in what the program says:\n%s", want, out)
				}
			}
		})
	}
}

func TestNoBrokerIsSaid(t *testing.T) {
	s := setup{broker: "127.0.0.1:1", group: "nobody", input: "in"}
	out, err := exec.Command(mustBinary(t), "run", "--config", s.configPath(t)).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "127.0.0.1:1") {
		t.Errorf("%v\n%s", err, out)
	}
}

// SIGTERM while leakveil looks at brokers is no failure of these.
func TestTermBeforeTheStartIsNoError(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	m := newMember(t, setup{broker: silent.Addr().String(), group: "early", input: "in"}, newKey(t))
	m.start()
	connection, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if code := m.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, m.tail())
	}
}

// After SIGTERM what was delivered is committed: the next member repeats nothing.
func TestTermDrains(t *testing.T) {
	s, b := newSetup(t, "drain", 3)
	s.noAlertsFile, s.inputMore = false, "fetch_max_bytes: 64KiB"
	const records, partitions = 30_000, 3
	var in []*kgo.Record
	for i := range records {
		in = append(in, &kgo.Record{Topic: s.input, Partition: int32(i % partitions), Value: []byte(strings.Repeat("a clean line ", 20))})
	}
	produce(t, b.Addr(), in...)
	client := ask(t, b.Addr())
	m := newMember(t, s, newKey(t))
	for done := false; !done; {
		before := sum(ends(client, s.output(), partitions))
		m.start()
		await(t, "masking anything", []*member{m}, func() bool {
			return sum(ends(client, s.output(), partitions)) > before
		})
		if code := m.stop(); code != 0 {
			t.Fatalf("exit code %d\n%s", code, m.tail())
		}
		written := sum(ends(client, s.output(), partitions))
		behind := knownLag(t, client, s.group, s.input, partitions)
		if written+behind != records {
			t.Fatalf("%d records are written, %d of %d are not committed", written, behind, records)
		}
		done = behind == 0
	}
	if n := len(readAll(t, b.Addr(), s.output(), partitions)); n != records {
		t.Errorf("%d records on the output, want %d", n, records)
	}
}

// An expression that matches leakveil's own topics does not make it read them.
func TestOwnTopicsAreNeverRead(t *testing.T) {
	s, b := newSetup(t, "own", 2)
	s.inputMore = `topics_regex: "own.*"`
	r := s.run(t)
	secret := randomSecret()
	var in []*kgo.Record
	for i := range 100 {
		in = append(in, &kgo.Record{Topic: s.input, Partition: int32(i % 2), Value: []byte("client_id=shop&code_verifier=" + secret)})
	}
	produce(t, b.Addr(), in...)
	await(t, "alerting", nil, func() bool { return sum(ends(r.client, s.alerts(), 3)) > 100 })
	r.finish(2)
	if n := sum(ends(r.client, s.output(), 2)); n != 100 {
		t.Errorf("%d records on the output, want 100", n)
	}
	for topic, partitions := range map[string]int{s.output(): 2, s.alerts(): 3, s.dead(): 1} {
		// Nothing of a topic that is not read is committed.
		if behind, size := knownLag(t, r.client, s.group, topic, partitions), sum(ends(r.client, topic, partitions)); behind != size {
			t.Errorf("%d records of %s were read", size-behind, topic)
		}
	}
}
