package otlp

import (
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// mode says what a visit to a text does.
type mode uint8

const (
	gathering mode = iota // adds it to the batch
	masking               // masks it where the chunk's findings say so
	alone                 // scans and masks it by itself
	stubbing              // replaces it by a stub
	skipping              // nothing
)

// scans reports whether the mode gives texts to the scanner, so that their frames matter.
func (m mode) scans() bool { return m == gathering || m == alone }

// plain visits a text that stands behind no name. It returns what is to be written in
// its place, and whether anything is.
func (m *Masker) plain(p place, s string) (string, bool) {
	if s == "" {
		return "", false
	}
	if m.mode == gathering {
		m.batch.AddString(m.at, s)
		return "", false
	}
	return m.framed(p, frameless, s)
}

// framed is plain for a text behind a frame.
func (m *Masker) framed(p place, behind frame, s string) (string, bool) {
	if s == "" {
		return "", false
	}
	m.where.place = p
	switch m.mode {
	case gathering:
		m.add(behind, s)
		return "", false
	case masking:
		return m.edited()
	case alone:
		m.batch.Reset()
		m.cookies = m.cookies[:0]
		m.add(behind, s)
		return m.maskAlone(len(s))
	case stubbing:
		return m.stub("timeout", len(s)), true
	}
	return "", false
}

func (m *Masker) add(behind frame, s string) {
	switch {
	case behind == frameless || len(s) < leastFramed:
		m.batch.AddString(m.at, s)
	case behind.cookie != "":
		m.cookies = append(m.cookies, m.batch.AddFramed(m.at, detect.Frame{Name: "cookie"}, behind.cookie+"="+s))
	default:
		m.batch.AddFramed(m.at, behind.Frame, s)
	}
}

// bytes visits a value of bytes.
func (m *Masker) bytes(p place, behind frame, b pcommon.ByteSlice) {
	n := b.Len()
	if n == 0 {
		return
	}
	m.where.place = p
	switch m.mode {
	case gathering:
		m.batch.AddFramedBytes(m.at, behind.Frame, n, b.At)
	case masking:
		if out, changed := m.edited(); changed {
			b.FromRaw([]byte(out))
		}
	case alone:
		m.batch.Reset()
		m.cookies = m.cookies[:0]
		m.batch.AddFramedBytes(m.at, behind.Frame, n, b.At)
		if out, changed := m.maskAlone(n); changed {
			b.FromRaw([]byte(out))
		}
	case stubbing:
		b.FromRaw([]byte(m.stub("timeout", n)))
	}
}

// tooDeep visits a value that stands too deep to be looked at.
func (m *Masker) tooDeep(p place, v pcommon.Value) {
	switch m.mode {
	case gathering:
		m.deep = true
		return
	case skipping:
		return
	}
	m.where.place = p
	v.SetStr(m.stub("too_deep", 0))
}

func (m *Masker) openScope() {
	if m.mode == gathering {
		m.batch.OpenScope()
	}
}

func (m *Masker) closeScope() {
	if m.mode == gathering {
		m.batch.CloseScope()
	}
}

// stub returns what stands for a text of n bytes that could not be scanned, and counts it.
func (m *Masker) stub(reason string, n int) string {
	m.out.Withheld[reason]++
	m.out.Changed = true
	return string(pipeline.Stub(nil, reason, n))
}
