package otlp

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
)

// Visits to what all signals have.

// schemaURLs is what has a schema's URL.
type schemaURLs interface {
	SchemaUrl() string
	SetSchemaUrl(string)
}

func visitSchema[T schemaURLs](m *Masker, of T) {
	if s, changed := m.plain(schemaURL, of.SchemaUrl()); changed {
		of.SetSchemaUrl(s)
	}
}

func visitResource[T schemaURLs](m *Masker, r pcommon.Resource, of T) {
	m.attributes(ofResources, r.Attributes())
	visitSchema(m, of)
	refs := entity.ResourceEntityRefs(r)
	for i := range refs.Len() {
		ref := refs.At(i)
		visitSchema(m, ref)
		if s, changed := m.plain(entityRef, ref.Type()); changed {
			ref.SetType(s)
		}
		m.strings(entityRef, ref.IdKeys())
		m.strings(entityRef, ref.DescriptionKeys())
	}
}

func (m *Masker) strings(p place, list pcommon.StringSlice) {
	for i := range list.Len() {
		if s, changed := m.plain(p, list.At(i)); changed {
			list.SetAt(i, s)
		}
	}
}

func visitScope[T schemaURLs](m *Masker, s pcommon.InstrumentationScope, of T) {
	if name, changed := m.plain(scopeName, s.Name()); changed {
		s.SetName(name)
	}
	if version, changed := m.plain(scopeVersion, s.Version()); changed {
		s.SetVersion(version)
	}
	m.attributes(ofScopes, s.Attributes())
	visitSchema(m, of)
}

func (m *Masker) state(p place, s pcommon.TraceState) {
	if text, changed := m.plain(p, s.AsRaw()); changed {
		s.FromRaw(text)
	}
}
