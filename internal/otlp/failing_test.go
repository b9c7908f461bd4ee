package otlp

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
)

// failing is a worker that fails on batches which hold a word.
type failing struct {
	finder
	word   string
	fail   func() error
	onMask bool
	finds  int
}

func (f *failing) Find(b *detect.Batch) ([]pipeline.Result, error) {
	f.finds++
	if !f.onMask && bytes.Contains(b.Bytes(), []byte(f.word)) {
		if err := f.fail(); err != nil {
			return nil, err
		}
	}
	return f.finder.Find(b)
}

func (f *failing) MaskSegment(dst []byte, i int, equal bool) ([]byte, bool, bool, error) {
	if f.onMask {
		if err := f.fail(); err != nil {
			return dst, false, false, err
		}
	}
	return f.finder.MaskSegment(dst, i, equal)
}

var failures = map[string]struct {
	fail   func() error
	reason string
}{
	"error":    {func() error { return errors.New("engine") }, "scan_failed"},
	"time-out": {func() error { return detect.ErrExpired }, "timeout"},
	"panic":    {func() error { panic("with a secret in it") }, "scan_failed"},
}

// trapped is a request whose second record cannot be scanned, and the secrets in it.
func trapped() (plog.Logs, []string) {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	first := records.AppendEmpty()
	a, b, c := secret(), secret(), secret()
	first.Body().SetStr("code_verifier=" + a)
	bad := records.AppendEmpty()
	bad.Body().SetStr("boom code_verifier=" + b)
	bad.Attributes().PutStr("fine", "untouched")
	bad.Attributes().PutStr("code_verifier", c)
	records.AppendEmpty().Body().SetStr("clean")
	return ld, []string{a, b, c}
}

func TestWhatCannotBeScannedIsWithheld(t *testing.T) {
	for name, f := range failures {
		t.Run(name, func(t *testing.T) {
			m := testMasker(t, nil)
			m.worker = &failing{finder: m.worker, word: "boom", fail: f.fail}
			ld, secrets := trapped()
			out, err := m.Logs(ld)
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := (&plog.JSONMarshaler{}).MarshalLogs(ld)
			for _, v := range secrets {
				if bytes.Contains(raw, []byte(v)) {
					t.Errorf("%s is still there: %s", v, raw)
				}
			}
			records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			bad := records.At(1)
			if body := bad.Body().Str(); !strings.Contains(body, `"withheld"`) || !strings.Contains(body, f.reason) {
				t.Errorf("the text that fails is %q", body)
			}
			if v, _ := bad.Attributes().Get("fine"); v.Str() != "untouched" || records.At(2).Body().Str() != "clean" {
				t.Errorf("what can be scanned changed: %s", raw)
			}
			if out.Withheld[f.reason] != 1 || len(out.Detections) != 2 || !out.Changed || out.Retried == 0 {
				t.Errorf("outcome: %+v", out)
			}
			ld = plog.NewLogs()
			ld.ResourceLogs().AppendEmpty().SetSchemaUrl("still works")
			if out, err := m.Logs(ld); err != nil || out.Changed || len(out.Withheld) > 0 {
				t.Errorf("the next request: %v %+v", err, out)
			}
		})
	}
}

func TestARequestThatCannotBeScannedIsRefused(t *testing.T) {
	for name, f := range failures {
		t.Run(name, func(t *testing.T) {
			m := testMasker(t, func(o *Options) { o.Refuse = true })
			m.worker = &failing{finder: m.worker, word: "boom", fail: f.fail}
			ld, secrets := trapped()
			out, err := m.Logs(ld)
			if !errors.Is(err, ErrRefused) || len(out.Detections) > 0 {
				t.Fatalf("%v, %+v", err, out)
			}
			for _, v := range append(secrets, "secret in it") {
				if strings.Contains(err.Error(), v) {
					t.Errorf("the error tells the text: %v", err)
				}
			}
		})
	}
}

func TestMaskingThatFailsIsWithheldToo(t *testing.T) {
	for name, f := range failures {
		m := testMasker(t, nil)
		m.worker = &failing{finder: m.worker, onMask: true, fail: f.fail}
		ld, secrets := trapped()
		out, err := m.Logs(ld)
		raw, _ := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		for _, v := range secrets {
			if err != nil || bytes.Contains(raw, []byte(v)) || out.Withheld[f.reason] != 3 {
				t.Errorf("%s: %v, %+v, %s", name, err, out, raw)
			}
		}
	}
}

// When everything runs into the time, the work on a request ends all the same.
func TestTriesEnd(t *testing.T) {
	m := testMasker(t, func(o *Options) { o.Pipeline.Timeout = time.Second })
	now := time.Unix(1e9, 0)
	f := &failing{finder: m.worker, fail: func() error { now = now.Add(time.Second); return detect.ErrExpired }}
	m.worker, m.now = f, func() time.Time { return now }
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range 1000 {
		records.AppendEmpty().Body().SetStr("code_verifier=" + secret())
	}
	out, err := m.Logs(ld)
	if err != nil || out.Withheld["timeout"] != 1000 || f.finds > 3*tries {
		t.Errorf("%v, %v, %d scans", err, out.Withheld, f.finds)
	}
}

func TestDeepValuesAreWithheld(t *testing.T) {
	deep := func(depth int, v string) plog.Logs {
		ld := plog.NewLogs()
		at := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body()
		for i := range depth {
			if i%2 == 0 {
				at = at.SetEmptyMap().PutEmpty("a")
			} else {
				at = at.SetEmptySlice().AppendEmpty()
			}
		}
		at.SetStr("code_verifier=" + v)
		return ld
	}
	for _, depth := range []int{maxDepth, maxDepth + 1, 100_000} {
		v := secret()
		ld := deep(depth, v)
		out, err := testMasker(t, nil).Logs(ld)
		if err != nil || out.Withheld["too_deep"] != min(1, max(0, depth-maxDepth)) || len(out.Detections)+out.Withheld["too_deep"] != 1 {
			t.Errorf("depth %d: %v, %+v", depth, err, out)
		}
		if raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld); err != nil || bytes.Contains(raw, []byte(v)) {
			t.Errorf("depth %d: the secret is still there: %v", depth, err)
		}
		refusing := testMasker(t, func(o *Options) { o.Refuse = true })
		if _, err := refusing.Logs(deep(depth, v)); errors.Is(err, ErrRefused) != (depth > maxDepth) {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}
