// Package sink carries documents from an outbox to receivers. Sink is the port:
// one method that sends a batch once and says of every item what became of it.
// Waiting, retrying, breaking off and dead letters are here, in Runner and Fan,
// and not in the sinks; one folder below is one kind of receiver.
//
// Delivery is at least once: a cursor moves only behind what a receiver has
// taken or refused for good. The package must never put a byte of a document or
// of a receiver's answer into an error or a log: receivers quote what they were
// sent. Reasons are the fixed words of this package.
package sink

import (
	"context"
	"time"
)

// Item is one document to send.
type Item struct {
	// ID is unique to the document and the same whenever it is sent: the alert's id
	// and sequence with a hyphen between. Where a document is said again on purpose,
	// "~" and a number stand behind.
	ID string
	// Document is the JSON that package alert writes, one line. Sinks must not
	// change it.
	Document []byte
}

// Verdict is what became of an item.
type Verdict uint8

const (
	// Retry: not taken now; the same bytes may be taken later. It is the zero value,
	// so that what a sink says nothing about is sent again.
	Retry Verdict = iota
	// Delivered: the receiver has it as durably as it ever says, or had it already.
	Delivered
	// Reject: the receiver will never take these bytes.
	Reject
	// Split: the request was refused as a whole, for its size or for something in
	// it. Its parts may pass; an item alone is rejected.
	Split
)

// Reasons are all that is ever said about why an item was not delivered.
const (
	ReasonNetwork     = "network"      // no connection, or it broke
	ReasonTimeout     = "timeout"      // no answer in time
	ReasonBusy        = "busy"         // the receiver asked to wait
	ReasonServer      = "server_error" // the receiver failed
	ReasonAuth        = "unauthorized" // credentials or rights
	ReasonRedirect    = "redirect"     // never followed
	ReasonNotFound    = "not_found"    // address, index, or stream
	ReasonRefused     = "refused"      // this document will not be taken
	ReasonTooLarge    = "too_large"    // more than the receiver takes
	ReasonMalformed   = "malformed"    // the document cannot be rendered
	ReasonProtocol    = "protocol"     // an answer that makes no sense
	ReasonStorage     = "storage"      // the receiver is a disk that failed or is full
	ReasonOnlyThis    = "only_this"    // refused again and again while others passed
	ReasonUnconfirmed = "unconfirmed"  // sent, but not acknowledged in time
	reasonPanic       = "panic"
)

// Outcome is what became of one item and why.
type Outcome struct {
	Verdict Verdict
	Reason  string // one of the Reasons; empty when delivered
}

// Report is the answer to one Send.
type Report struct {
	// Outcomes has one for each item, in order. Items without one are sent again.
	Outcomes []Outcome
	// RetryAfter is how long the receiver asked to be left alone; 0: it did not say.
	RetryAfter time.Duration
}

// Sink sends documents to one receiver.
type Sink interface {
	// Send sends items once, and returns when each is acknowledged, refused or
	// failed, or when ctx ends. It is called by one goroutine at a time.
	Send(ctx context.Context, items []Item) Report
}

// Closer is a Sink with something to close.
type Closer interface {
	Close() error
}

// All returns a report with the same outcome for n items.
func All(n int, o Outcome) Report {
	out := make([]Outcome, n)
	for i := range out {
		out[i] = o
	}
	return Report{Outcomes: out}
}
