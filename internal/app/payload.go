package app

import (
	"errors"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/client"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/gateway"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/otlp"
)

// The encodings of input.kafka.encoding.
const (
	encodingText = "text"
	encodingJSON = "json"
)

// payloads says how values of records are read.
type payloads struct {
	encoding string // "" is text
	signal   string // of OTLP; "" or "auto": what header, topic or payload say
	withhold bool   // what is not of the encoding; otherwise it is text
}

func (p payloads) plain() bool { return p.encoding == "" || p.encoding == encodingText }

// signalHeader is the header in which the Collector's Kafka exporter can name the signal.
const signalHeader = "otelcol.signal"

// signalOf is the signal of a record: the configured one, else what its header says, else
// the one whose topic the Collector's Kafka exporter calls so, else "".
func (p payloads) signalOf(topic string, r *recordbatch.Record) otlp.Signal {
	if p.signal != "" && p.signal != "auto" {
		return otlp.Signal(p.signal)
	}
	for _, h := range r.Headers {
		if string(h.Key) == signalHeader && len(h.Value) > 0 {
			return otlp.Signal(h.Value)
		}
	}
	for signal, name := range gateway.Topics {
		if name == topic {
			return signal
		}
	}
	return ""
}

// What became of a payload, in metrics.
const (
	payloadKept      = "kept"      // byte for byte
	payloadMasked    = "masked"    // and encoded again
	payloadRewritten = "rewritten" // encoded again for what its schema does not know
	payloadText      = "text"      // not of the encoding
	payloadWithheld  = "withheld"  // the same
)

// opened is a record whose value was masked inside of its encoding.
type opened struct {
	record int
	value  []byte
	became string
	out    otlp.Outcome
}

// open masks a record's value inside of its encoding. It returns what is left to be
// scanned as text, and false when the record is not to be passed on.
func (j *job) open(i int, r *recordbatch.Record) (text []byte, ok bool, err error) {
	if j.payloads.plain() || len(r.Value) == 0 { // a tombstone is of any encoding
		return r.Value, true, nil
	}
	at := time.UnixMilli(r.Timestamp)
	o := opened{record: i}
	if j.payloads.encoding == encodingJSON {
		o.value, o.out, err = j.masker.Document(r.Value, at)
	} else {
		o.value, o.out, err = j.masker.Payload(j.payloads.signalOf(j.in.Topic, r), otlp.Encoding(j.payloads.encoding), r.Value, at)
	}
	switch {
	case errors.Is(err, otlp.ErrDecode):
		return j.bad(i, r)
	case err != nil:
		return nil, false, err
	case o.out.Changed:
		o.became = payloadMasked
	case sameBytes(o.value, r.Value):
		o.became = payloadKept
	default:
		o.became = payloadRewritten
	}
	o.out.Counts, o.out.Withheld = maps.Clone(o.out.Counts), maps.Clone(o.out.Withheld) // the masker's own
	j.opened = append(j.opened, o)
	if j.payloads.encoding == encodingJSON {
		return o.value, true, nil // its grammar finds what structure does not
	}
	return nil, true, nil
}

// bad is what becomes of a value that is not of the encoding.
func (j *job) bad(i int, r *recordbatch.Record) (text []byte, ok bool, err error) {
	if j.payloads.withhold {
		j.refuse(i, reasonUndecodable)
		j.opened = append(j.opened, opened{record: i, became: payloadWithheld})
		return nil, false, nil
	}
	j.opened = append(j.opened, opened{record: i, value: r.Value, became: payloadText})
	return r.Value, true, nil
}

// sameBytes reports whether a is b itself.
func sameBytes(a, b []byte) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// place puts what was masked inside into the records on their way out.
func (o *opened) place(out []recordbatch.Record, dropped map[int]bool) (changed bool) {
	if o.became == payloadWithheld {
		return false // a stub goes there
	}
	out[o.record].Value = o.value
	if o.out.Emptied {
		dropped[o.record] = true
	}
	return o.out.Emptied || o.became == payloadMasked || o.became == payloadRewritten
}

// maskedAsText takes note that the text's grammar found more than structure did.
func (j *job) maskedAsText(record int) {
	i := sort.Search(len(j.opened), func(i int) bool { return j.opened[i].record >= record })
	if i < len(j.opened) && j.opened[i].record == record && j.opened[i].became == payloadKept {
		j.opened[i].became = payloadMasked
	}
}

// inner adds the detections of what was masked inside, and counts it.
func (j *job) inner(records, out []recordbatch.Record) {
	for i := range j.opened {
		o := &j.opened[i]
		r := &records[o.record]
		j.counted.Payloads(j.payloads.encoding, o.became, 1)
		for c, n := range o.out.Counts {
			j.counted.Findings(c.Kind, c.Action, int64(n))
		}
		for _, reason := range slices.Sorted(maps.Keys(o.out.Withheld)) {
			j.counted.Withheld(reason, int64(o.out.Withheld[reason]))
			j.unit.Dead = append(j.unit.Dead, j.deadLetter(j.counted, j.in.Topic, j.in.Partition, r.Offset, r.Offset, reason)...)
		}
		dropped := o.out.Dropped
		if o.out.Emptied {
			dropped-- // the record, which is counted where it is left out
		}
		if dropped > 0 {
			j.counted.Dropped(int64(dropped))
		}
		same := map[string]int{}
		for _, d := range o.out.Detections {
			inner := d.ID
			d.Where.Topic, d.Where.Partition, d.Where.Offset = j.in.Topic, j.in.Partition, r.Offset
			d.ID = alert.PayloadID(j.key, d.Where, inner, same[inner])
			same[inner]++
			if d.Where.Signal == "" { // JSON names what writes it as text does
				d.Service, d.Region = client.Service(out[o.record].Value), j.regionOf(out[o.record].Value)
			}
			if j.mark != nil {
				j.mark(&d)
			}
			if j.label.on(r) {
				d.Traffic = event.Synthetic
			}
			j.tell(d)
		}
	}
}

// tell adds a detection to the unit.
func (j *job) tell(d event.Detection) {
	j.counted.Detections(d.Confidence, string(d.Client.How), 1)
	j.unit.Detections = append(j.unit.Detections, d)
	if j.alerts != "" {
		j.unit.Events = append(j.unit.Events, detectionMessage(j.alerts, d, j.now()))
	}
}

// refusal is a record that is withheld.
type refusal struct {
	record int
	reason string
}

func (j *job) refuse(i int, reason string) { j.refused = append(j.refused, refusal{i, reason}) }
