package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// Plan is what is to be read and written, by configuration.
type Plan struct {
	Input       Connection
	Output      *Connection // nil: the input's
	Topics      []string    // either these or TopicsRegex
	TopicsRegex string      // must match the whole name
	Group       string
	OutputTopic string // a name, or a pattern with {topic}
	Alerts      string // topic; empty: none
	DeadLetter  string // topic; empty: none
	// Folding names the groups that the alerts topic is folded with, on the output's
	// cluster.
	Folding []string
}

// Resolved is what Preflight found.
type Resolved struct {
	Topics      []string          // input topics, sorted
	Outputs     map[string]string // input topic to output topic
	Partitions  map[string]int    // of the input topics
	SameCluster bool              // by cluster id, whatever the addresses
}

const topicPlaceholder = "{topic}"

func (p *Plan) outputOf(topic string) string {
	return strings.ReplaceAll(p.OutputTopic, topicPlaceholder, topic)
}

// own reports whether leakveil itself writes a topic: alerts, dead letters, and
// everything that has the form of an output topic.
func (p *Plan) own(topic string) bool {
	if topic == p.Alerts || topic == p.DeadLetter {
		return true
	}
	return IsOutput(p.OutputTopic, topic)
}

// IsOutput reports whether a topic can be the output of one, by a pattern with
// {topic}.
func IsOutput(pattern, topic string) bool {
	n := strings.Count(pattern, topicPlaceholder)
	if n == 0 {
		return topic == pattern
	}
	before, _, _ := strings.Cut(pattern, topicPlaceholder)
	names := len(topic) - len(pattern) + n*len(topicPlaceholder) // bytes of the input's name, n times
	if names <= 0 || names%n != 0 || !strings.HasPrefix(topic, before) {
		return false
	}
	name := topic[len(before):][:names/n]
	return strings.ReplaceAll(pattern, topicPlaceholder, name) == topic
}

// Preflight looks at both clusters before the first record is read: reachable,
// authenticated, topics there with enough partitions, rights, group. The error
// lists everything that is wrong, one sentence each, with key and remedy; it never
// holds a password.
func Preflight(ctx context.Context, p Plan) (*Resolved, error) {
	f := &preflight{plan: p}
	in := f.open(ctx, "input.kafka", p.Input)
	out, outKey := in, "input.kafka"
	if p.Output != nil {
		outKey = "output.kafka"
		out = f.open(ctx, outKey, *p.Output)
		defer out.close()
	}
	defer in.close()
	if in == nil || out == nil {
		return nil, errors.Join(f.errs...)
	}
	resolved := &Resolved{Outputs: map[string]string{}, Partitions: map[string]int{}, SameCluster: in.id == out.id}
	f.inputs(ctx, in, resolved)
	f.outputs(ctx, out, resolved)
	f.group(ctx, in, f.plan.Group, fmt.Sprintf("this user may not use group %s; give it Read on the group", f.plan.Group))
	for _, group := range f.plan.Folding {
		f.group(ctx, out, group, fmt.Sprintf("group %s keeps where the alerts are folded (%s), and the user of %s may not use it; give that user Read on the group",
			group, f.plan.Alerts, out.key))
	}
	if len(f.errs) > 0 {
		return nil, errors.Join(f.errs...)
	}
	return resolved, nil
}

type preflight struct {
	plan Plan
	errs []error
}

func (f *preflight) add(format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf(format, args...))
}

// cluster is one cluster that answered.
type cluster struct {
	key, id string
	client  *kafkago.Client
	close0  func()
	all     map[string]metadata.ResponseTopic
}

func (c *cluster) close() {
	if c != nil {
		c.close0()
	}
}

func (f *preflight) open(ctx context.Context, key string, conn Connection) *cluster {
	transport, err := conn.Transport()
	if err != nil {
		f.add("%s.%w", key, err)
		return nil
	}
	if err := probe(ctx, key, conn); err != nil {
		f.errs = append(f.errs, err)
		return nil
	}
	c := &cluster{key: key, client: &kafkago.Client{Addr: conn.Addr(), Transport: transport}, close0: transport.CloseIdleConnections}
	response, err := askMetadata(ctx, c.client, nil)
	if err != nil {
		c.close()
		f.errs = append(f.errs, explain(key, strings.Join(conn.Brokers, ", "), conn, err))
		return nil
	}
	c.id, c.all = response.ClusterID, byName(response.Topics)
	return c
}

func byName(topics []metadata.ResponseTopic) map[string]metadata.ResponseTopic {
	out := make(map[string]metadata.ResponseTopic, len(topics))
	for _, t := range topics {
		out[t.Name] = t
	}
	return out
}

// inputs finds the topics to read and checks that they may be read.
func (f *preflight) inputs(ctx context.Context, c *cluster, r *Resolved) {
	names, key := f.plan.Topics, "input.kafka.topics"
	if f.plan.TopicsRegex != "" {
		key = "input.kafka.topics_regex"
		if names = f.matching(c, r.SameCluster); len(names) == 0 {
			return
		}
	}
	for _, name := range names {
		if r.SameCluster && f.ownOutput(name, names) {
			f.add("%s: %s is a topic that leakveil itself writes; leave it out", key, name)
			continue
		}
		if n := f.topic(ctx, c, key, name, readOperation); n > 0 {
			r.Partitions[name], r.Outputs[name] = n, f.plan.outputOf(name)
			r.Topics = append(r.Topics, name)
		}
	}
	slices.Sort(r.Topics)
}

