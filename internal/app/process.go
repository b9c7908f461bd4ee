package app

import (
	"context"
	"time"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/alert"
	"github.com/leakveil/leakveil/internal/client"
	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/internal/excerpt"
	"github.com/leakveil/leakveil/internal/kafka"
	"github.com/leakveil/leakveil/internal/kafka/recordbatch"
	"github.com/leakveil/leakveil/internal/notify"
	"github.com/leakveil/leakveil/internal/otlp"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/internal/sink"
	"github.com/leakveil/leakveil/redact"
)

// arenaBytes is how much is gathered for one scan; see lines.DefaultArena.
const arenaBytes = 256 << 10

// Reasons for which a record is withheld.
const (
	reasonScan     = "scan_error"
	reasonTimeout  = "timeout"
	reasonOversize = "oversize"
	// reasonUndecodable: the value is not of input.kafka.encoding.
	reasonUndecodable = "undecodable"
)

// processor turns a batch of records into what is delivered for it. It is safe
// for concurrent use: jobs are lent out one at a time, so that no more than
// their number scan at once, however many partitions there are.
type processor struct {
	jobs      chan *job // idle ones, one a worker
	maxRecord int
	payloads  payloads
	maskers   []*otlp.Masker            // one a worker, unless values are text
	output    func(input string) string // the output topic
	codec     *recordbatch.Codec        // of the output; nil: the input's
	alerts    string                    // topic, "" for none
	dead      string                    // topic, "" for none
	file      *alert.FileLog            // nil: none
	fan       *sink.Fan                 // nil: none
	key       []byte                    // of detection ids
	keyID     string
	region    string
	mark      func(*event.Detection) // of synthetic traffic; nil: none
	label     label                  // header of synthetic traffic
	excerpts  bool
	counts    counts
	now       func() time.Time
}

// process masks a batch. An error means that nothing of it may be delivered.
func (p *processor) process(ctx context.Context, in kafka.Input) (kafka.Unit, error) {
	var job *job
	select {
	case job = <-p.jobs:
	case <-ctx.Done():
		return kafka.Unit{}, ctx.Err()
	}
	defer func() { job.in, job.unit = kafka.Input{}, kafka.Unit{}; p.jobs <- job }()
	start := p.now()
	job.in = in
	job.unit = kafka.Unit{OutTopic: p.output(in.Topic), Codec: p.codecFor(in.Info.Codec), Unchanged: true}
	job.counted = &later{}
	job.unit.Delivered = job.counted.to(p.counts)
	job.unit.Out = make([]recordbatch.Record, 0, len(in.Records))
	for first := 0; first < len(in.Records); {
		last, size := first, 0
		for last < len(in.Records) && (last == first || size+recordBytes(&in.Records[last]) <= arenaBytes) {
			size += recordBytes(&in.Records[last])
			last++
		}
		job.chunk(in.Records[first:last])
		first = last
	}
	job.batch.Wipe()
	p.counts.BatchDone(p.now().Sub(start))
	return job.unit, nil
}

func recordBytes(r *recordbatch.Record) int {
	n := len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += 2*len(h.Key) + len(h.Value)
	}
	return n
}

// newProcessor gives p its workers.
func newProcessor(p *processor, workers ...*pipeline.Worker) *processor {
	p.jobs = make(chan *job, len(workers))
	for i, w := range workers {
		j := &job{processor: p, worker: w}
		if !p.payloads.plain() {
			j.masker = p.maskers[i]
		}
		p.jobs <- j
	}
	return p
}

// job is one batch on its way through one worker. Its memory is used again.
type job struct {
	*processor
	worker *pipeline.Worker
	masker *otlp.Masker // nil when values are text
	in     kafka.Input
	unit   kafka.Unit
	batch  detect.Batch
	fields []field
	// Of the records that are looked at together, in order.
	opened  []opened
	refused []refusal
	// counted is told to the metrics when the unit is delivered.
	counted *later
}

// field is where a segment came from.
type field struct {
	record, header int
	name           string // as event.Where.Field
	source         []byte
}

