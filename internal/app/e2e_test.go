package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/benchmarks/matrix"
	"github.com/leakveil/leakveil/internal/kafkatest"
	"github.com/leakveil/leakveil/rules"
)

const e2ePartitions = 6

// e2e is one run of the main job under attack: records come in all the time,
// members are killed and the broker too.
type e2e struct {
	t       *testing.T
	rnd     *rand.Rand
	setup   setup
	broker  *kafkatest.Broker
	client  *kafkago.Client
	members []*member
	base    time.Time     // event time of the first record
	lines   []corpus.Line // record i is number i/6 of partition i%6
	secrets int

	kills, restarts int
}

// Nothing is lost, nothing leaves unmasked, and every planted secret is alerted
// with its client, whatever is killed at whatever moment.
func TestMainJobSurvivesKills(t *testing.T) {
	records, kills, restarts := 200_000, 10, 2
	if os.Getenv("LEAKVEIL_LONG") != "" {
		records, kills, restarts = 1_000_000, 50, 10
	}
	e := newE2E(t, records)
	calm := make(chan struct{})
	produced := make(chan error, 1)
	go func() { produced <- e.produce(calm, 170*(kills+restarts)) }()
	e.chaos(kills, restarts)
	close(calm)
	if err := <-produced; err != nil {
		t.Fatal(err)
	}
	await(t, "committing all input offsets", e.members, func() bool {
		return lag(e.client, e.setup.group, e.setup.input, e2ePartitions) == 0
	})
	e.awaitAlerts()
	for _, m := range e.members {
		m.scrape()
		if m.scraped == 0 {
			t.Error("a member's metrics were never seen")
		}
		if code := m.stop(); code != 0 {
			t.Errorf("exit code %d after SIGTERM\n%s", code, m.tail())
		}
	}
	e.verify()
}

func newE2E(t *testing.T, records int) *e2e {
	t.Helper()
	// When what is killed is always another matter; the lines of the short run are
	// the same each time, those of the long run new.
	chaos, seed := rand.Uint64(), uint64(1)
	if os.Getenv("LEAKVEIL_LONG") != "" {
		seed = chaos
	}
	t.Logf("seed %d, chaos %d", seed, chaos)
	e := &e2e{t: t, rnd: rand.New(rand.NewPCG(chaos, 1)), broker: kafkatest.Start(t, quick)}
	// Timestamps must not be in the future, or the broker refuses them.
	e.base = time.Now().Add(-time.Duration(records) * eventStep).Truncate(time.Millisecond)
	e.lines = plan(seed, records)
	for _, line := range e.lines {
		e.secrets += len(line.Secrets)
	}
	if e.secrets < records/100 {
		t.Fatalf("%d planted secrets in %d records", e.secrets, records)
	}
	e.setup = setup{broker: e.broker.Addr(), group: "e2e", input: "app-logs", inputMore: "fetch_max_bytes: 256KiB"}
	e.setup.topics(t, e.broker, e2ePartitions)
	e.client = ask(t, e.broker.Addr())
	key := newKey(t)
	for range 2 {
		m := newMember(t, e.setup, key)
		e.members = append(e.members, m)
		m.start()
	}
	return e
}

