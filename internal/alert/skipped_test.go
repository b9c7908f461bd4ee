package alert

import (
	"bytes"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/event"
)

func TestSkippedFollowsItsSchema(t *testing.T) {
	id := DetectionID(bytes.Repeat([]byte("k"), 32), event.Where{Topic: "logs", Partition: 3, Offset: 17}, "skipped")
	line := MarshalSkipped(Skipped{ID: id, Topic: "logs", Partition: 3, First: 17, Last: 19, Reason: "decode", At: time.Unix(1795162503, 0)})
	if err := validate(compileSchema(t, "skipped-v1.json"), line); err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsRune(line, '\n') || IsDetection(line) {
		t.Fatalf("not one line of its own kind: %s", line)
	}
}
