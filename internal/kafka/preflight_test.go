package kafka

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func plan(c Connection, topics ...string) Plan {
	return Plan{Input: c, Topics: topics, Group: "g", OutputTopic: "{topic}.masked", Alerts: "alerts", DeadLetter: "dead",
		Folding: []string{"g.alerts", "g.alerts.next"}}
}

func TestPreflightPasses(t *testing.T) {
	_, c := fakeCluster(t, kfake.SeedTopics(3, "app", "app.masked"), kfake.SeedTopics(1, "alerts", "dead"))
	got, err := Preflight(testContext(t), plan(c, "app"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Resolved{[]string{"app"}, map[string]string{"app": "app.masked"}, map[string]int{"app": 3}, true}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPreflightListsWhatIsMissing(t *testing.T) {
	_, c := fakeCluster(t, kfake.SeedTopics(3, "a", "b"), kfake.SeedTopics(2, "a.masked"), kfake.SeedTopics(1, "alerts"))
	_, err := Preflight(testContext(t), plan(c, "a", "b", "gone"))
	want := `input.kafka.topics: topic gone does not exist; create it, or correct the name
output.kafka.topic: topic a.masked has 2 partitions, its input a has 3; add partitions to a.masked, since records keep their partition
output.kafka.topic: topic b.masked does not exist; create it, or correct the name
dead_letter.kafka.topic: topic dead does not exist; create it, or correct the name`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestPreflightCreatesNothing(t *testing.T) {
	_, c := fakeCluster(t, kfake.AllowAutoTopicCreation())
	for range 2 { // the second would find what the first had created
		_, err := Preflight(testContext(t), plan(c, "app"))
		if err == nil || !strings.Contains(err.Error(), "topic app does not exist") {
			t.Error(err)
		}
	}
}

func TestRegexLeavesOutOwnTopics(t *testing.T) {
	_, c := fakeCluster(t, kfake.SeedTopics(1, "app", "app.masked", "orphan.masked", "alerts", "dead", "other", "other.masked"))
	p := plan(c)
	p.TopicsRegex = ".*"
	got, err := Preflight(testContext(t), p)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"app", "other"}, got.Topics); d != "" {
		t.Error(d)
	}
	p.TopicsRegex = "ap|a[^p]*s" // parts of names do not count
	_, err = Preflight(testContext(t), p)
	if err == nil || !strings.HasPrefix(err.Error(), "input.kafka.topics_regex: matches none of the 7 topics that this user may see but 1 of leakveil's own; it must match the whole name") {
		t.Error(err)
	}
}

func TestOwnTopicsByName(t *testing.T) {
	_, c := fakeCluster(t, kfake.SeedTopics(1, "app", "app.masked", "alerts", "dead"))
	_, err := Preflight(testContext(t), plan(c, "app", "app.masked", "alerts"))
	if err == nil || !strings.Contains(err.Error(), "input.kafka.topics: app.masked is a topic that leakveil itself writes") ||
		!strings.Contains(err.Error(), "input.kafka.topics: alerts is a topic that leakveil itself writes") {
		t.Error(err)
	}
}

func TestClusterIsKnownByItsID(t *testing.T) {
	_, c := fakeCluster(t, kfake.SeedTopics(1, "app", "alerts", "dead"))
	p := plan(c, "app")
	p.OutputTopic, p.Output = "{topic}", &c
	if _, err := Preflight(testContext(t), p); err == nil || !strings.Contains(err.Error(), "app is a topic that leakveil itself writes") {
		t.Error(err)
	}
	_, other := fakeCluster(t, kfake.ClusterID("other"), kfake.SeedTopics(1, "app", "alerts", "dead"))
	p.Output = &other
	got, err := Preflight(testContext(t), p)
	if err != nil || got.SameCluster {
		t.Error(got, err)
	}
}

func TestUnreachableOutputIsNamed(t *testing.T) {
	_, c := fakeCluster(t, kfake.SeedTopics(1, "app"))
	p := plan(c, "app")
	p.Output = &Connection{Brokers: []string{"127.0.0.1:1"}}
	if _, err := Preflight(testContext(t), p); err == nil || !strings.HasPrefix(err.Error(), "output.kafka.brokers: 127.0.0.1:1 cannot be reached") {
		t.Error(err)
	}
}

func TestRightsAreChecked(t *testing.T) {
	secret := rand.Text()
	grant := func(resource kmsg.ACLResourceType, name string, op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: resource, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
	}
	const topic = kmsg.ACLResourceTypeTopic
	rights := []kfake.ACL{
		grant(topic, "app", kmsg.ACLOperationRead), grant(topic, "app.masked", kmsg.ACLOperationWrite),
		grant(topic, "alerts", kmsg.ACLOperationWrite), grant(topic, "dead", kmsg.ACLOperationWrite),
		grant(kmsg.ACLResourceTypeGroup, "g", kmsg.ACLOperationRead),
		grant(topic, "alerts", kmsg.ACLOperationRead),
		grant(kmsg.ACLResourceTypeGroup, "g.alerts", kmsg.ACLOperationRead), grant(kmsg.ACLResourceTypeGroup, "g.alerts.next", kmsg.ACLOperationRead),
	}
	check := func(acls []kfake.ACL) error {
		_, c := fakeCluster(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(1, "app", "app.masked", "alerts", "dead"),
			kfake.User("PLAIN", "bob", secret, acls...))
		c.SASL = &SASL{Mechanism: "plain", Username: "bob", PasswordFile: secretFile(t, secret)}
		_, err := Preflight(testContext(t), plan(c, "app"))
		return err
	}
	if err := check(rights); err != nil {
		t.Errorf("with every right: %v", err)
	}
	err := check([]kfake.ACL{grant(topic, "app", kmsg.ACLOperationRead), grant(topic, "app.masked", kmsg.ACLOperationDescribe), grant(topic, "dead", kmsg.ACLOperationWrite)})
	want := `output.kafka.topic: this user may not write topic app.masked; give it Write on it
alerts.kafka.topic: this user may not see topic alerts; give it Describe, Write and Read on it
input.kafka.group: this user may not use group g; give it Read on the group
input.kafka.group: group g.alerts keeps where the alerts are folded (alerts), and the user of input.kafka may not use it; give that user Read on the group
input.kafka.group: group g.alerts.next keeps where the alerts are folded (alerts), and the user of input.kafka may not use it; give that user Read on the group`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestAllowed(t *testing.T) {
	if !allowed(-1<<31, readOperation) || !allowed(1<<3, readOperation) || allowed(1<<3, writeOperation) || allowed(0, readOperation) {
		t.Error("bits of allowed operations are read wrongly")
	}
}

func TestOutputsAreKnownByTheirPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, topic string
		want           bool
	}{
		{"{topic}.masked", "a.masked", true},
		{"{topic}.masked", ".masked", false}, // of no topic
		{"{topic}.masked", "a.masked.b", false},
		{"masked.{topic}", "masked.a", true},
		{"masked.{topic}", "a", false},
		{"m-{topic}-m", "m-m", false},
		{"{topic}.{topic}", "a.b.a.b", true},
		{"{topic}.{topic}", "a.b", false},
		{"{topic}{topic}{topic}", "aaa", true},
		{"{topic}{topic}{topic}", "aa", false},
		{"fixed", "fixed", true},
		{"fixed", "fixed.too", false},
	} {
		if got := IsOutput(c.pattern, c.topic); got != c.want {
			t.Errorf("%s as %s: %v", c.topic, c.pattern, got)
		}
	}
}
