package kafkatest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

func versions(b *Broker, p *Proxy, timeout time.Duration) error {
	transport := &kafkago.Transport{}
	if p != nil {
		transport.Dial = p.Dial
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	_, err := (&kafkago.Client{Addr: kafkago.TCP(b.Addr()), Transport: transport}).ApiVersions(ctx, &kafkago.ApiVersionsRequest{})
	return err
}

func TestBrokerLives(t *testing.T) {
	b := Start(t)
	b.CreateTopics(t, Topic{Name: "kept", Partitions: 3})
	b.Kill()
	if versions(b, nil, time.Second) == nil {
		t.Error("a killed broker answers")
	}
	if err := b.Restart(); err != nil {
		t.Fatal(err)
	}
	conn, err := kafkago.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if partitions, err := conn.ReadPartitions("kept"); err != nil || len(partitions) != 3 {
		t.Errorf("after a crash: %d partitions, %v", len(partitions), err)
	}
	if err := b.Restart(); err == nil {
		t.Error("a running broker was started again")
	}
	if err := b.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := versions(b, nil, 300*time.Millisecond); err == nil {
		t.Error("a frozen broker answers")
	}
	if err := b.Thaw(); err != nil {
		t.Fatal(err)
	}
	if err := versions(b, nil, 30*time.Second); err != nil {
		t.Errorf("after thawing: %v", err)
	}
	b.Close()
	if _, err := os.Stat(b.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestProxyBreaksConnections(t *testing.T) {
	b := Start(t)
	p := NewProxy(t)
	if err := versions(b, p, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	p.Stall(true)
	if err := versions(b, p, 300*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stalled: %v", err)
	}
	p.Stall(false)
	p.Refuse(true)
	if err := versions(b, p, 5*time.Second); err == nil {
		t.Error("a refused connection works")
	}
	p.Refuse(false)
	conn, err := p.Dial(context.Background(), "tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if p.Cut() == 0 {
		t.Error("nothing was cut")
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a cut connection reads")
	}
}

func TestClusterSurvivesOneBroker(t *testing.T) {
	c := StartCluster(t)
	c.Brokers[0].CreateTopics(t, Topic{Name: "three", Partitions: 3})
	c.Brokers[2].Kill()
	c.Brokers[0].CreateTopics(t, Topic{Name: "two", Replicas: 2})
	if err := c.Brokers[2].Restart(); err != nil {
		t.Fatal(err)
	}
}
