package app_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// What the output refuses, so that it is read and masked again and again, counts
// once, when it is delivered at last.
func TestWhatIsTriedAgainCountsOnce(t *testing.T) {
	const oldest = "message.timestamp.before.max.ms"
	s, b := newSetup(t, "counted", 0)
	b.CreateTopics(t, kafkatest.Topic{Name: s.input},
		kafkatest.Topic{Name: s.output(), Config: map[string]string{oldest: "1000"}},
		kafkatest.Topic{Name: s.alerts(), Partitions: 3}, kafkatest.Topic{Name: s.dead()})
	s.limits = "max_record_bytes: 4KiB"
	secret := randomSecret()
	old := time.Now().Add(-time.Hour)
	produce(t, s.broker,
		&kgo.Record{Topic: s.input, Timestamp: old, Value: []byte("client_id=shop&code_verifier=" + secret)},
		&kgo.Record{Topic: s.input, Timestamp: old, Value: []byte(strings.Repeat("long ", 1000))})
	m := newMember(t, s, newKey(t))
	m.start()
	const refused = "Invalid Timestamp"
	await(t, "the output refuses three times", []*member{m}, func() bool { return bytes.Count(m.log(), []byte(refused)) >= 3 })
	_, text := m.get("/metrics")
	if bytes.Contains(text, []byte("\nleakveil_detections_total{")) || bytes.Contains(text, []byte("\nleakveil_dead_letters_total{")) {
		t.Error("what is not delivered was counted")
	}
	answer, err := ask(t, s.broker).AlterConfigs(context.Background(), &kafkago.AlterConfigsRequest{
		Resources: []kafkago.AlterConfigRequestResource{{
			ResourceType: kafkago.ResourceTypeTopic, ResourceName: s.output(),
			Configs: []kafkago.AlterConfigRequestConfig{{Name: oldest, Value: "36000000"}},
		}},
	})
	if err != nil || len(answer.Errors) != 1 {
		t.Fatal(err, answer)
	}
	client := ask(t, s.broker)
	await(t, "committing the input", []*member{m}, func() bool { return lag(client, s.group, s.input, 1) == 0 })
	await(t, "counting", []*member{m}, func() bool {
		_, text = m.get("/metrics")
		return bytes.Contains(text, []byte("leakveil_records_total{"))
	})
	if code := m.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, line := range []string{
		`leakveil_records_total{direction="in",topic="counted-in"} 2`,
		`leakveil_records_total{direction="out",topic="counted-in"} 2`,
		`leakveil_detections_total{confidence="certain",how="same_record"} 1`,
		`leakveil_findings_total{action="mask",kind="code_verifier"} 1`,
		`leakveil_withheld_total{reason="oversize"} 1`,
		`leakveil_dead_letters_total{reason="oversize"} 1`,
		`leakveil_consumer_lag{partition="0",topic="counted-in"} 0`,
		`leakveil_memory_limit_bytes 2.68435456e+08`,
	} {
		if !bytes.Contains(text, []byte("\n"+line+"\n")) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if t.Failed() {
		for line := range bytes.Lines(text) {
			if bytes.HasPrefix(line, []byte("leakveil_")) && !bytes.Contains(line, []byte("bucket")) {
				t.Logf("%s", line)
			}
		}
	}
	if bytes.Contains(text, []byte(secret)) || bytes.Contains(m.log(), []byte(secret)) {
		t.Error("the secret is in metrics or log")
	}
}
