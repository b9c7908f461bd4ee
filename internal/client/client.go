// Package client says whose a finding is: which OAuth client it affects, how
// that was found, and how sure it is. It reads the record before it is masked
// and must never put into its answer anything but client identifiers.
package client

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/rules"
)

// MaxID bounds a client identifier in bytes: it comes from log lines that anyone may write.
const MaxID = 256

// Bounds on what one record may name: how many places of each word are
// remembered, so that a finding far into a long list still has the client of its
// own object (what stands behind them is ambiguous), and how many clients an
// answer lists.
const (
	maxNamed  = 1 << 12
	maxListed = 32
)

// Attributor finds clients. It belongs to one goroutine; it remembers the
// candidates of the record it saw last, since a record often has many findings.
type Attributor struct {
	low, high int         // the record in the arena, high 0 when nothing is remembered
	named     []candidate // in the order of the record
	all       []string    // the distinct identifiers of the record, sorted
	known     int         // the part of the record that named is complete for
	idp       bool
	life      life
	scratch   []byte
	ids       map[string][]string // identifiers seen before, each in a list of its own
}

// maxKnown bounds how many identifiers are kept, so that the next record with one
// of them allocates nothing.
const maxKnown = 1 << 10

// identifier returns what id says when it can be an identifier, nil otherwise: a
// list of its own, which nobody may change.
func (a *Attributor) identifier(id []byte) []string {
	if list := a.ids[string(id)]; list != nil {
		return list
	}
	list := []string{string(id)}
	if !valid(list[0]) {
		return nil
	}
	if a.ids == nil || len(a.ids) == maxKnown {
		a.ids = map[string][]string{}
	}
	a.ids[list[0]] = list
	return list
}

// candidate is a client identifier that a record names.
type candidate struct {
	at   int // offset in the record
	id   string
	list []string // id alone
	weak bool     // behind the word "client" alone
}

// Reset forgets the remembered record. It must be called for each new arena.
func (a *Attributor) Reset() {
	*a = Attributor{named: a.named[:0], scratch: a.scratch[:0], ids: a.ids}
}

// Of attributes one finding. value is its decoded value, valid during the call.
func (a *Attributor) Of(arena []byte, f *detect.Finding, value []byte) event.Client {
	a.life = life{}
	if len(f.Inside) > 0 {
		if c := inside(arena, f, value); c.ID != "" {
			return c
		}
	}
	if c := a.own(arena, f, value); c.ID != "" {
		return c
	}
	record := arena[f.RecordLow:f.RecordHigh]
	if a.high != f.RecordHigh || a.low != f.RecordLow || a.high == 0 {
		a.low, a.high = f.RecordLow, f.RecordHigh
		a.read(record)
	}
	return a.bound(record, f.KeyStart-f.RecordLow)
}

// life is what a value says of its own.
type life struct {
	ends  time.Time
	bound bool
}

// Life returns when the value of the last finding ends by its own claims (zero: it
// names none), and whether it works only with a key besides.
func (a *Attributor) Life() (ends time.Time, bound bool) { return a.life.ends, a.life.bound }

// inside attributes what a base64 blob holds by what else it holds.
func inside(arena []byte, f *detect.Finding, value []byte) event.Client {
	text := f.Form.Decode(nil, arena[f.Blob:f.End])
	defer clear(text[:cap(text)])
	for i := range f.Inside {
		if in := &f.Inside[i]; in.Rule == f.Rule {
			var a Attributor
			c := a.Of(text, in, value)
			clear(a.scratch[:cap(a.scratch)])
			return c
		}
	}
	return event.Client{}
}

// Related names the client of a finding that has none of its own from the other
// findings of its record: the token beside a code, the Basic user beside a form.
func Related(others []event.Client) event.Client {
	var ids []string
	var found event.Client
	for _, c := range others {
		if c.ID != "" && !slices.Contains(ids, c.ID) {
			ids = append(ids, c.ID)
			found = c
		}
	}
	switch len(ids) {
	case 0:
		return event.Client{How: event.Unknown}
	case 1:
		return event.Client{ID: found.ID, How: found.How, Confidence: "likely", Candidates: ids}
	}
	slices.Sort(ids)
	return event.Client{How: event.Ambiguous, Confidence: "possible", Candidates: ids}
}

