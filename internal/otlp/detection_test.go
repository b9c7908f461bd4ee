package otlp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/redact"
)

func clientOf(id string, how event.How, confidence string) event.Client {
	return event.Client{ID: id, How: how, Confidence: confidence, Candidates: []string{id}}
}

func TestClients(t *testing.T) {
	trace := pcommon.TraceID{1, 2, 3}
	for name, c := range map[string]struct {
		write func(ld plog.Logs, first, second plog.LogRecord)
		want  event.Client
	}{
		"none": {func(plog.Logs, plog.LogRecord, plog.LogRecord) {}, event.Client{How: event.Unknown}},
		"same record": {func(_ plog.Logs, first, _ plog.LogRecord) {
			first.Attributes().PutStr("client_id", "web-shop")
		}, clientOf("web-shop", event.SameRecord, "likely")},
		"nested in the same record": {func(_ plog.Logs, first, _ plog.LogRecord) {
			first.Attributes().PutEmptyMap("request").PutStr("clientId", "web-shop")
		}, clientOf("web-shop", event.SameRecord, "likely")},
		"resource": {func(ld plog.Logs, _, _ plog.LogRecord) {
			ld.ResourceLogs().At(0).Resource().Attributes().PutStr("oauth.client_id", "web-shop")
		}, clientOf("web-shop", event.SameRecord, "possible")},
		"same trace": {func(_ plog.Logs, first, second plog.LogRecord) {
			first.SetTraceID(trace)
			second.SetTraceID(trace)
			second.Body().SetStr("authorize: client_id=web-shop ok")
		}, clientOf("web-shop", event.ByTrace, "likely")},
		"same trace, of another finding": {func(_ plog.Logs, first, second plog.LogRecord) {
			first.SetTraceID(trace)
			second.SetTraceID(trace)
			second.Body().SetStr("client_id=web-shop&access_token=" + secret())
		}, clientOf("web-shop", event.ByTrace, "likely")},
		"other trace": {func(_ plog.Logs, first, second plog.LogRecord) {
			first.SetTraceID(trace)
			second.SetTraceID(pcommon.TraceID{9})
			second.Body().SetStr("authorize: client_id=web-shop ok")
		}, event.Client{How: event.Unknown}},
		"two in the trace": {func(ld plog.Logs, first, second plog.LogRecord) {
			first.SetTraceID(trace)
			second.SetTraceID(trace)
			second.Body().SetStr("client_id=b-app")
			third := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
			third.SetTraceID(trace)
			third.Body().SetStr("client_id=a-app")
		}, event.Client{How: event.Ambiguous, Confidence: "possible", Candidates: []string{"a-app", "b-app"}}},
		"the record before the trace": {func(_ plog.Logs, first, second plog.LogRecord) {
			first.SetTraceID(trace)
			first.Attributes().PutStr("client_id", "web-shop")
			second.SetTraceID(trace)
			second.Body().SetStr("client_id=other")
		}, clientOf("web-shop", event.SameRecord, "likely")},
	} {
		for _, chunk := range []int{chunkBytes, 1} {
			m := testMasker(t, nil)
			m.chunk = chunk
			ld := plog.NewLogs()
			records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			records.EnsureCapacity(3)
			first, second := records.AppendEmpty(), records.AppendEmpty()
			first.Body().SetStr("failed: code_verifier=" + secret())
			second.Body().SetStr("nothing")
			c.write(ld, first, second)
			out, err := m.Logs(ld)
			if err != nil || len(out.Detections) == 0 {
				t.Fatalf("%s: %v, %d detections", name, err, len(out.Detections))
			}
			if diff := cmp.Diff(c.want, out.Detections[0].Client); diff != "" {
				t.Errorf("%s, chunk %d: %s", name, chunk, diff)
			}
		}
	}
}

func TestClientFromTheSpansEvents(t *testing.T) {
	td := ptrace.NewTraces()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.Attributes().PutStr("url.query", "code_verifier="+secret())
	s.Events().AppendEmpty().Attributes().PutStr("client_id", "web-shop")
	out, err := testMasker(t, nil).Traces(td)
	if err != nil || len(out.Detections) != 1 || out.Detections[0].Client.ID != "web-shop" {
		t.Errorf("%v, %+v", err, out.Detections)
	}
}

