// Command kafkademo shows the main job on a real broker, around a leakveil run
// that somebody else has started: it makes topics, produces generated logs at a
// pace that one can read along, prints masked records and alerts as they come,
// and sums up. It must never print a value that leakveil has not let through: it
// reads what leakveil wrote, never its own input.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
)

const (
	partitions = 3
	records    = 8_000
	pace       = 400 // records a second
	leakEvery  = 200
	settle     = 20 * time.Second // what leakveil may lag behind at the end
)

// topics are those of one run: their names begin with its name.
type topics struct{ in, out, alerts, dead string }

func topicsOf(run string) topics {
	return topics{run + ".app-logs", run + ".app-logs.masked", run + ".alerts", run + ".dead-letter"}
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: kafkademo topics|show|clean BROKER RUN")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := do(ctx, os.Args[1], os.Args[2], os.Args[3])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kafkademo:", err)
		os.Exit(1)
	}
}

func do(ctx context.Context, what, broker, run string) error {
	connection := kafka.Connection{Brokers: []string{broker}}
	transport, err := connection.Transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: connection.Addr(), Transport: transport, Timeout: 10 * time.Second}
	names := topicsOf(run)
	switch what {
	case "topics":
		return create(ctx, client, names)
	case "clean":
		_, err := client.DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Topics: []string{names.in, names.out, names.alerts, names.dead}})
		return err
	case "show":
		return show(ctx, connection, transport, names)
	}
	return fmt.Errorf("no such thing to do: %s", what)
}

func create(ctx context.Context, client *kafkago.Client, names topics) error {
	var configs []kafkago.TopicConfig
	for _, name := range []string{names.in, names.out, names.alerts, names.dead} {
		configs = append(configs, kafkago.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: 1})
	}
	answer, err := client.CreateTopics(ctx, &kafkago.CreateTopicsRequest{Topics: configs})
	if err != nil {
		return err
	}
	for name, err := range answer.Errors {
		if err != nil {
			return fmt.Errorf("create topic %s: %w", name, err)
		}
	}
	return nil
}

// show produces and reads until everything that was produced came out.
func show(ctx context.Context, connection kafka.Connection, transport *kafkago.Transport, names topics) error {
	screen := newScreen(os.Stdout, names)
	source, err := kafka.NewSource(kafka.SourceOptions{
		Connection: connection, Group: names.in + ".demo", Topics: []string{names.out, names.alerts, names.dead},
		Exclude: func(string) bool { return false }, FetchWait: 100 * time.Millisecond,
		Process: screen.process, Deliverer: nowhere{},
		Bad: func(context.Context, kafka.BadBatch) (kafka.Unit, error) { return kafka.Unit{}, nil },
	})
	if err != nil {
		return err
	}
	reading, endReading := context.WithCancel(ctx)
	read := make(chan error, 1)
	go func() { read <- source.Run(reading) }()
	fmt.Printf("leakveil on a real broker: %d generated records go to %s;\nthis is what can be read on %s and %s\n\n", records, names.in, names.out, names.alerts)
	err = produce(ctx, connection, transport, names.in)
	if err == nil {
		err = screen.wait(ctx, records)
	}
	endReading()
	err = errors.Join(err, <-read)
	screen.summary()
	return err
}

// nowhere is where the records that are shown go.
type nowhere struct{}

func (nowhere) Deliver(context.Context, kafka.Unit) error { return nil }

// produce writes the generated lines, a few at a time.
func produce(ctx context.Context, connection kafka.Connection, transport *kafkago.Transport, topic string) error {
	producer := kafka.NewProducer(transport, kafka.ProducerOptions{Addr: connection.Addr()}, slog.New(slog.DiscardHandler))
	defer producer.Close()
	g := corpus.New(corpus.Options{Seed: uint64(time.Now().UnixNano()), LeakEvery: leakEvery})
	const ticks = 10 // a second
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	for sent := 0; sent < records; {
		var batches [partitions][]recordbatch.Record
		for range min(pace/ticks, records-sent) {
			line := g.Next()
			at := sent % partitions
			batches[at] = append(batches[at], recordbatch.Record{
				Timestamp: time.Now().UnixMilli(), Key: []byte(line.Service), Value: line.Text,
			})
			sent++
		}
		for at, batch := range batches {
			if len(batch) == 0 {
				continue
			}
			if err := producer.Produce(ctx, topic, int32(at), recordbatch.LZ4, batch); err != nil {
				return fmt.Errorf("produce to %s: %w", topic, err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
