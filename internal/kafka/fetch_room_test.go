package kafka

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
)

func TestAbortedTransactionsByTheThousandArePassed(t *testing.T) {
	l, m := &fakeLog{ended: map[abortedTransaction]int64{}}, &memory{}
	const transactions = 8000 // in one fetch, whose list of them is over 100 kB
	for range transactions {
		a := abortedTransaction{Producer: 7, First: l.end()}
		l.add(t, transactional(7), nil, text("aborted")...)
		l.ended[a] = l.end()
		l.aborted = append(l.aborted, a)
		l.marker(t, 7, false)
	}
	l.addPlain(t, "after")
	_, next := readLog(t, l, 0, options(m))
	want(t, m.values("in", 0), "after")
	if next != 2*transactions+1 || len(m.dead) > 0 {
		t.Errorf("next is %d, %d dead letters", next, len(m.dead))
	}
}

// roomLog notes how much room each fetch has.
type roomLog struct {
	*fakeLog
	mu    sync.Mutex
	rooms []int
}

func (l *roomLog) RoundTrip(ctx context.Context, addr net.Addr, req kafkago.Request) (kafkago.Response, error) {
	if q, ok := req.(*fetchQuestion); ok {
		l.mu.Lock()
		l.rooms = append(l.rooms, q.limit-fetchHeadroom)
		l.mu.Unlock()
	}
	return l.fakeLog.RoundTrip(ctx, addr, req)
}

func TestRoomForALargeBatchIsGivenBackBehindIt(t *testing.T) {
	o := options(&memory{})
	s, err := NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	l := &roomLog{fakeLog: &fakeLog{}}
	for range 3 {
		l.addPlain(t, strings.Repeat("x", 5<<20))
	}
	l.addPlain(t, "small")
	s.client.Transport = l
	usual := s.opts.FetchBytes
	r := &partitionRun{
		source: s, place: place{"in", 0}, usual: usual, want: usual, room: usual,
		fetcher: &fetcher{client: s.client, place: place{"in", 0}, wait: s.opts.FetchWait, timeout: s.opts.RequestTimeout},
	}
	for pos := range int64(4) {
		a, err := r.fetchOne(t.Context(), pos)
		if err != nil {
			t.Fatal(err)
		}
		a.memory.release()
	}
	const asks = 5 // the first large batch is asked for twice, the others are expected
	if len(l.rooms) != asks || l.rooms[0] != usual || l.rooms[1] < 5<<20 || r.room != usual {
		t.Errorf("fetches had room for %v bytes, the next one has %d, usual is %d", l.rooms, r.room, usual)
	}
}

// Partitions without new records hold their room while they wait; it must not be
// all there is.
func TestAllPartitionsWaitForRecordsAtOnce(t *testing.T) {
	o := options(&memory{})
	o.FetchBytes = 8 << 20
	s, err := NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, partitions := range []int{1, 7, 8, 200, 800} {
		share := s.budget.share(partitions, s.opts.FetchBytes)
		for n := range partitions {
			if !s.budget.fetch.TryAcquire(int64(share + fetchHeadroom)) {
				t.Fatalf("%d of %d partitions have room for a fetch of %d bytes", n, partitions, share)
			}
		}
		s.budget.fetch.Release(int64(partitions * (share + fetchHeadroom)))
	}
}
