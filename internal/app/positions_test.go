package app

import (
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/telemetry"
)

type shownPositions map[position]telemetry.Position

func (s shownPositions) SetPosition(topic string, number int32, p telemetry.Position) {
	s[position{topic, number}] = p
}

func (s shownPositions) ForgetPosition(topic string, number int32) {
	delete(s, position{topic, number})
}

func TestStuckPartitionShowsAmongOthers(t *testing.T) {
	now := time.Unix(1000, 0)
	shown := shownPositions{}
	p := newPositions(shown, func() time.Time { return now })
	stuck, fine := position{"in", 0}, position{"in", 1}
	p.lag("in", 0, 0)
	p.lag("in", 1, 0)
	now = now.Add(time.Hour) // idle: no time of work
	p.lag("in", 0, 5)
	p.lag("in", 1, 5)
	if since := shown[stuck].LastCommit; !since.Equal(now) {
		t.Errorf("work that has just begun is as old as %v", now.Sub(since))
	}
	began := now
	for range 3 {
		now = now.Add(time.Minute)
		p.lag("in", 0, 5) // tried again
		p.committed(map[string]map[int]int64{"in": {1: 7}})
	}
	if !shown[stuck].LastCommit.Equal(began) || !shown[fine].LastCommit.Equal(now) {
		t.Errorf("last commits: of the stuck partition %v, of the other %v", shown[stuck].LastCommit, shown[fine].LastCommit)
	}
	p.released("in", 1)
	p.committed(map[string]map[int]int64{"in": {1: 8}}) // the last one, behind it
	if _, there := shown[fine]; there || len(shown) != 1 {
		t.Error("a partition that has moved is still shown")
	}
}
