package app_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/leakveil/leakveil/internal/kafkatest"
)

// guarded is a broker on which the user app has no right but those it is given;
// the listener without security is the administrator's.
func guarded(t *testing.T) (b *kafkatest.Broker, passwordFile string) {
	t.Helper()
	password := rand.Text()
	passwordFile = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(passwordFile, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	return kafkatest.Start(t, quick, kafkatest.Listener("SASL", "SASL_PLAINTEXT"), kafkatest.Properties(map[string]string{
		"sasl.enabled.mechanisms":                   "PLAIN",
		"listener.name.sasl.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required user_app="` + password + `";`,
		"authorizer.class.name":                     "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                               "User:ANONYMOUS",
	})), passwordFile
}

func allow(t *testing.T, b *kafkatest.Broker, kind kafkago.ResourceType, name string, op kafkago.ACLOperationType) {
	t.Helper()
	answer, err := ask(t, b.Addr()).CreateACLs(t.Context(), &kafkago.CreateACLsRequest{ACLs: []kafkago.ACLEntry{{
		ResourceType: kind, ResourceName: name, ResourcePatternType: kafkago.PatternTypeLiteral,
		Principal: "User:app", Host: "*", Operation: op, PermissionType: kafkago.ACLPermissionTypeAllow,
	}}})
	if err == nil {
		err = errors.Join(answer.Errors...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The rights of the README's table are looked at before the start, those of the
// groups that fold the alerts too; one after the other is given, until it starts.
func TestMissingRightsAreSaidAtTheStart(t *testing.T) {
	b, passwordFile := guarded(t)
	s := setup{broker: b.Listener("SASL"), group: "rights", input: "rights-in", noAlertsFile: true}
	s.inputMore = fmt.Sprintf("sasl: {mechanism: plain, username: app, password_file: %s}", passwordFile)
	s.topics(t, b, 1)
	path := s.configPath(t)
	const topic, group = kafkago.ResourceTypeTopic, kafkago.ResourceTypeGroup
	const read, write, describe = kafkago.ACLOperationTypeRead, kafkago.ACLOperationTypeWrite, kafkago.ACLOperationTypeDescribe
	for _, right := range []struct {
		kind kafkago.ResourceType
		name string
		op   kafkago.ACLOperationType
		want string // what is said without it
	}{
		{topic, s.input, read, "input.kafka.topics: this user may not see topic rights-in; give it Describe and Read on it"},
		{topic, s.output(), write, "output.kafka.topic: this user may not see topic rights-in.masked; give it Describe and Write on it"},
		{topic, s.alerts(), write, "alerts.kafka.topic: this user may not see topic rights.alerts; give it Describe, Write and Read on it"},
		{topic, s.alerts(), read, "alerts.kafka.topic: this user may not read topic rights.alerts; give it Read on it"},
		{topic, s.dead(), write, "dead_letter.kafka.topic: this user may not see topic rights.dead; give it Describe and Write on it"},
		{group, "rights", read, "this user may not use group rights; give it Read on the group"},
		// To see a group is not to join it.
		{group, "rights.alerts", describe, "group rights.alerts keeps where the alerts are folded (rights.alerts), and the user of input.kafka may not use it"},
		{group, "rights.alerts", read, "group rights.alerts keeps where the alerts are folded (rights.alerts), and the user of input.kafka may not use it"},
		{group, "rights.alerts.next", read, "group rights.alerts.next keeps where the alerts are folded (rights.alerts), and the user of input.kafka may not use it"},
	} {
		await(t, right.want, nil, func() bool { // the right before it takes a moment to count
			out, err := exec.Command(mustBinary(t), "run", "--config", path).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Fatalf("without the right to %s: %v, want exit code 2\n%s", right.name, err, out)
			}
			return strings.Contains(string(out), right.want)
		})
		allow(t, b, right.kind, right.name, right.op)
	}
	m := newMember(t, s, newKey(t))
	await(t, "being ready", nil, func() bool {
		m.start()
		for {
			select {
			case <-m.ended:
				return false
			default:
			}
			if m.ready() {
				return true
			}
		}
	})
	if code := m.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, m.tail())
	}
}