// chunk scans some records in one call, and after a failure each alone, with a
// time of its own: a slow one takes none of its neighbours with it.
func (j *job) chunk(records []recordbatch.Record) {
	if err := j.scan(records); err == nil {
		return
	}
	for i := range records {
		if err := j.scan(records[i : i+1]); err != nil {
			reason := reasonScan
			if pipeline.TimedOut(err) {
				reason = reasonTimeout
			}
			j.withhold(&records[i], reason)
		}
	}
}

// scan gathers, finds and masks; it adds to the unit only when all went well.
func (j *job) scan(records []recordbatch.Record) error {
	j.batch.Reset()
	clear(j.opened)
	j.fields, j.opened, j.refused = j.fields[:0], j.opened[:0], j.refused[:0]
	for i := range records {
		if recordBytes(&records[i]) > j.maxRecord {
			j.refuse(i, reasonOversize)
			continue
		}
		value, ok, err := j.open(i, &records[i])
		if err != nil {
			return err
		}
		if ok {
			j.gather(i, &records[i], value)
		}
	}
	results, err := j.worker.Find(&j.batch)
	if err != nil {
		return err
	}
	out, dropped, err := j.mask(records)
	if err != nil {
		return err
	}
	j.deliver(records, out, dropped)
	j.detections(records, out, results)
	j.inner(records, out)
	for _, kind := range j.worker.Suppressed() {
		j.counted.Findings(string(kind), "suppressed", 1)
	}
	return nil
}

// gather adds a record's fields to the batch: what of the value is text, the key, and
// headers both as text and as what their names say.
func (j *job) gather(i int, r *recordbatch.Record, value []byte) {
	add := func(f field, framed string) {
		if len(f.source) == 0 {
			return
		}
		f.record = i
		j.fields = append(j.fields, f)
		if framed != "" {
			j.batch.AddField(i, framed, f.source)
			return
		}
		j.batch.AddText(i, f.source)
	}
	add(field{name: "value", source: value}, "")
	add(field{name: "key", source: r.Key}, "")
	for h := range r.Headers {
		add(field{name: "header_name", header: h, source: r.Headers[h].Key}, "")
		add(field{name: "header", header: h, source: r.Headers[h].Value}, safeName(r.Headers[h].Key))
	}
}

// safeName is a header's name where it can frame its value: without line ends
// and quotes, which would change what stands around it.
func safeName(name []byte) string {
	for _, c := range name {
		if c <= ' ' || c == '"' || c >= 0x7f {
			return "header"
		}
	}
	if len(name) == 0 || len(name) > 256 {
		return "header"
	}
	return string(name)
}

// mask returns the records with every field masked, and which ones to drop.
func (j *job) mask(records []recordbatch.Record) ([]recordbatch.Record, map[int]bool, error) {
	out := append([]recordbatch.Record(nil), records...)
	dropped := map[int]bool{}
	cloned := map[int]bool{}
	for i := range j.opened {
		if j.opened[i].place(out, dropped) {
			j.unit.Unchanged = false
		}
	}
	for i := range j.fields {
		if !j.worker.Found(i) {
			continue
		}
		f := &j.fields[i]
		masked, changed, drop, err := j.worker.MaskSegment(nil, i, !redact.IsText(f.source))
		if err != nil {
			return nil, nil, err
		}
		if drop {
			dropped[f.record] = true
		}
		j.unit.Unchanged = j.unit.Unchanged && !changed && !drop
		if !changed {
			continue
		}
		r := &out[f.record]
		if f.name == "value" {
			j.maskedAsText(f.record)
		}
		if f.name[0] == 'h' && !cloned[f.record] {
			r.Headers = append([]recordbatch.Header(nil), r.Headers...)
			cloned[f.record] = true
		}
		f.set(r, masked)
	}
	return out, dropped, nil
}

// of is the field in a record.
func (f *field) of(r *recordbatch.Record) []byte {
	switch f.name {
	case "value":
		return r.Value
	case "key":
		return r.Key
	case "header_name":
		return r.Headers[f.header].Key
	}
	return r.Headers[f.header].Value
}

func (f *field) set(r *recordbatch.Record, masked []byte) {
	switch f.name {
	case "value":
		r.Value = masked
	case "key":
		r.Key = masked
	case "header_name":
		r.Headers[f.header].Key = masked
	default:
		r.Headers[f.header].Value = masked
	}
}

