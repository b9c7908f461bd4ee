package app_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// While the output acknowledges nothing, nothing is committed, however long that
// takes and however often it is tried; a kill -9 in the middle of it loses nothing.
// The two sides are two brokers, so that one of them can stand still.
func TestNothingCommitsWhileTheOutputStandsStill(t *testing.T) {
	in, out := broker(t), kafkatest.Start(t, quick)
	s := setup{broker: in.Addr(), group: "standstill", input: "standstill-in", noAlertsFile: true, limits: "produce_timeout: 1s"}
	s.more = fmt.Sprintf("output: {kafka: {brokers: [%s]}}\n", out.Addr())
	const partitions, records = 2, 200
	in.CreateTopics(t, kafkatest.Topic{Name: s.input, Partitions: partitions})
	out.CreateTopics(t, kafkatest.Topic{Name: s.output(), Partitions: partitions}, kafkatest.Topic{Name: s.alerts()}, kafkatest.Topic{Name: s.dead()})
	client := ask(t, in.Addr())
	sent := 0
	send := func() {
		var batch []*kgo.Record
		for range records {
			batch = append(batch, &kgo.Record{Topic: s.input, Partition: int32(sent % partitions), Value: fmt.Appendf(nil, "%d", sent/partitions)})
			sent++
		}
		produce(t, in.Addr(), batch...)
	}
	m := newMember(t, s, newKey(t))
	m.start()
	send()
	await(t, "committing what is delivered", []*member{m}, func() bool { return lag(client, s.group, s.input, partitions) == 0 })

	if err := out.Freeze(); err != nil {
		t.Fatal(err)
	}
	send()
	for p := range partitions {
		line := fmt.Appendf(nil, `msg="trying again" topic=%s partition=%d`, s.input, p)
		await(t, "giving up a delivery twice", []*member{m}, func() bool {
			if behind := lag(client, s.group, s.input, partitions); behind >= 0 && behind != records {
				t.Fatalf("%d records are not committed, and %d not acknowledged", behind, records)
			}
			return bytes.Count(m.log(), line) >= 2
		})
	}
	m.kill()
	if behind := knownLag(t, client, s.group, s.input, partitions); behind != records {
		t.Errorf("after kill -9: %d records are not committed, and %d not acknowledged", behind, records)
	}
	if err := out.Thaw(); err != nil {
		t.Fatal(err)
	}
	m.start()
	await(t, "committing the rest", []*member{m}, func() bool { return lag(client, s.group, s.input, partitions) == 0 })
	if code := m.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, m.tail())
	}
	var next [partitions]int
	repeated := 0
	for _, r := range readAll(t, out.Addr(), s.output(), partitions) {
		var n int
		if _, err := fmt.Sscan(string(r.Value), &n); err != nil || n > next[r.Partition] {
			t.Fatalf("output partition %d: %q comes where %d is to come", r.Partition, r.Value, next[r.Partition])
		} else if n < next[r.Partition] {
			repeated++
			continue
		}
		next[r.Partition]++
	}
	t.Logf("%d duplicates", repeated)
	if next[0]+next[1] != sent {
		t.Errorf("the output has %d of %d records", next[0]+next[1], sent)
	}
}
