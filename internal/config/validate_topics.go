package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const topicPlaceholder = "{topic}"

// OutputTopic is the topic that masked records of an input topic go to.
func (c *Config) OutputTopic(input string) string {
	return strings.ReplaceAll(c.Output.Kafka.Topic, topicPlaceholder, input)
}

// SameCluster reports whether the output uses the input's brokers.
func (c *Config) SameCluster() bool {
	out := c.Output.Kafka.Brokers
	return len(out) == 0 || slices.Equal(slices.Sorted(slices.Values(out)), slices.Sorted(slices.Values(c.Input.Kafka.Brokers)))
}

// topicName is what Kafka accepts; "." and ".." are refused besides.
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func legalTopic(name string) bool {
	return topicName.MatchString(name) && name != "." && name != ".."
}

// topics checks names, and that nothing leakveil writes is read again.
func (v *validator) topics(c *Config) {
	in := &c.Input.Kafka
	for i, t := range in.Topics {
		key := fmt.Sprintf("input.kafka.topics[%d]", i)
		if !legalTopic(t) {
			v.add(key, "is no topic name: 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'")
		}
		if slices.Index(in.Topics, t) != i {
			v.add(key, "%s is listed twice", t)
		}
	}
	v.outputTopic(c)
	if t := c.Alerts.Kafka.Topic; t != "" {
		v.ownTopic("alerts.kafka.topic", t, c)
	} else if c.Alerts.File.Path == "" {
		v.add("alerts.kafka.topic", "is empty, and alerts.file.path is too; detections need one of them")
	}
	switch t := c.DeadLetter.Kafka.Topic; t {
	case "":
		v.add("dead_letter.kafka.topic", "is needed: name the topic of dead letters")
	case c.Alerts.Kafka.Topic:
		v.add("dead_letter.kafka.topic", "is %s, as alerts.kafka.topic is; use two topics", t)
	default:
		v.ownTopic("dead_letter.kafka.topic", t, c)
	}
}

func (v *validator) outputTopic(c *Config) {
	const key = "output.kafka.topic"
	in, pattern := &c.Input.Kafka, c.Output.Kafka.Topic
	if !legalTopic(strings.ReplaceAll(pattern, topicPlaceholder, "t")) {
		v.add(key, "must be a topic name in which {topic} stands for the input topic, as {topic}.masked")
		return
	}
	if !strings.Contains(pattern, topicPlaceholder) && (len(in.Topics) > 1 || in.TopicsRegex != "") {
		v.add(key, "must hold {topic}: records of several input topics cannot keep order and partition in one")
	}
	if !c.SameCluster() {
		return
	}
	if pattern == topicPlaceholder {
		v.add(key, "would write masked records into the topic they came from; use another name, as {topic}.masked")
		return
	}
	for i, t := range in.Topics {
		out := c.OutputTopic(t)
		if j := slices.Index(in.Topics, out); j >= 0 {
			v.add(fmt.Sprintf("input.kafka.topics[%d]", j), "%s is the output topic of %s; leakveil's own output is never read", out, in.Topics[i])
		}
	}
}

// ownTopic checks the alert or dead-letter topic.
func (v *validator) ownTopic(key, name string, c *Config) {
	if !legalTopic(name) {
		v.add(key, "is no topic name: 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'")
		return
	}
	for _, t := range c.Input.Kafka.Topics {
		if c.SameCluster() && t == name {
			v.add(key, "%s is among input.kafka.topics; leakveil's own topics are never read", name)
		}
		if c.OutputTopic(t) == name {
			v.add(key, "%s is the output topic of %s; use another", name, t)
		}
	}
}

func (v *validator) fingerprint(f *Fingerprint) {
	switch {
	case f.KeyFile == "" && len(f.Keys) == 0:
		v.add("fingerprint.key_file", "is needed: make a key with `leakveil key new FILE` and name the file")
	case f.KeyFile != "" && len(f.Keys) > 0:
		v.add("fingerprint.key_file", "goes not together with fingerprint.keys; keep one of the two")
	}
	seen := map[string]bool{}
	for i, k := range f.Keys {
		key := fmt.Sprintf("fingerprint.keys[%d]", i)
		if !keyID.MatchString(k.ID) {
			v.add(key+".id", "must be 1 to 16 of a-z, A-Z, 0-9, '_' and '-'")
		}
		if seen[k.ID] {
			v.add(key+".id", "is used twice")
		}
		seen[k.ID] = true
		if k.File == "" {
			v.add(key+".file", "is needed: the file that holds the key")
		}
	}
}

// keyID stands inside masks, so it is made of unreserved characters without the
// dot that parts the mask.
var keyID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,16}$`)
