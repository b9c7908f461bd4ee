package app_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// failover is one run on three brokers: records come in all the time while leaders
// and coordinators are killed.
type failover struct {
	t       *testing.T
	cluster *kafkatest.Cluster
	setup   setup
	client  *kafkago.Client
	members []*member
	kills   int
	alive   string // a broker that was not killed last

	mu      sync.Mutex
	sent    [failoverPartitions]int
	secrets []string
}

const (
	failoverPartitions = 3
	secretEvery        = 10
)

// Records keep flowing while the coordinator of the group is killed, which leads
// partitions as well: nothing is lost, order is kept, nothing leaves unmasked. The
// long run kills leaders and coordinators in turn.
func TestLeaderChangesLoseNothing(t *testing.T) {
	f := newFailover(t)
	calm := make(chan struct{})
	produced := make(chan error, 1)
	go func() { produced <- f.produce(calm) }()
	for round := range f.kills {
		b := f.coordinator(f.setup.group)
		if round%2 == 1 {
			b = f.brokers(f.setup.output())[0]
		}
		if !slices.Contains(f.brokers(f.setup.output()), b) {
			t.Errorf("broker %s leads no partition of the output: its kill changes no leader there", b.Addr())
		}
		f.kill(b)
		f.alive = f.other(b)
		if round == f.kills-1 {
			break // two of three are enough for the rest
		}
		if err := b.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	close(calm)
	if err := <-produced; err != nil {
		t.Fatal(err)
	}
	await(t, "committing all input offsets", f.members, func() bool {
		return lag(f.client, f.setup.group, f.setup.input, failoverPartitions) == 0
	})
	for _, m := range f.members {
		if code := m.stop(); code != 0 {
			t.Errorf("exit code %d after SIGTERM\n%s", code, m.tail())
		}
	}
	f.verify()
	// An epoch that is made up (kafka-go's Client.OffsetCommit says 0) lets other
	// consumers rewind or stop once the leader has changed.
	f.verifyEpochs(f.setup.group, f.setup.input, failoverPartitions)
	f.verifyEpochs(f.setup.group+".alerts", f.setup.alerts(), 3)
	f.verifyEpochs(f.setup.group+".alerts.next", f.setup.alerts(), 3)
}

func newFailover(t *testing.T) *failover {
	t.Helper()
	c := kafkatest.StartCluster(t, quick)
	f := &failover{t: t, cluster: c, kills: 1}
	if os.Getenv("LEAKVEIL_LONG") != "" {
		f.kills = 6
	}
	f.setup = setup{broker: strings.Join(c.Addrs(), ", "), group: "failover", input: "failover-in", noAlertsFile: true}
	f.setup.topics(t, c.Brokers[0], failoverPartitions)
	transport := &kafkago.Transport{MetadataTTL: 200 * time.Millisecond}
	t.Cleanup(transport.CloseIdleConnections)
	f.client = &kafkago.Client{Addr: kafkago.TCP(c.Addrs()...), Transport: transport, Timeout: 2 * time.Second}
	key := newKey(t)
	for range 2 {
		m := newMember(t, f.setup, key)
		f.members = append(f.members, m)
		m.start()
	}
	return f
}

// produce writes some records to each partition, again and again, until calm.
func (f *failover) produce(calm <-chan struct{}) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(f.cluster.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-calm:
			return nil
		case <-tick.C:
		}
		var records []*kgo.Record
		f.mu.Lock()
		for p := range failoverPartitions {
			for range 5 {
				value := fmt.Sprintf("%d ", f.sent[p])
				if f.sent[p]%secretEvery == 0 {
					f.secrets = append(f.secrets, randomSecret())
					value += "client_id=shop&code_verifier=" + f.secrets[len(f.secrets)-1]
				}
				records = append(records, &kgo.Record{Topic: f.setup.input, Partition: int32(p), Value: []byte(value)})
				f.sent[p]++
			}
		}
		f.mu.Unlock()
		if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
			return err
		}
	}
}

// brokers are the leaders of a topic's partitions, in their order.
func (f *failover) brokers(topic string) (leaders []*kafkatest.Broker) {
	f.t.Helper()
	await(f.t, "finding the leaders", nil, func() bool {
		leaders = make([]*kafkatest.Broker, failoverPartitions)
		answer, err := f.client.Metadata(context.Background(), &kafkago.MetadataRequest{Topics: []string{topic}})
		if err != nil || len(answer.Topics) != 1 {
			return false
		}
		for _, p := range answer.Topics[0].Partitions {
			if p.Error == nil && p.Leader.ID > 0 {
				leaders[p.ID] = f.cluster.Brokers[p.Leader.ID-1]
			}
		}
		return !slices.Contains(leaders, nil)
	})
	return leaders
}

