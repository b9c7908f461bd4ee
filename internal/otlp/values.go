package otlp

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/xpdata"

	"github.com/leakveil/leakveil/detect"
)

// maxDepth is how many maps and slices may stand in each other. Deeper ones count as
// what cannot be scanned: going down is recursion, and anyone may send them.
const maxDepth = 128

// names are the places of the members of a map.
type names struct{ value, name place }

var (
	ofAttributes = names{attribute, attributeName}
	ofResources  = names{resourceAttribute, resourceAttributeName}
	ofScopes     = names{scopeAttribute, scopeAttributeName}
	ofSpanEvents = names{spanEventAttribute, spanEventAttributeName}
	ofLinks      = names{linkAttribute, linkAttributeName}
	ofMetadata   = names{metricMetadata, metricMetadataName}
	ofExemplars  = names{exemplarAttribute, exemplarAttributeName}
	ofBody       = names{body, body}
	frameless    frame
)

// attributes visits the names and values of a map of attributes.
func (m *Masker) attributes(in names, attrs pcommon.Map) {
	if attrs.Len() == 0 || m.mode == skipping {
		return
	}
	if m.mode != gathering {
		m.members(in, attrs, frameless, 0)
		return
	}
	siblings := siblings{of: attrs}
	for name, v := range attrs.All() {
		if s := v.Str(); s != "" && plain(name) { // of other types it is empty
			m.batch.AddPair(m.at, name, s)
			continue
		}
		m.member(in, &siblings, name, v, frameless, 0)
	}
}

// members visits the members of a map, and writes it anew when names are masked.
func (m *Masker) members(in names, of pcommon.Map, outer frame, depth int) {
	var renamed map[int]string
	siblings := siblings{of: of}
	i := 0
	for name, v := range of.All() {
		if s, changed := m.member(in, &siblings, name, v, outer, depth); changed {
			if renamed == nil {
				renamed = map[int]string{}
			}
			renamed[i] = s
		}
		i++
	}
	if renamed != nil {
		rename(of, renamed)
	}
}

// rename writes a map anew, in order, with the names at some places replaced.
func rename(of pcommon.Map, renamed map[int]string) {
	var b xpdata.MapBuilder
	b.EnsureCapacity(of.Len())
	i := 0
	for name, v := range of.All() {
		if s, ok := renamed[i]; ok {
			name = s
		}
		v.MoveTo(b.AppendEmpty(name))
		i++
	}
	b.UnsafeIntoMap(of)
}

// member visits one name and its value. It returns the masked name when that changed.
func (m *Masker) member(in names, of *siblings, name string, v pcommon.Value, outer frame, depth int) (string, bool) {
	told := depth == 0 && m.mode != gathering // while gathering nobody asks where a text stands
	if told {
		m.where.attribute = ""
	}
	masked, changed := m.plain(in.name, name)
	if told && in != ofBody && !changed {
		m.where.attribute = name
	}
	if t := v.Type(); t == pcommon.ValueTypeStr || t == pcommon.ValueTypeBytes || t == pcommon.ValueTypeMap || t == pcommon.ValueTypeSlice {
		behind := frameless
		if m.mode.scans() {
			if list, ok := of.listed(name, v); ok && depth < maxDepth {
				m.parallel(in, list, v.Slice(), outer, depth+1)
				return masked, changed
			}
			behind = frameOf(of, name, v, outer)
		}
		m.value(in, v, behind, depth)
	}
	return masked, changed
}

// siblings are the members of a map. The one that names the others is looked for once: a
// map may have any number of members that are called value.
type siblings struct {
	of     pcommon.Map
	looked bool
	name   string
	sought bool // the list of names
	lists  bool // there is one
	names  pcommon.Slice
}

// pair is the name in the first half of the pair that the map is, "" when it is none.
func (s *siblings) pair() string {
	if s.looked {
		return s.name
	}
	s.looked = true
	for _, key := range nameKeys {
		if v, ok := s.of.Get(key); ok && v.Type() == pcommon.ValueTypeStr && len(v.Str()) <= maxName && nameLike(v.Str()) {
			s.name = v.Str()
			return s.name
		}
	}
	for _, key := range otherNameKeys {
		if v, ok := s.of.Get(key); ok && pairName(v.Str()) { // of other types it is empty
			s.name = v.Str()
			return s.name
		}
	}
	return ""
}

// frameOf is what a member's value stands behind: its own name, that of the pair which it
// is the second half of, or that of the structure around it.
func frameOf(of *siblings, name string, v pcommon.Value, outer frame) frame {
	if f, ok := partial(of, name, v, outer); ok {
		return f
	}
	if isSecond(name) {
		if first := of.pair(); first != "" {
			return outer.second(first)
		}
	}
	if !detect.ValueName(name) {
		if outer.Name != "" && isMember(name) { // {"code_verifier": {"#text": "…"}}
			return outer
		}
		return outer.member(name)
	}
	if first := of.pair(); first != "" {
		return outer.second(first)
	}
	if outer != frameless {
		return outer
	}
	return named(framed(name, ""))
}

// value visits a value and all that it holds.
func (m *Masker) value(in names, v pcommon.Value, behind frame, depth int) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if s, changed := m.framed(in.value, behind, v.Str()); changed {
			v.SetStr(s)
		}
	case pcommon.ValueTypeBytes:
		m.bytes(in.value, behind, v.Bytes())
	case pcommon.ValueTypeMap:
		if depth >= maxDepth {
			m.tooDeep(in.value, v)
			return
		}
		m.openScope()
		m.members(in, v.Map(), behind, depth+1)
		m.closeScope()
	case pcommon.ValueTypeSlice:
		if depth >= maxDepth {
			m.tooDeep(in.value, v)
			return
		}
		m.elements(in, v.Slice(), behind, depth+1)
	}
}

// elements visits the elements of a slice: each stands behind the name of the whole,
// and a name in it before the element that follows.
func (m *Masker) elements(in names, of pcommon.Slice, outer frame, depth int) {
	before, next, command := "", "", ""
	for i := range of.Len() {
		v := of.At(i)
		behind := outer
		t := v.Type()
		switch {
		case next != "" && t == pcommon.ValueTypeStr:
			behind = outer.member(next) // ["code_verifier=", "V"]
		case before == "":
		case isBearer(before) && isAuthorization(outer.Name) && isToken(v.Str()):
			behind = bearer
		case isUserFlag(command, before) && t == pcommon.ValueTypeStr:
			behind = credentials
		case t == pcommon.ValueTypeSlice || t == pcommon.ValueTypeMap:
			behind = outer.member(before) // ["authorization", ["Bearer …"]]
		case outer.cookie == "" && isJar(outer.Name):
			behind = outer.member(before) // cookies: [["sid", "V"]]
		default:
			behind.Before = before
		}
		before, next = "", ""
		if m.mode.scans() && t == pcommon.ValueTypeStr {
			s := v.Str()
			if i == 0 {
				command = s
			}
			name, prose := said(s)
			switch {
			case prose:
				before = name
			case name != "":
				next = name
			case len(s) <= maxName && nameLike(s):
				before = s
			}
		}
		m.value(in, v, behind, depth)
	}
}
