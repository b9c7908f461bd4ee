package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/leakveil/leakveil/internal/client"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/excerpt"
	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
)

// told is what detections say about where their units come from, remembered from one to
// the next.
type told struct {
	mac             hash.Hash
	known           bool
	resource        int32
	service, region string
	traffic         string
	client          event.Client // that the resource names
	scratch         []byte
	ids             map[string]int // how often the request has each id
}

// report counts the findings of an edit and makes their detections.
func (m *Masker) report(e *edit) {
	segment := m.batch.Segments()[e.segment]
	start := segment.Start
	if _, ok := slices.BinarySearch(m.cookies, e.segment); ok {
		start += bytes.IndexByte(m.batch.Bytes()[start:segment.End], '=') + 1
	}
	excerpts := m.options.Excerpts && e.hi > e.lo
	for i := e.first; i < e.last; i++ {
		excerpts = excerpts && !pipeline.Stays(&m.findings[i])
	}
	for i := e.first; i < e.last; i++ {
		r := &m.findings[i]
		if r.Part { // the finding before it stands for it
			continue
		}
		kind := string(r.Kind)
		m.out.Counts[Count{kind, string(r.Action)}]++
		if r.Action == redact.ActionReport {
			m.visited.reported = true
		} else {
			m.visited.count++
			if m.options.Summary && !slices.Contains(m.visited.kinds, kind) {
				m.visited.kinds = append(m.visited.kinds, kind)
			}
		}
		if m.options.Detect {
			d := m.detection(r, start)
			if excerpts {
				d.Excerpt = excerpt.Around([]byte(m.masked[e.lo:e.hi]), d.Fingerprint)
			}
			m.out.Detections = append(m.out.Detections, d)
			m.facts = append(m.facts, r.Facts(time.Time{}))
		}
	}
}

// detection is a finding with its client and its place.
func (m *Masker) detection(r *pipeline.Result, start int) event.Detection {
	return event.Detection{
		Kind: string(r.Kind), Rule: r.Rule.ID, Confidence: string(r.Confidence),
		Client: r.Client, Fingerprint: string(r.Fingerprint[:]), KeyID: m.worker.KeyID(), Action: string(r.Action),
		Where: event.Where{Signal: m.request.signal(), Field: m.where.field(), Start: max(0, r.Start-start), End: max(0, r.End-start)},
	}
}

// place completes the detections of a unit, now that all of it is masked: no name in
// them can be a value that was found.
func (m *Masker) place(u *unit, detections []event.Detection) {
	found := *u
	found.first = 0
	m.found = append(m.found, found)
	if u.kind == ofResource && m.visited.reported {
		m.told.known, m.told.resource = true, u.resource // what it says may be a value that stays
		m.told.service, m.told.region, m.told.traffic, m.told.client = "", m.options.Region, "", event.Client{}
	}
	m.know(u)
	var a about
	if u.kind == ofRecord {
		a = m.request.about(u)
	}
	trace, span := "", ""
	if !a.trace.IsEmpty() {
		trace = hex.EncodeToString(a.trace[:])
	}
	if !a.span.IsEmpty() {
		span = hex.EncodeToString(a.span[:])
	}
	at := a.time.AsTime()
	switch {
	case a.time != 0:
	case !m.received.IsZero():
		at = m.received.UTC()
	default:
		at = m.now().UTC()
	}
	now := m.now()
	for i := range detections {
		d := &detections[i]
		m.facts[i].Leaked = at
		d.Severity, d.Reasons = notify.Severity(&m.facts[i], now)
		d.Expires = notify.Ends(&m.facts[i])
		d.Time, d.Where.TraceID, d.Where.SpanID = at, trace, span
		d.Service, d.Region, d.Traffic = m.told.service, m.told.region, m.told.traffic
		if d.Client.How == event.Unknown && m.told.client.ID != "" {
			d.Client = m.told.client
		}
		d.ID = m.idOf(d, a.time, 0)
		if n := m.told.ids[d.ID]; n > 0 { // the same value twice in one list, or records without times
			m.told.ids[d.ID]++
			d.ID = m.idOf(d, a.time, n)
		}
		m.told.ids[d.ID]++
	}
}

// know reads what the unit's resource says, masked before it.
func (m *Masker) know(u *unit) {
	if m.told.known && m.told.resource == u.resource {
		return
	}
	m.told.known, m.told.resource = true, u.resource
	attrs := m.request.resourceOf(u).Attributes()
	m.told.service, m.told.region = textOf(attrs, "service.name"), m.options.Region
	if m.told.region == "" {
		m.told.region = textOf(attrs, "cloud.region")
	}
	m.told.traffic = ""
	if v, ok := attrs.Get(m.options.Synthetic); ok && m.options.Synthetic != "" &&
		(m.options.SyntheticValue == "" || v.AsString() == m.options.SyntheticValue) {
		m.told.traffic = event.Synthetic
	}
	m.told.client = m.reader.resource(attrs)
}

