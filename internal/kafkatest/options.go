package kafkatest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/leakveil/leakveil/internal/freeport"
)

// Option changes a broker before it starts.
type Option func(*settings)

type settings struct {
	properties map[string]string
	format     []string
	listeners  []listener
	nodes      int
}

type listener struct{ name, protocol string }

// Properties sets or replaces lines of server.properties.
func Properties(p map[string]string) Option {
	return func(s *settings) { maps.Copy(s.properties, p) }
}

// Listener adds a listener of a security protocol (SASL_PLAINTEXT, SSL,
// SASL_SSL); Broker.Listener gives its address.
func Listener(name, protocol string) Option {
	return func(s *settings) { s.listeners = append(s.listeners, listener{name, protocol}) }
}

// ScramUser makes a user for SCRAM-SHA-256 and SCRAM-SHA-512.
func ScramUser(name, password string) Option {
	return func(s *settings) {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			s.format = append(s.format, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, name, password))
		}
	}
}

func newSettings(nodes int, options []Option) *settings {
	s := &settings{nodes: nodes, properties: map[string]string{
		"process.roles":                    "broker,controller",
		"controller.listener.names":        "CONTROLLER",
		"inter.broker.listener.name":       "PLAINTEXT",
		"auto.create.topics.enable":        "false",
		"group.initial.rebalance.delay.ms": "0",
		"group.min.session.timeout.ms":     "500",
		// The default lets a restart after a crash wait 9 s for the old registration.
		"broker.heartbeat.interval.ms":                                "200",
		"broker.session.timeout.ms":                                   "1000",
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
		// Small buffers and few threads: 150 MB resident instead of 280.
		"log.cleaner.dedupe.buffer.size":  "2097152",
		"log.cleaner.io.buffer.size":      "65536",
		"log.cleaner.backoff.ms":          "200",
		"log.retention.check.interval.ms": "1000",
		// Tests write records of any time; a broker would delete the old ones at once.
		"log.retention.ms":    "-1",
		"num.network.threads": "2",
		"num.io.threads":      "2",
		"background.threads":  "2",
	}}
	replicas := fmt.Sprint(nodes)
	for _, key := range []string{"offsets.topic", "transaction.state.log"} {
		s.properties[key+".replication.factor"] = replicas
		s.properties[key+".num.partitions"] = replicas
	}
	s.properties["transaction.state.log.min.isr"] = fmt.Sprint(nodes/2 + 1)
	if nodes > 1 {
		s.properties["default.replication.factor"] = replicas
		s.properties["min.insync.replicas"] = fmt.Sprint(nodes/2 + 1)
		s.properties["broker.heartbeat.interval.ms"] = "500"
		s.properties["broker.session.timeout.ms"] = "2000"
		s.properties["replica.lag.time.max.ms"] = "3000"
	}
	for _, option := range options {
		option(s)
	}
	return s
}

// file is the server.properties of one node.
func (s *settings) file(b *Broker, voters string) string {
	p := maps.Clone(s.properties)
	p["node.id"] = fmt.Sprint(b.id)
	p["controller.quorum.voters"] = voters
	p["log.dirs"] = b.Data()
	names := []string{"PLAINTEXT://" + b.addr, "CONTROLLER://" + b.controller}
	kinds := []string{"PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT"}
	for _, l := range s.listeners {
		names = append(names, l.name+"://"+b.extra[l.name])
		kinds = append(kinds, l.name+":"+l.protocol)
	}
	p["listeners"] = strings.Join(names, ",")
	p["listener.security.protocol.map"] = strings.Join(kinds, ",")
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&text, "%s=%s\n", key, p[key])
	}
	return text.String()
}

// freeAddresses reserves n loopback ports for as long as it takes to find them all.
func freeAddresses(n int) ([]string, error) {
	addresses := make([]string, 0, n)
	for range n {
		l, err := freeport.Listen()
		if err != nil {
			return nil, fmt.Errorf("kafkatest: no free port: %w", err)
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
