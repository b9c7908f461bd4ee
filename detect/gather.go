package detect

import "slices"

// Gathering of structure: names and values that are fields of their own, with the
// framing between them that says which belongs to which.

// AddString is AddText for a string.
func (b *Batch) AddString(record int, text string) int {
	frame := b.frame()
	start := b.extend(len(text) + len("\n"))
	stop := start + copy(b.own[start:], text)
	b.own[stop] = '\n'
	b.segments = append(b.segments, Segment{Record: record, Start: start, End: stop, frame: frame})
	return len(b.segments) - 1
}

// AddPair gathers a name and its value as name="value". Both are segments, the name
// first; it returns the name's number.
func (b *Batch) AddPair(record int, name, value string) int {
	frame := b.frame()
	first := b.extend(len(name) + len(`="`) + len(value) + len("\"\n"))
	end := first + copy(b.own[first:], name)
	b.own[end], b.own[end+1] = '=', '"'
	start := end + len(`="`)
	stop := start + copy(b.own[start:], value)
	b.own[stop], b.own[stop+1] = '"', '\n'
	b.segments = append(b.segments, Segment{Record: record, Start: first, End: end, frame: frame}, Segment{Record: record, Start: start, End: stop, frame: end})
	return len(b.segments) - 2
}

// extend makes the arena n bytes longer, and returns where they begin. A slice that only
// gets longer is written without its pointer: that would cost something while the garbage
// collector is at work, as it often is in a Collector.
func (b *Batch) extend(n int) int {
	at := len(b.own)
	if at+n > cap(b.own) {
		b.grow(n)
	}
	b.own = b.own[:at+n]
	return at
}

func (b *Batch) grow(n int) { b.own = slices.Grow(b.own, n) }

// Frame says what stands before a value in the arena, which is no field itself.
type Frame struct {
	// Name is the value's key, "" for none.
	Name string
	// Before is the string before it in a list, where that may be its name, else "".
	Before string
}

// AddFramed gathers a value behind its frame: name="value", "before","value", or
// name="before","value".
func (b *Batch) AddFramed(record int, f Frame, value string) int {
	frame := b.frame()
	b.openFrame(f)
	start := len(b.own)
	b.own = append(b.own, value...)
	return b.close(record, frame, start, "\"\n")
}

// AddFramedBytes is AddFramed for n bytes, of which at returns the one at an index.
func (b *Batch) AddFramedBytes(record int, f Frame, n int, at func(i int) byte) int {
	frame := b.frame()
	end := "\n"
	if f != (Frame{}) {
		b.openFrame(f)
		end = "\"\n"
	}
	start := len(b.own)
	for i := range n {
		b.own = append(b.own, at(i))
	}
	return b.close(record, frame, start, end)
}

func (b *Batch) openFrame(f Frame) {
	if f.Name != "" {
		b.own = append(b.own, f.Name...)
		b.own = append(b.own, '=')
	}
	b.own = append(b.own, '"')
	if f.Before != "" {
		b.own = append(b.own, f.Before...)
		b.own = append(b.own, `","`...)
	}
}

// OpenScope writes a brace before the next segment, and CloseScope one behind the
// last: what stands between them was said about each other (see Scope).
func (b *Batch) OpenScope() {
	if !b.framing {
		b.framing, b.framed = true, len(b.own)
	}
	b.own = append(b.own, "{\n"...)
}

// CloseScope closes what OpenScope opened.
func (b *Batch) CloseScope() {
	b.own = append(b.own, "}\n"...)
}

// frame is where the framing of the next segment begins.
func (b *Batch) frame() int {
	if b.framing {
		b.framing = false
		return b.framed
	}
	return len(b.own)
}

// ValueName reports whether a name says no more than that a value follows, as the
// second half of a pair does: value, stringValue, data. It is valueNames without a
// look-up for what is written in small letters: it is asked about every attribute.
func ValueName(name string) bool {
	switch name {
	case "value", "val", "v", "payload", "content", "data", "text", "string", "stringvalue", "string_value", "values",
		"rawvalue", "bytesvalue", "current", "defaultvalue":
		return true
	}
	if len(name) > maxWord {
		return false
	}
	for i := 0; i < len(name); i++ {
		if isUpper(name[i]) {
			var buf [maxWord]byte
			return valueNames[string(lowerWord(&buf, []byte(name)))]
		}
	}
	return false
}

// MemberName reports whether a name says no more than that the value of the object around
// it follows: #text, raw, DynamoDB's S.
func MemberName(name string) bool {
	return memberNames[name] || name == "S"
}