// plan makes the lines: the stream as it usually is, with every other leak
// replaced by a shape of the matrix, whose kinds take turns, and traps among the
// clean lines.
func plan(seed uint64, records int) []corpus.Line {
	byKind := map[rules.Kind][]corpus.Line{}
	for _, c := range matrix.All(seed) {
		kind := c.Secrets[0].Kind
		byKind[kind] = append(byKind[kind], c.Line)
	}
	kinds, traps := rules.Kinds(), matrix.Traps(seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	g := corpus.New(corpus.Options{Seed: seed, LeakEvery: 95})
	lines := make([]corpus.Line, records)
	leaks := 0
	for i := range lines {
		lines[i] = g.Next()
		switch {
		case len(lines[i].Secrets) > 0:
			if leaks++; leaks%2 == 0 {
				of := byKind[kinds[leaks/2%len(kinds)]]
				lines[i] = of[rnd.IntN(len(of))]
			}
		case i%100 == 0:
			lines[i] = traps[i/100%len(traps)].Line
		}
	}
	return lines
}

const eventStep = time.Millisecond

// record is the i-th input record.
func (e *e2e) record(i int) *kgo.Record {
	p, seq := i%e2ePartitions, i/e2ePartitions
	return &kgo.Record{
		Topic: e.setup.input, Partition: int32(p), Key: fmt.Appendf(nil, "%d/%d", p, seq), Value: e.lines[i].Text,
		Timestamp: e.base.Add(time.Duration(i) * eventStep),
		Headers:   []kgo.RecordHeader{{Key: "service", Value: []byte(e.lines[i].Service)}, {Key: "seq", Value: fmt.Append(nil, seq)}, {Key: "none"}},
	}
}

// produce writes all records: one part in so many of what is left at a time until
// calm, so that there is always something to come, and then the rest at once. Each
// partition has a codec.
func (e *e2e) produce(calm <-chan struct{}, part int) error {
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	clients := make([]*kgo.Client, e2ePartitions)
	for p := range clients {
		var err error
		clients[p], err = kgo.NewClient(kgo.SeedBrokers(e.broker.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.ProducerBatchCompression(codecs[p%len(codecs)]), kgo.ProducerLinger(5*time.Millisecond))
		if err != nil {
			return err
		}
		defer clients[p].Close()
	}
	var failure error
	var once sync.Once
	acknowledged := func(_ *kgo.Record, err error) {
		if err != nil {
			once.Do(func() { failure = err })
		}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for next := 0; next < len(e.lines); {
		share := 1 + (len(e.lines)-next)/part
		select {
		case <-calm:
			share = len(e.lines) - next
		case <-tick.C:
		}
		for range share {
			r := e.record(next)
			clients[r.Partition].Produce(context.Background(), r, acknowledged)
			next++
		}
	}
	for _, client := range clients {
		if err := client.Flush(context.Background()); err != nil {
			return err
		}
	}
	return failure
}

// chaos kills members and restarts the broker, in random order, at random moments
// of the work.
func (e *e2e) chaos(kills, restarts int) {
	e.kills, e.restarts = kills, restarts
	events := make([]func(), 0, kills+restarts)
	for range kills {
		events = append(events, e.killMember)
	}
	for range restarts {
		events = append(events, e.restartBroker)
	}
	e.rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for _, event := range events {
		before := int64(-1)
		await(e.t, "masking anything", e.members, func() bool {
			now := e.written()
			if before < 0 {
				before = now
			}
			return now > before
		})
		// Some soon after a rebalance, while much is in flight, some in quiet work.
		longest := []time.Duration{200 * time.Millisecond, 2 * time.Second}[e.rnd.IntN(2)]
		<-time.After(time.Duration(e.rnd.Int64N(int64(longest))))
		event()
	}
}

// written is how many records the output has; -1 while the broker does not tell.
func (e *e2e) written() int64 {
	if all := ends(e.client, e.setup.output(), e2ePartitions); all != nil {
		return sum(all)
	}
	return -1
}

func (e *e2e) killMember() {
	m := e.members[e.rnd.IntN(len(e.members))]
	m.scrape()
	m.check()
	m.kill()
	m.start()
}

// restartBroker is kill -9 as well. Members that are starting would rightly say
// that there is no broker, so it waits for them.
func (e *e2e) restartBroker() {
	await(e.t, "both members being ready", e.members, func() bool { return e.members[0].ready() && e.members[1].ready() })
	e.broker.Kill()
	if err := e.broker.Restart(); err != nil {
		e.t.Fatal(err)
	}
}

// awaitAlerts waits until the alerts count every detection.
func (e *e2e) awaitAlerts() {
	r := newReader(e.t, e.broker.Addr(), e.setup.alerts())
	defer r.client.Close()
	seen, state := 0, newAlertState()
	var why string
	limit := time.Now().Add(patience)
	for {
		r.poll()
		for ; seen < len(r.records); seen++ {
			if err := state.add(r.records[seen].Value); err != nil {
				e.t.Fatal(err)
			}
		}
		if len(state.detections) >= e.secrets && state.counted() == int64(len(state.detections)) {
			return
		}
		why = fmt.Sprintf("%d planted, %d detections, %d counted by %d alerts", e.secrets, len(state.detections), state.counted(), len(state.alerts))
		for _, m := range e.members {
			m.check()
		}
		if time.Now().After(limit) {
			e.t.Errorf("alerts do not count all that was found: %s", why)
			return
		}
	}
}