// deliver adds the chunk's records to the unit, in order.
func (j *job) deliver(records, out []recordbatch.Record, dropped map[int]bool) {
	refused := j.refused
	for i := range out {
		switch {
		case len(refused) > 0 && refused[0].record == i:
			j.withhold(&records[i], refused[0].reason)
			refused = refused[1:]
		case dropped[i]:
			j.counted.Dropped(1)
		default:
			j.unit.Out = append(j.unit.Out, out[i])
		}
	}
}

// detections adds one event for each finding. Service and region are read from
// the masked record: no name in an event can be a value that was found.
func (j *job) detections(records, out []recordbatch.Record, results []pipeline.Result) {
	var all []event.Detection
	stays := map[int]bool{} // records
	for i := range results {
		if j.excerpts && pipeline.Stays(&results[i]) {
			stays[j.fields[results[i].Segment].record] = true
		}
	}
	for i := range results {
		r := &results[i]
		if r.Part { // the finding before it stands for it
			continue
		}
		f := &j.fields[r.Segment]
		record := &records[f.record]
		segment := j.batch.Segments()[r.Segment]
		d := event.Detection{
			Time: time.UnixMilli(record.Timestamp).UTC(),
			Kind: string(r.Kind), Rule: r.Rule.ID, Confidence: string(r.Confidence),
			Client: r.Client, Fingerprint: string(r.Fingerprint[:]), KeyID: j.keyID,
			Where: event.Where{
				Topic: j.in.Topic, Partition: j.in.Partition, Offset: record.Offset, Field: f.name,
				Start: r.Start - segment.Start, End: r.End - segment.Start,
			},
			Service: client.Service(out[f.record].Value), Region: j.regionOf(out[f.record].Value), Action: string(r.Action),
		}
		facts := r.Facts(d.Time)
		d.Severity, d.Reasons = notify.Severity(&facts, j.now())
		d.Expires = notify.Ends(&facts)
		if j.mark != nil {
			j.mark(&d)
		}
		if j.label.on(record) {
			d.Traffic = event.Synthetic
		}
		d.ID = alert.DetectionID(j.key, d.Where, d.Rule)
		if j.excerpts && !stays[f.record] {
			d.Excerpt = excerpt.Around(f.of(&out[f.record]), d.Fingerprint)
		}
		j.counted.Findings(d.Kind, d.Action, 1)
		all = append(all, d)
	}
	j.checkExcerpts(all)
	for i := range all {
		j.tell(all[i])
	}
}

// checkExcerpts scans the excerpts again and drops those in which something is found.
// The results of the worker are gone afterwards.
func (j *job) checkExcerpts(detections []event.Detection) {
	var texts []string
	var of []int
	for i := range detections {
		if text := detections[i].Excerpt; text != "" {
			texts, of = append(texts, text), append(of, i)
		}
	}
	if len(texts) == 0 {
		return
	}
	for i, free := range pipeline.Free(j.worker, texts) {
		if !free {
			detections[of[i]].Excerpt = ""
		}
	}
}

// regionOf is the configured region, else the one that the record names.
func (p *processor) regionOf(record []byte) string {
	if p.region != "" {
		return p.region
	}
	return client.Region(record)
}

// detectionMessage is a detection on the alerts topic: keyed so that all that
// one alert is folded from lies in one partition.
func detectionMessage(topic string, d event.Detection, now time.Time) kafka.Message {
	return kafka.Message{Topic: topic, Partition: -1, Record: recordbatch.Record{
		Timestamp: now.UnixMilli(),
		Key:       []byte(alert.ClientKey(d.Client) + " " + d.Kind),
		Value:     alert.MarshalDetection(d, now),
	}}
}

// withhold puts a stub in the place of a record that could not be scanned, and
// a reference to it among the dead letters. Key and headers go as well: they
// were not scanned either.
func (j *job) withhold(r *recordbatch.Record, reason string) {
	j.unit.Unchanged = false
	stub, dead := j.stub(j.counted, j.in.Topic, j.in.Partition, r, reason)
	j.unit.Out = append(j.unit.Out, stub)
	j.unit.Dead = append(j.unit.Dead, dead...)
}
