// Package outbox keeps documents durably until every reader has delivered them.
// The Outbox interface has two implementations: File here, an fsynced log of
// segments without dependencies, and package store, SQLite with queries.
//
// An outbox must never drop an entry that a reader has not passed: when there is
// no room, Append fails and the caller holds its source back. It knows nothing
// of what a document says, and no document may hold a byte of a secret.
package outbox

import (
	"context"
	"errors"
)

// ErrFull is returned by Append when the entries that readers have not passed
// fill the configured size, or the disk is full. Nothing of the batch is stored;
// the caller tries again later.
var ErrFull = errors.New("outbox: no room until readers have caught up")

// MaxEntry bounds one entry's document, in bytes.
const MaxEntry = 1 << 20

// Entry is one document.
type Entry struct {
	// Seq is the entry's position: from 1, growing in the order of Append. There
	// may be gaps. Append ignores it.
	Seq int64
	// ID names the document for receivers that know repeats by it, at most 512
	// bytes. An implementation may leave out an entry whose ID it still has.
	ID string
	// Data is the document, at most MaxEntry bytes.
	Data []byte
}

// Dead is an entry that a reader's receiver refused for good.
type Dead struct {
	Entry
	// Reason is one of a few fixed words, never text from a receiver, which may
	// quote what it was sent.
	Reason string
}

// Outbox is an append-only log with one cursor a reader. It is safe for
// concurrent use.
type Outbox interface {
	// Append stores the entries in order, all or none, and returns when they are
	// on disk.
	Append(ctx context.Context, entries []Entry) error
	// Read returns entries behind position after, oldest first: at most limit, and
	// no more than fit in maxBytes of documents, but at least one if there is one.
	Read(ctx context.Context, after int64, limit, maxBytes int) ([]Entry, error)
	// Cursor returns the position up to which a reader is done. Reading Cursor of
	// a reader that the outbox was not opened with is an error.
	Cursor(ctx context.Context, reader string) (int64, error)
	// Advance stores that the reader is done up to position to, and dead of these
	// refused for good, and returns when both are on disk. A cursor never goes back.
	Advance(ctx context.Context, reader string, to int64, dead []Dead) error
	// Close frees what is open. Nothing is lost by not calling it.
	Close() error
}

// Check refuses entries that no implementation takes: without id or too large.
func Check(entries []Entry) error {
	for i := range entries {
		if len(entries[i].Data) > MaxEntry || len(entries[i].ID) > 512 || entries[i].ID == "" {
			return errors.New("outbox: an entry is too large or has no id")
		}
	}
	return nil
}

// Counter is an Outbox that can say how much waits for a reader.
type Counter interface {
	// Waiting returns the number of entries that the reader has not passed.
	Waiting(ctx context.Context, reader string) (int64, error)
}

// Pending is o's Waiting, and -1 where that cannot be said.
func Pending(ctx context.Context, o Outbox, reader string) int64 {
	c, ok := o.(Counter)
	if !ok {
		return -1
	}
	n, err := c.Waiting(ctx, reader)
	if err != nil {
		return -1
	}
	return n
}