// own reads the client from the value itself.
func (a *Attributor) own(arena []byte, f *detect.Finding, value []byte) event.Client {
	if f.Form.Base64 != 0 && len(f.Inside) == 0 {
		lead := f.Form
		lead.Lead = 0
		a.scratch = lead.Decode(a.scratch[:0], arena[f.Blob:f.End])
		defer clear(a.scratch) // the password stands behind the user
		user := a.scratch[:min(len(a.scratch), max(0, f.Form.Lead-1))]
		return a.certain(formDecode(user), event.BasicUser)
	}
	if c, ok := a.claimsOf(value); ok {
		a.life = c.life()
		if f.Kind == rules.ClientAssertion {
			return a.certain([]byte(firstOf(c.Iss, c.Sub)), event.Assertion)
		}
		id := firstOf(c.Azp, c.ClientID, c.Cid, c.AppID)
		if id == "" && f.Kind == rules.IDToken {
			id = c.audience()
		}
		return a.certain([]byte(id), event.JWTClaim)
	}
	return event.Client{}
}

func (a *Attributor) certain(id []byte, how event.How) event.Client {
	list := a.identifier(id)
	if list == nil {
		return event.Client{}
	}
	return event.Client{ID: list[0], How: how, Confidence: "certain", Candidates: list}
}

func firstOf(ids ...string) string {
	for _, id := range ids {
		if id != "" {
			return id
		}
	}
	return ""
}

// bound chooses among the record's candidates: the innermost scope around the
// finding that names any decides.
func (a *Attributor) bound(record []byte, at int) event.Client {
	switch len(a.all) {
	case 0:
		return event.Client{How: event.Unknown}
	case 1:
		return a.same(a.all[0], "likely")
	}
	for level := 0; ; level++ {
		lo, hi := detect.Scope(record, at, level)
		switch id, several := only(within(a.named, lo, hi)); {
		case several || hi > a.known || lo == 0 && hi == len(record):
			return event.Client{How: event.Ambiguous, Confidence: "possible", Candidates: a.listed("")}
		case id != "":
			return a.same(id, "certain")
		}
	}
}

func (a *Attributor) same(id, confidence string) event.Client {
	how := event.SameRecord
	if a.idp {
		how = event.IdPEvent
	}
	return event.Client{ID: id, How: how, Confidence: confidence, Candidates: a.listed(id)}
}

// listed is the record's identifiers, sorted, with id among them.
func (a *Attributor) listed(id string) []string {
	if len(a.all) <= maxListed {
		return a.all
	}
	first := slices.Clone(a.all[:maxListed])
	if _, found := slices.BinarySearch(first, id); !found && id != "" {
		first[maxListed-1] = id // it sorts behind all the others
	}
	return first
}

// within is the candidates that stand in [lo,hi).
func within(named []candidate, lo, hi int) []candidate {
	before := func(c candidate, at int) int { return c.at - at }
	first, _ := slices.BinarySearchFunc(named, lo, before)
	last, _ := slices.BinarySearchFunc(named, hi, before)
	return named[first:max(first, last)]
}

// only returns the one identifier that the candidates name, "" for none, and
// whether there are several. The bare word "client" counts only where nothing
// better stands.
func only(named []candidate) (id string, several bool) {
	weak := true
	for _, c := range named {
		switch {
		case c.weak && !weak:
		case id == "" || weak && !c.weak:
			id, weak, several = c.id, c.weak, false
		case c.id != id:
			several = true
		}
		if several && !weak {
			return "", true
		}
	}
	if several {
		return "", true
	}
	return id, false
}

// distinct returns the sorted identifiers of a record, by the same rule.
func distinct(named []candidate) []string {
	if id, several := only(named); !several {
		for _, c := range named {
			if c.id == id {
				return c.list
			}
		}
		return nil
	}
	var ids []string
	for _, weak := range []bool{false, true} {
		for _, c := range named {
			if c.weak == weak {
				ids = append(ids, c.id)
			}
		}
		if len(ids) > 0 {
			break
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// valid keeps out what cannot be an identifier, and what would be dangerous to
// show: control and format characters, and anything long. Blanks may stand
// within one (RFC 6749 appendix A.1), and providers allow letters of every script.
func valid(id string) bool {
	if id == "" || len(id) > MaxID || detect.Placeholder([]byte(id)) || id == "-" || strings.TrimSpace(id) != id {
		return false
	}
	for _, c := range id {
		if !unicode.IsPrint(c) || c == utf8.RuneError || c == '"' || c == '<' || c == '>' {
			return false
		}
	}
	return !isAddress(id)
}

// isAddress reports whether id is an IP address.
func isAddress(id string) bool {
	for i := 0; i < len(id); i++ {
		if c := id[i]; c != '.' && c != ':' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false // most identifiers; parsing makes an error for each
		}
	}
	return net.ParseIP(id) != nil
}

func formDecode(b []byte) []byte {
	if !bytes.ContainsAny(b, "%+") {
		return b
	}
	return []byte(unescapeForm(string(b)))
}
