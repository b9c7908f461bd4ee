package otlp

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/leakveil/leakveil/internal/client"
	"github.com/leakveil/leakveil/internal/event"
)

// reader reads client identifiers from what was masked already.
type reader struct {
	names client.Attributor
	text  []byte
}

// resource is the client that a resource names as its own: what writes its records.
func (r *reader) resource(attrs pcommon.Map) event.Client {
	r.text = r.text[:0]
	for name, v := range attrs.All() {
		if v.Type() == pcommon.ValueTypeStr && len(name)+len(v.Str()) <= 2*client.MaxID {
			r.text = append(append(append(append(append(r.text, name...), `="`...), v.Str()...), '"'), '\n')
		}
	}
	ids := r.names.Names(r.text)
	if len(ids) != 1 {
		return event.Client{}
	}
	return event.Client{ID: ids[0], How: event.SameRecord, Confidence: "possible", Candidates: ids}
}

// traces adds to each wanted trace the clients that its records without findings name.
// Those with findings have told theirs.
func (r *reader) traces(m *Masker, wanted map[string][]string) {
	m.reset()
	visit := &gatherer{reader: r, wanted: wanted, found: map[unit]bool{}}
	for _, u := range m.found {
		visit.found[u] = true
	}
	m.reading = visit
	defer func() { m.reading = nil }()
	_ = m.request.gather(m)
	visit.read(m)
	m.reset()
}

// gatherer reads each unit of a request before the next is entered.
type gatherer struct {
	*reader
	wanted map[string][]string
	found  map[unit]bool
	trace  string // of the unit that is being gathered, "" when it is not wanted
}

// enter begins a unit that is only read.
func (g *gatherer) enter(m *Masker, u unit) {
	g.read(m)
	g.trace = ""
	m.mode = skipping
	if g.found[u] || u.kind != ofRecord {
		return
	}
	trace := m.request.about(&u).trace
	if trace.IsEmpty() {
		return
	}
	if id := hex.EncodeToString(trace[:]); g.has(id) {
		g.trace, m.mode = id, gathering
	}
}

func (g *gatherer) has(trace string) bool { _, ok := g.wanted[trace]; return ok }

// read takes the clients from the unit that was gathered.
func (g *gatherer) read(m *Masker) {
	if g.trace != "" {
		for _, id := range g.names.Names(m.batch.Bytes()) {
			g.wanted[g.trace] = addID(g.wanted[g.trace], id)
		}
	}
	m.batch.Reset()
}
