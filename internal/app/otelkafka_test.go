package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// otelkafka is the Collector's Kafka exporter and receiver as a program.
var otelkafka = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryFolder, "otelkafka")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Dir = filepath.Join("..", "kafkatest", "otelkafka")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// collectorKafka runs it with a configuration and gives what it prints.
func collectorKafka(t *testing.T, stdin []byte, mode string, config map[string]any, more ...string) []byte {
	t.Helper()
	program, err := otelkafka()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{mode, string(text)}, more...)...)
	var out, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%.4000s", mode, err, log.Bytes())
	}
	return out.Bytes()
}

// What the Collector's own exporter writes (keys by trace and by resource, headers from
// metadata) goes through leakveil, which tells the signal from the payload alone, and is
// read by the Collector's own receiver: masked, complete, clean requests as they were.
func TestTheCollectorsKafka(t *testing.T) {
	for _, encoding := range []string{"otlp_proto", "otlp_json"} {
		t.Run(encoding, func(t *testing.T) {
			b := broker(t)
			prefix := "collector_" + encoding + "_"
			s := setup{broker: b.Addr(), group: prefix, inputMore: fmt.Sprintf("topics_regex: \"%s(logs|spans|metrics)\", encoding: %s", prefix, encoding)}
			b.CreateTopics(t, kafkatest.Topic{Name: s.alerts(), Partitions: 3}, kafkatest.Topic{Name: s.dead()})
			writes := map[string]any{"brokers": []string{b.Addr()}, "partition_traces_by_id": true, "partition_metrics_by_resource_attributes": true, "partition_logs_by_resource_attributes": true}
			if encoding == "otlp_json" {
				writes["signal_header"] = true
			}
			reads := map[string]any{"brokers": []string{b.Addr()}, "group_id": prefix + "reader", "initial_offset": "earliest"}
			for signal, topic := range map[string]string{"logs": "logs", "traces": "spans", "metrics": "metrics"} {
				b.CreateTopics(t, kafkatest.Topic{Name: prefix + topic, Partitions: 2}, kafkatest.Topic{Name: prefix + topic + ".masked", Partitions: 2})
				writes[signal] = map[string]any{"topic": prefix + topic, "encoding": encoding}
				reads[signal] = map[string]any{"topics": []string{prefix + topic + ".masked"}, "encoding": encoding}
			}
			c := &canaries{t: t}
			leaking, clean := c.requests("otlp_json")
			var in []byte
			want := map[string]bool{}
			for signal := range leaking {
				in = append(append(append(append(in, leaking[signal]...), '\n'), clean[signal]...), '\n')
				want[string(clean[signal])] = true
			}
			collectorKafka(t, in, "send", writes)
			m := newMember(t, s, newKey(t))
			m.start()
			client := ask(t, b.Addr())
			await(t, "committing the input", []*member{m}, func() bool {
				left := int64(0)
				for signal := range leaking {
					left += lag(client, s.group, prefix+signal, 2)
				}
				return left == 0
			})
			m.scrape()
			if code := m.stop(); code != 0 {
				t.Errorf("exit code %d\n%s", code, m.tail())
			}
			records := 0
			for signal := range leaking {
				before, after := readAll(t, b.Addr(), prefix+signal, 2), readAll(t, b.Addr(), prefix+signal+".masked", 2)
				records += len(after)
				if len(before) != len(after) || form(c, raw(after)) != "" {
					t.Errorf("%s: %d records of %d, %s", signal, len(after), len(before), form(c, raw(after)))
				}
				if signal == "spans" && !keyed(after) {
					t.Error("records of traces have lost their keys")
				}
			}
			if dead := readAll(t, b.Addr(), s.dead(), 1); len(dead) != 0 || records < 6 {
				t.Errorf("%d records, %d dead letters", records, len(dead))
			}
			out := collectorKafka(t, nil, "receive", reads, fmt.Sprint(records))
			if form := c.in(out); form != "" {
				t.Errorf("the receiver read a secret, %s", form)
			}
			masks := 0
			for line := range bytes.Lines(out) {
				delete(want, string(bytes.TrimSuffix(line, []byte("\n"))))
				masks += bytes.Count(line, []byte("REDACTED."))
			}
			if len(want) != 0 {
				t.Errorf("clean requests are missing or changed: %v", want)
			}
			// One mask is inside of bytes, which JSON writes in base64, in each set of attributes.
			if masks < c.planted/2 {
				t.Errorf("%d masks of %d secrets", masks, c.planted)
			}
		})
	}
}

func form(c *canaries, text []byte) string { return c.in(text) }

func keyed(records []*kgo.Record) bool {
	for _, r := range records {
		if len(r.Key) == 0 {
			return false
		}
	}
	return len(records) > 0
}
