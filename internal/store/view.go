package store

import (
	"context"
	"slices"

	"github.com/leakveil/leakveil/internal/outbox"
)

// Audiences of documents. One for a single reader is "sink:" and its name.
const (
	forNotified   = ""
	forEveryState = "all"
)

func (s *Store) audienceOf(reader string) string {
	if slices.Contains(s.o.EveryState, reader) {
		return forEveryState
	}
	return forNotified
}

// View is the outbox as one reader sees it: what is for all readers of its kind,
// and what is for it alone.
type View struct {
	*Store
	reader string
}

// View returns the outbox for a reader of Options.Readers.
func (s *Store) View(reader string) View { return View{s, reader} }

// Read implements outbox.Outbox.
func (v View) Read(ctx context.Context, after int64, limit, maxBytes int) ([]outbox.Entry, error) {
	return v.read(ctx, after, limit, maxBytes, v.audienceOf(v.reader), "sink:"+v.reader)
}

var _ outbox.Outbox = View{}

// Last returns the position of the last document that was ever added: there is
// something to read when it has grown, whichever process added it.
func (s *Store) Last(ctx context.Context) (seq int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT seq FROM counter`).Scan(&seq)
	return seq, broken(err)
}
