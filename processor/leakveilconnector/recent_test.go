package leakveilconnector

import (
	"context"
	"errors"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/leakveil/leakveil/internal/event"
	leakveilprocessor "github.com/leakveil/leakveil/processor"
)

// A sender that comes again because its data cannot be delivered is no second leak; a record
// without a time that comes again may be one.
func TestRequestsThatComeAgain(t *testing.T) {
	c := newThree(t, &Config{From: "leakveil/app"})
	set := processortest.NewNopSettings(typ)
	set.ID = component.NewIDWithName(typ, "app")
	p, err := leakveilprocessor.NewFactory().CreateLogs(context.Background(), set, small(), consumertest.NewErr(errors.New("away")))
	if err != nil {
		t.Fatal(err)
	}
	start(t, p)
	start(t, c.logs)
	ask := func(ld plog.Logs) {
		if p.ConsumeLogs(context.Background(), ld) == nil {
			t.Fatal("it is delivered")
		}
	}
	v := randomVerifier()
	for range 5 {
		ask(logOf("code_verifier=" + v))
	}
	if n := c.fromLogs.LogRecordCount(); n != 1 {
		t.Errorf("%d detections of one leak", n)
	}
	c.fromLogs.Reset()
	for range 2 {
		ld := logOf("code_verifier=" + v)
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(0)
		ask(ld)
	}
	if n := c.fromLogs.LogRecordCount(); n != 2 {
		t.Errorf("%d detections of two records without a time", n)
	}
}

// What is remembered is bounded.
func TestRecentIsBounded(t *testing.T) {
	var r recent
	for range 5 * maxRecent / 100 {
		list := make([]event.Detection, 100)
		for i := range list {
			list[i].ID = randomVerifier()
		}
		if r.add(list); len(r.fresh(list)) != 0 {
			t.Fatal("what was just emitted is forgotten")
		}
	}
	if n := len(r.now) + len(r.older); n > 2*maxRecent {
		t.Errorf("%d are remembered", n)
	}
}