// Each event and link is told apart: the client of the same one wins over those of the rest.
func TestClientsOfEventsAndLinksStayApart(t *testing.T) {
	for name, attributes := range map[string]func(s ptrace.Span) pcommon.Map{
		"event": func(s ptrace.Span) pcommon.Map { return s.Events().AppendEmpty().Attributes() },
		"link":  func(s ptrace.Span) pcommon.Map { return s.Links().AppendEmpty().Attributes() },
	} {
		td := ptrace.NewTraces()
		s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.Attributes().PutStr("peer", "client_id=third-app")
		want := map[string]bool{}
		for _, id := range []string{"web-shop", "back-office"} {
			attrs := attributes(s)
			attrs.PutStr("code_verifier", secret())
			attrs.PutStr("client_id", id)
			want[id] = true
		}
		attributes(s).PutStr("client_id", "fourth-app")
		s.Events().AppendEmpty().SetName("nothing")
		out, err := testMasker(t, nil).Traces(td)
		if err != nil || len(out.Detections) != 2 {
			t.Fatalf("%s: %v, %+v", name, err, out.Detections)
		}
		for _, d := range out.Detections {
			if d.Client.How != event.SameRecord || !want[d.Client.ID] {
				t.Errorf("%s: client %+v", name, d.Client)
			}
			delete(want, d.Client.ID)
		}
	}
}

// So is each exemplar of a data point.
func TestClientsOfExemplarsStayApart(t *testing.T) {
	md := pmetric.NewMetrics()
	p := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	want := map[string]bool{"web-shop": true, "back-office": true}
	for id := range want {
		attrs := p.Exemplars().AppendEmpty().FilteredAttributes()
		attrs.PutStr("code_verifier", secret())
		attrs.PutStr("client_id", id)
	}
	out, err := testMasker(t, nil).Metrics(md)
	if err != nil || len(out.Detections) != 2 {
		t.Fatalf("%v, %+v", err, out.Detections)
	}
	for _, d := range out.Detections {
		if d.Client.How != event.SameRecord || !want[d.Client.ID] {
			t.Errorf("client %+v", d.Client)
		}
		delete(want, d.Client.ID)
	}
}

// A value that the policy leaves is no client, wherever it stands.
func TestReportedValuesAreNoClients(t *testing.T) {
	m := testMasker(t, func(o *Options) { o.Pipeline.Policy = redact.Policy{"access_token": redact.ActionReport} })
	ld := plog.NewLogs()
	r := ld.ResourceLogs().AppendEmpty()
	v, w := secret(), secret()
	r.Resource().Attributes().PutStr("service.name", "access_token="+w)
	r.Resource().Attributes().PutStr("client_id", w)
	records := r.ScopeLogs().AppendEmpty().LogRecords()
	for _, text := range []string{"code_verifier=" + secret(), "client_id=" + v + "&access_token=" + v} {
		l := records.AppendEmpty()
		l.SetTraceID(pcommon.TraceID{7})
		l.Body().SetStr(text)
	}
	out, err := m.Logs(ld)
	if err != nil || len(out.Detections) < 3 {
		t.Fatalf("%v, %+v", err, out)
	}
	if told := fmt.Sprintf("%+v", out.Detections); strings.Contains(told, v) || strings.Contains(told, w) {
		t.Errorf("a secret is told: %s", told)
	}
}

func TestWhatADetectionSays(t *testing.T) {
	m := testMasker(t, func(o *Options) { o.Region = "" })
	build := func(v string) plog.Logs {
		ld := plog.NewLogs()
		r := ld.ResourceLogs().AppendEmpty()
		r.Resource().Attributes().PutStr("service.name", "shop")
		r.Resource().Attributes().PutStr("cloud.region", "eu-1")
		l := r.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		l.SetTimestamp(1_700_000_000_000_000_000)
		l.SetTraceID(pcommon.TraceID{0xab})
		l.SetSpanID(pcommon.SpanID{0xcd})
		l.Attributes().PutStr("url.query", "x=1&code_verifier="+v)
		return ld
	}
	v := secret()
	out, err := m.Logs(build(v))
	if err != nil || len(out.Detections) != 1 {
		t.Fatalf("%v, %+v", err, out)
	}
	d := out.Detections[0]
	want := event.Where{
		Signal: "logs", Field: "attributes.url.query", Start: 18, End: 61,
		TraceID: "ab" + strings.Repeat("0", 30), SpanID: "cd" + strings.Repeat("0", 14),
	}
	if diff := cmp.Diff(want, d.Where); diff != "" || d.Service != "shop" || d.Region != "eu-1" || d.Time.Unix() != 1_700_000_000 ||
		d.Kind != "code_verifier" || d.Action != "mask" || len(d.ID) != 22 || len(d.Fingerprint) != 22 || d.KeyID != testKey.ID() {
		t.Errorf("%s\n%+v", diff, d)
	}
	again, _ := m.Logs(build(v))
	other, _ := m.Logs(build(secret()))
	if again.Detections[0].ID != d.ID || other.Detections[0].ID == d.ID {
		t.Error("an id is not that of its place and value")
	}
}