// ownOutput is stricter than own on what is listed by name: a topic that merely
// looks like an output may be another leakveil's, and is meant.
func (f *preflight) ownOutput(name string, names []string) bool {
	return name == f.plan.Alerts || name == f.plan.DeadLetter ||
		slices.ContainsFunc(names, func(n string) bool { return f.plan.outputOf(n) == name })
}

func (f *preflight) matching(c *cluster, same bool) []string {
	const key = "input.kafka.topics_regex"
	expression, err := regexp.Compile("^(?:" + f.plan.TopicsRegex + ")$")
	if err != nil {
		f.add("%s: is not a regular expression", key)
		return nil
	}
	var names, own []string
	for name, t := range c.all {
		switch {
		case t.IsInternal || !expression.MatchString(name):
		case same && f.plan.own(name):
			own = append(own, name)
		default:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		ownNote := ""
		if len(own) > 0 {
			ownNote = fmt.Sprintf(" but %d of leakveil's own", len(own))
		}
		f.add("%s: matches none of the %d topics that this user may see%s; it must match the whole name, and the user needs Describe and Read on the topics", key, len(c.all), ownNote)
	}
	slices.Sort(names)
	return names
}

// outputs checks every topic that is written.
func (f *preflight) outputs(ctx context.Context, c *cluster, r *Resolved) {
	for _, in := range r.Topics {
		name, need := r.Outputs[in], r.Partitions[in]
		n := f.topic(ctx, c, "output.kafka.topic", name, writeOperation)
		if n > 0 && n < need {
			f.add("output.kafka.topic: topic %s has %d partitions, its input %s has %d; add partitions to %s, since records keep their partition", name, n, in, need, name)
		}
	}
	if f.plan.Alerts != "" {
		f.topic(ctx, c, "alerts.kafka.topic", f.plan.Alerts, writeOperation, readOperation)
	}
	if f.plan.DeadLetter != "" {
		f.topic(ctx, c, "dead_letter.kafka.topic", f.plan.DeadLetter, writeOperation)
	}
}

// topic gives a topic's partitions, 0 when it cannot be used for all of ops.
func (f *preflight) topic(ctx context.Context, c *cluster, key, name string, ops ...operation) int {
	needed, missing := []string{"Describe"}, []string(nil)
	t, seen := c.all[name]
	if !seen {
		response, err := askMetadata(ctx, c.client, []string{name})
		if err != nil || len(response.Topics) != 1 {
			f.add("%s: asking about topic %s failed: %v", key, name, err)
			return 0
		}
		t = response.Topics[0]
	}
	for _, op := range ops {
		verb := map[operation]string{readOperation: "Read", writeOperation: "Write"}[op]
		needed = append(needed, verb)
		if !allowed(t.TopicAuthorizedOperations, op) {
			missing = append(missing, verb)
		}
	}
	switch code := kafkago.Error(t.ErrorCode); {
	case code == kafkago.TopicAuthorizationFailed:
		f.add("%s: this user may not see topic %s; give it %s on it", key, name, listed(needed))
	case code == kafkago.UnknownTopicOrPartition:
		f.add("%s: topic %s does not exist; create it, or correct the name", key, name)
	case t.ErrorCode > 0 && code != kafkago.LeaderNotAvailable:
		f.add("%s: topic %s cannot be used: %s", key, name, code.Title())
	case len(missing) > 0:
		verbs := listed(missing)
		f.add("%s: this user may not %s topic %s; give it %s on it", key, strings.ToLower(verbs), name, verbs)
	default:
		return len(t.Partitions)
	}
	return 0
}

// listed puts words into a sentence.
func listed(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// coordinatorWait is between questions while a cold cluster makes its coordinator.
const coordinatorWait = 100 * time.Millisecond

// group checks that a group may be joined and committed to; refused is what to say
// when not. It leaves no trace: the heartbeat of nobody.
func (f *preflight) group(ctx context.Context, c *cluster, group, refused string) {
	for {
		response, err := c.client.FindCoordinator(ctx, &kafkago.FindCoordinatorRequest{
			Key: group, KeyType: kafkago.CoordinatorKeyTypeConsumer,
		})
		if err == nil {
			err = response.Error
		}
		if err == nil { // so far, the right to Describe
			err = askHeartbeat(ctx, c.client, group, "", -1)
		}
		switch {
		case errors.Is(err, kafkago.GroupAuthorizationFailed):
			f.add("input.kafka.group: %s", refused)
			return
		case err == nil || fenced(err) || errors.Is(err, kafkago.GroupIdNotFound):
			return // nobody is no member, and that was all
		case ctx.Err() == nil && !coordinatorIsComing(err) && !isCut(err):
			f.add("input.kafka.group: asking for the coordinator of group %s failed: %w", group, err)
			return
		}
		select {
		case <-ctx.Done():
			f.add("input.kafka.group: the coordinator of group %s is not available: %w", group, ctx.Err())
			return
		case <-time.After(coordinatorWait):
		}
	}
}

// isCut reports whether a connection that had been made was lost: the coordinator's
// broker goes down, and another takes its place.
func isCut(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE)
}

// coordinatorIsComing tells the answers of a cluster that has just started, or
// whose coordinator moves.
func coordinatorIsComing(err error) bool {
	return errors.Is(err, kafkago.GroupCoordinatorNotAvailable) || errors.Is(err, kafkago.GroupLoadInProgress) ||
		errors.Is(err, kafkago.NotCoordinatorForGroup)
}
