package kafkatest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Cluster is several brokers, each of them also a controller.
type Cluster struct{ Brokers []*Broker }

// StartCluster runs three brokers for the length of a test: topics have three
// replicas and need two in sync, unless they say otherwise.
func StartCluster(t testing.TB, options ...Option) *Cluster {
	t.Helper()
	c, err := launch(3, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Addrs are host:port of all brokers.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Brokers))
	for i, b := range c.Brokers {
		addrs[i] = b.addr
	}
	return addrs
}

// Close ends all brokers and removes their folders.
func (c *Cluster) Close() {
	for _, b := range c.Brokers {
		b.Close()
	}
}

func launch(nodes int, options []Option) (*Cluster, error) {
	dist, err := findDistribution()
	if err != nil {
		return nil, err
	}
	s := newSettings(nodes, options)
	c, err := newCluster(dist, s)
	if err != nil {
		return nil, err
	}
	for _, b := range c.Brokers {
		if err := b.start(); err != nil {
			return nil, err
		}
	}
	for _, b := range c.Brokers {
		if err := b.wait(); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

func newCluster(dist distribution, s *settings) (*Cluster, error) {
	ports := 2 + len(s.listeners)
	free, err := freeAddresses(s.nodes * ports)
	if err != nil {
		return nil, err
	}
	c := &Cluster{}
	voters := make([]string, s.nodes)
	for i := range s.nodes {
		own := free[i*ports : (i+1)*ports]
		b := &Broker{id: i + 1, nodes: s.nodes, dist: dist, addr: own[0], controller: own[1], extra: map[string]string{}}
		for j, l := range s.listeners {
			b.extra[l.name] = own[2+j]
		}
		voters[i] = fmt.Sprintf("%d@%s", b.id, b.controller)
		c.Brokers = append(c.Brokers, b)
	}
	for _, b := range c.Brokers {
		if b.dir, err = os.MkdirTemp("", "kafkatest-"); err != nil {
			return nil, err
		}
		text := s.file(b, strings.Join(voters, ","))
		if err := os.WriteFile(b.properties(), []byte(text), 0o600); err != nil {
			return nil, err
		}
		if err := dist.locked(func() error { return dist.format(b, s) }); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// format gives b a formatted data folder. Formatting takes a second, so it is
// done once for each node id and set of users, and copied from then on.
func (d distribution) format(b *Broker, s *settings) error {
	sum := sha256.Sum256([]byte(strings.Join(s.format, "\x00")))
	template := filepath.Join(d.cache, fmt.Sprintf("template-%d-%d-%x", s.nodes, b.id, sum[:6]))
	if _, err := os.Stat(template); err == nil && len(s.format) == 0 {
		return os.CopyFS(b.Data(), os.DirFS(template))
	}
	args := append(append([]string{}, javaFlags...), "-cp", d.classpath(), "kafka.tools.StorageTool",
		"format", "-t", clusterID, "-c", b.properties())
	if err := exec.Command(d.java, append(args, s.format...)...).Run(); err != nil {
		// The output is left out: it shows the users' hashes.
		return fmt.Errorf("kafkatest: formatting the data folder: %w", err)
	}
	if len(s.format) != 0 {
		return nil
	}
	return os.CopyFS(template, os.DirFS(b.Data()))
}