func TestPolicies(t *testing.T) {
	text := func(action redact.Action) string {
		m := testMasker(t, func(o *Options) { o.Pipeline.Policy = redact.Policy{"code_verifier": action} })
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for range 2 {
			records.AppendEmpty().Body().SetStr("code_verifier=" + secret() + "&x=1")
			records.AppendEmpty().Body().SetStr("clean")
		}
		out, err := m.Logs(ld)
		if err != nil || len(out.Detections) != 2 || out.Counts[Count{"code_verifier", string(action)}] != 2 {
			t.Errorf("%s: %v, %+v", action, err, out)
		}
		if action == redact.ActionDropRecord {
			if out.Dropped != 2 || records.Len() != 2 || records.At(0).Body().Str() != "clean" {
				t.Errorf("dropped %d, left %d", out.Dropped, records.Len())
			}
		}
		return records.At(0).Body().Str()
	}
	for action, want := range map[redact.Action]func(string) bool{
		redact.ActionMask:       func(s string) bool { return strings.HasPrefix(s, "code_verifier=REDACTED.") },
		redact.ActionHash:       func(s string) bool { return strings.HasPrefix(s, "code_verifier=HASHED.") },
		redact.ActionRemove:     func(s string) bool { return s == "code_verifier=&x=1" },
		redact.ActionReport:     func(s string) bool { return len(s) == len("code_verifier=")+43+len("&x=1") },
		redact.ActionDropRecord: func(s string) bool { return s == "clean" },
	} {
		if got := text(action); !want(got) {
			t.Errorf("%s: %q", action, got)
		}
	}
}

// What holds nothing any more is left out as well; what was empty before stays.
func TestDroppedDataPoints(t *testing.T) {
	m := testMasker(t, func(o *Options) { o.Pipeline.Policy = redact.Policy{"code_verifier": redact.ActionDropRecord} })
	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty()
	full := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	gone, kept := full.Metrics().AppendEmpty(), full.Metrics().AppendEmpty()
	gone.SetEmptyGauge().DataPoints().AppendEmpty().Attributes().PutStr("code_verifier", secret())
	kept.SetName("kept")
	points := kept.SetEmptyHistogram().DataPoints()
	points.AppendEmpty().Attributes().PutStr("code_verifier", secret())
	points.AppendEmpty().Attributes().PutStr("a", "b")
	only := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	only.SetEmptySummary().DataPoints().AppendEmpty().Attributes().PutStr("x", "code_verifier="+secret())
	out, err := m.Metrics(md)
	if err != nil || out.Dropped != 3 {
		t.Fatalf("%v, %+v", err, out)
	}
	if md.ResourceMetrics().Len() != 2 || full.Metrics().Len() != 1 || full.Metrics().At(0).Name() != "kept" || full.Metrics().At(0).Histogram().DataPoints().Len() != 1 {
		t.Errorf("left: %d resources, %d metrics", md.ResourceMetrics().Len(), full.Metrics().Len())
	}
}