// checkExcerpts scans the excerpts again and drops those in which something is found.
func (m *Masker) checkExcerpts() {
	var texts []string
	var of []int
	for i := range m.out.Detections {
		if text := m.out.Detections[i].Excerpt; text != "" {
			texts, of = append(texts, text), append(of, i)
		}
	}
	if len(texts) == 0 {
		return
	}
	for i, free := range pipeline.Free(m.worker, texts) {
		if !free {
			m.out.Detections[of[i]].Excerpt = ""
		}
	}
}

// maxService bounds the name of a service or region.
const maxService = 128

// textOf is a text of a resource that names it.
func textOf(attrs pcommon.Map, name string) string {
	v, ok := attrs.Get(name)
	if !ok || v.Type() != pcommon.ValueTypeStr || len(v.Str()) > maxService {
		return ""
	}
	return v.Str()
}

// idOf is the detection's stable id: HMAC-SHA-256 over the record's time, trace and
// span, its service, the place, the rule and the value's fingerprint, each behind its
// length, and how many of the request are the same in all that, 22 base64url characters.
// The same record delivered twice has the same ids.
func (m *Masker) idOf(d *event.Detection, at pcommon.Timestamp, same int) string {
	t := m.told.scratch[:0]
	for _, part := range [...]string{"leakveil.detection.otlp", d.Where.Signal, d.Where.TraceID, d.Where.SpanID, d.Service, d.Where.Field, d.Rule, d.Fingerprint} {
		t = binary.BigEndian.AppendUint64(t, uint64(len(part)))
		t = append(t, part...)
	}
	t = binary.BigEndian.AppendUint64(t, uint64(at))
	t = binary.BigEndian.AppendUint64(t, uint64(d.Where.Start))
	if same > 0 {
		t = binary.BigEndian.AppendUint64(t, uint64(same))
	}
	m.told.mac.Reset()
	m.told.mac.Write(t)
	m.told.scratch = m.told.mac.Sum(t[:0])
	return base64.RawURLEncoding.EncodeToString(m.told.scratch[:16])
}

// The names of what a summary adds.
const (
	summaryCount = "leakveil.redacted.count"
	summaryKinds = "leakveil.redacted.kinds"
)

// summarize tells in the unit's own attributes what was replaced in it, added to what a
// summary there says already.
func (m *Masker) summarize(u *unit) {
	attrs, ok := m.request.attributes(u)
	if !ok {
		return
	}
	count := int64(m.visited.count)
	if v, ok := attrs.Get(summaryCount); ok && v.Type() == pcommon.ValueTypeInt {
		count += v.Int()
	}
	kinds := m.visited.kinds
	if v, ok := attrs.Get(summaryKinds); ok && v.Type() == pcommon.ValueTypeSlice {
		for i := range v.Slice().Len() {
			if kind := v.Slice().At(i).Str(); !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	slices.Sort(kinds)
	m.visited.kinds = kinds
	attrs.PutInt(summaryCount, count)
	list := attrs.PutEmptySlice(summaryKinds)
	for _, kind := range kinds {
		list.AppendEmpty().SetStr(kind)
	}
}

// relate names the clients of findings that have none from other records of the same
// trace.
func (m *Masker) relate() {
	if len(m.out.Detections) == 0 {
		return
	}
	if m.options.Mark != nil {
		defer func() {
			for i := range m.out.Detections {
				m.options.Mark(&m.out.Detections[i])
			}
		}()
	}
	unknown := map[string][]string{}
	for i := range m.out.Detections {
		d := &m.out.Detections[i]
		if d.Client.How == event.Unknown && d.Where.TraceID != "" {
			unknown[d.Where.TraceID] = nil
		}
	}
	if len(unknown) == 0 {
		return
	}
	for i := range m.out.Detections {
		d := &m.out.Detections[i]
		if ids, wanted := unknown[d.Where.TraceID]; wanted && d.Client.ID != "" {
			unknown[d.Where.TraceID] = addID(ids, d.Client.ID)
		}
	}
	m.reader.traces(m, unknown)
	for i := range m.out.Detections {
		d := &m.out.Detections[i]
		if d.Client.How == event.Unknown {
			d.Client = byTrace(unknown[d.Where.TraceID])
		}
	}
}

func byTrace(ids []string) event.Client {
	switch len(ids) {
	case 0:
		return event.Client{How: event.Unknown}
	case 1:
		return event.Client{ID: ids[0], How: event.ByTrace, Confidence: "likely", Candidates: ids}
	}
	return event.Client{How: event.Ambiguous, Confidence: "possible", Candidates: ids}
}

// addID adds an identifier to a sorted list of at most client.MaxListed.
func addID(ids []string, id string) []string {
	at, found := slices.BinarySearch(ids, id)
	if found || len(ids) == client.MaxListed {
		return ids
	}
	return slices.Insert(ids, at, id)
}