func (f *failover) coordinator(group string) (b *kafkatest.Broker) {
	f.t.Helper()
	await(f.t, "finding a coordinator", nil, func() bool {
		answer, err := f.client.FindCoordinator(context.Background(), &kafkago.FindCoordinatorRequest{Key: group, KeyType: kafkago.CoordinatorKeyTypeConsumer})
		if err != nil || answer.Error != nil {
			return false
		}
		b = f.cluster.Brokers[answer.Coordinator.NodeID-1]
		return true
	})
	return b
}

// kill kills a broker in the middle of the work with kill -9, and waits until each
// partition of the output goes on without it.
func (f *failover) kill(b *kafkatest.Broker) {
	f.t.Helper()
	f.goOn("before the kill")
	b.Kill()
	killed := time.Now()
	f.goOn("after the kill")
	f.t.Logf("every partition goes on %v after the kill", time.Since(killed).Round(100*time.Millisecond))
}

// other is the address of a broker that is not b.
func (f *failover) other(b *kafkatest.Broker) string {
	if f.cluster.Brokers[0] == b {
		return f.cluster.Brokers[1].Addr()
	}
	return f.cluster.Brokers[0].Addr()
}

// goOn waits until every partition of the output has grown, by more than what may
// have been on its way.
func (f *failover) goOn(what string) {
	f.t.Helper()
	var before map[int]int64
	await(f.t, "every partition going on "+what, f.members, func() bool {
		now := ends(f.client, f.setup.output(), failoverPartitions)
		if before == nil {
			before = now
		}
		if len(now) != failoverPartitions {
			return false
		}
		for p, end := range now {
			if end < before[p]+100 {
				return false
			}
		}
		return true
	})
}

func (f *failover) verify() {
	var n needles
	for _, secret := range f.secrets {
		n.add(f.t, secret)
	}
	var next [failoverPartitions]int
	repeated, masked := 0, 0
	for _, r := range readAll(f.t, f.alive, f.setup.output(), failoverPartitions) {
		var seq int
		if _, err := fmt.Sscan(string(r.Value), &seq); err != nil || seq > next[r.Partition] {
			f.t.Fatalf("output partition %d: record %d comes where %d is to come (%v)", r.Partition, seq, next[r.Partition], err)
		}
		if form := n.in(r.Value); form != "" {
			f.t.Errorf("output partition %d offset %d holds a secret (%s)", r.Partition, r.Offset, form)
		}
		if seq < next[r.Partition] {
			repeated++
			continue
		}
		next[r.Partition]++
		if bytes.Contains(r.Value, []byte("client_id=shop&code_verifier=REDACTED.")) {
			masked++
		}
	}
	if next != f.sent || masked != len(f.secrets) {
		f.t.Errorf("the output has %v of %v records, %d of %d secrets masked", next, f.sent, masked, len(f.secrets))
	}
	f.t.Logf("%v records: %d duplicates", next, repeated)
	if repeated > f.kills*len(f.members)*repeatsPerCrash {
		f.t.Errorf("%d duplicates of %d crashes", repeated, f.kills)
	}
	state := newAlertState()
	for _, r := range readAll(f.t, f.alive, f.setup.alerts(), 3) {
		if err := state.add(r.Value); err != nil {
			f.t.Fatal(err)
		}
		if n.in(r.Value) != "" {
			f.t.Error("the alerts topic holds a secret")
		}
	}
	if len(state.detections) != len(f.secrets) {
		f.t.Errorf("%d detections, %d secrets", len(state.detections), len(f.secrets))
	}
}

// verifyEpochs wants offsets that were committed without an epoch.
func (f *failover) verifyEpochs(group, topic string, partitions int) {
	client := kgoClient(f.t, f.alive)
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Group = group
	asked := kmsg.NewOffsetFetchRequestTopic()
	asked.Topic = topic
	for p := range partitions {
		asked.Partitions = append(asked.Partitions, int32(p))
	}
	request.Topics = append(request.Topics, asked)
	wanted := kmsg.NewOffsetFetchRequestGroup()
	wanted.Group = group
	one := kmsg.NewOffsetFetchRequestGroupTopic()
	one.Topic, one.Partitions = topic, asked.Partitions
	wanted.Topics = append(wanted.Topics, one)
	request.Groups = append(request.Groups, wanted)
	answer, err := request.RequestWith(f.t.Context(), client)
	if err != nil {
		f.t.Fatal(err)
	}
	committed := 0
	for _, g := range answer.Groups {
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				if p.Offset >= 0 {
					committed++
				}
				if p.ErrorCode != 0 || p.LeaderEpoch != -1 {
					f.t.Errorf("group %s, partition %d: committed with leader epoch %d, error %d", group, p.Partition, p.LeaderEpoch, p.ErrorCode)
				}
			}
		}
	}
	if committed == 0 {
		f.t.Errorf("group %s has committed nothing", group)
	}
}