func TestSummary(t *testing.T) {
	m := testMasker(t, func(o *Options) { o.Summary = true; o.Detect = false })
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	l := records.AppendEmpty()
	l.Body().SetStr("code_verifier=" + secret() + "&access_token=" + secret())
	l.Attributes().PutStr("code_verifier", secret())
	records.AppendEmpty().Body().SetStr("clean")
	for range 2 { // the second time there is nothing to add
		if _, err := m.Logs(ld); err != nil {
			t.Fatal(err)
		}
	}
	count, _ := l.Attributes().Get(summaryCount)
	kinds, _ := l.Attributes().Get(summaryKinds)
	if count.Int() != 3 || !slices.Equal(kinds.Slice().AsRaw(), []any{"access_token", "code_verifier"}) || records.At(1).Attributes().Len() != 0 {
		t.Errorf("summary: %v", l.Attributes().AsRaw())
	}
	l.Body().SetStr("code_verifier=" + secret())
	if _, err := m.Logs(ld); err != nil || count.Int() != 4 {
		t.Errorf("added: %v, %v", err, l.Attributes().AsRaw())
	}
}

// Numbers and booleans stay, whatever they stand behind, and identifiers by convention.
func TestNeverTouched(t *testing.T) {
	ld := plog.NewLogs()
	l := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	a := l.Attributes()
	a.PutInt("user_code", 12345678)
	a.PutDouble("client_secret", 1234567890.5)
	a.PutBool("password", true)
	a.PutEmpty("refresh_token")
	id := secret()
	for name := range identifiers {
		a.PutStr(name, id)
	}
	l.SetTraceID(pcommon.TraceID{1})
	a.PutStr("grant_type", "authorization_code")
	ld.MarkReadOnly()
	if out, err := testMasker(t, nil).Logs(ld); err != nil || out.Changed || len(out.Detections) > 0 {
		t.Errorf("%v, %+v", err, out.Detections)
	}
}

// Lists of names are no pairs of names and values.
func TestListsOfNamesStay(t *testing.T) {
	ld := plog.NewLogs()
	a := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes()
	for name, list := range map[string][]string{
		"required":         {"client_id", "client_secret", "redirect_uri", "code_verifier", "grant_type"},
		"claims":           {"access_token", "refresh_token", "authorization", "code_challenge_method"},
		"tags":             {"token", "production", "code", "eu-central-1", "secret", "rotation-enabled"},
		"http.methods":     {"password", "authorization_code", "client_credentials"},
		"supported_scopes": {"openid", "offline_access", "password", "profile-read-only"},
	} {
		s := a.PutEmptySlice(name)
		for _, text := range list {
			s.AppendEmpty().SetStr(text)
		}
	}
	ld.MarkReadOnly()
	if out, err := testMasker(t, nil).Logs(ld); err != nil || out.Changed || len(out.Detections) > 0 {
		t.Errorf("%v, %+v", err, out.Detections)
	}
}

// A cookie's value is masked without the name that it was scanned with.
func TestCookiesInMaps(t *testing.T) {
	for _, fail := range []bool{false, true} {
		m := testMasker(t, nil)
		if fail { // so that each text is scanned by itself
			m.worker = &failing{finder: m.worker, word: "boom", fail: failures["error"].fail}
		}
		ld := plog.NewLogs()
		l := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		cookies := l.Body().SetEmptyMap().PutEmptyMap("cookies")
		cookies.PutStr("theme", "a=b")
		cookies.PutStr("sid", secret())
		cookies.PutStr("consent", "code_verifier="+secret())
		cookies.PutInt("visits", 3)
		cookies.PutStr("note", "boom")
		out, err := m.Logs(ld)
		if err != nil || len(out.Detections) != 2 {
			t.Fatalf("%v, %+v", err, out)
		}
		get := func(name string) string { v, _ := cookies.Get(name); return v.AsString() }
		if !strings.HasPrefix(get("sid"), "REDACTED.session_cookie.") || !strings.HasPrefix(get("consent"), "code_verifier=REDACTED.") ||
			get("theme") != "a=b" || get("visits") != "3" {
			t.Errorf("%v", cookies.AsRaw())
		}
		if d := out.Detections[0].Where; d.Start != 0 || d.End != 43 {
			t.Errorf("%+v", d)
		}
		if d := out.Detections[1].Where; d.Start != 14 || d.End != 57 {
			t.Errorf("%+v", d)
		}
	}
}

// Bytes of a name and a value are gathered without an allocation as well.
func TestBytesBodies(t *testing.T) {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range batchLines {
		records.AppendEmpty().Body().SetEmptyBytes().FromRaw([]byte(`{"a":"nothing to see"}`))
	}
	if n := allocations(t, testMasker(t, nil), ld) / batchLines; n > 0.03 {
		t.Errorf("%.3f allocations a clean record of bytes", n)
	}
}
