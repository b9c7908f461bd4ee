package main

import (
	"bytes"
	"fmt"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
)

// worstBytes is the size of a worst input.
const worstBytes = 1 << 20

// worstUnits are what a worst input repeats, besides the triggers: quotes, escapes,
// encodings, and encodings in encodings.
var worstUnits = []string{
	`"`, `\`, "%25", "eyJ", "code=", "code_verifier=", `"code":"`, "{", "[[", "&quot;", `\u0022`, "=", "A", "Bearer ", "Basic ", "sl.", "8Q~",
	"eyJhbGciOiJub25lIn0.e30.", `{"access_token":"`, "client_secret=a%25%25:", "SAMLResponse=PHNhbWxwOlJlc3BvbnNl", "Cookie: a=b; ", "ZXlKaGJHY2lPaUo",
	"H4sIAAAAAAAA", "code_verifier=\n", "data:application/json;base64,ZXlKaGJHY2lPaUo=", "Set-Cookie: session=%22%7B%22",
}

// worstSeparators stand behind a trigger: each opens another way on.
var worstSeparators = []string{"", " ", "&", `"`, `\`, "%25", ";", ",", "=", "\n", "Ab3", "('"}

// worstFigure is the slowest input of all.
type worstFigure struct {
	unit   string
	inputs int
	// share is the slowest input's speed as a part of clean text's.
	share float64
}

// worst measures inputs of a megabyte that are made of one unit: of every trigger's
// shortest text behind one of the separators, or of each every-th one.
func (m *memory) worst(every int) (worstFigure, error) {
	// One line again and again would be quicker than any log.
	var text []byte
	for g := corpus.New(corpus.Clean); len(text) < worstBytes; {
		text = append(append(text, g.Next().Text...), '\n')
	}
	clean, err := m.timeOf(string(text[:worstBytes]), 9)
	if err != nil {
		return worstFigure{}, err
	}
	units := worstUnits
	for i, t := range m.database.Triggers() {
		if i%every != 0 {
			continue
		}
		text, err := sample(t)
		if err != nil {
			return worstFigure{}, err
		}
		units = append(units, text+worstSeparators[i%len(worstSeparators)])
	}
	w := worstFigure{inputs: len(units)}
	slowest := time.Duration(0)
	for _, unit := range units {
		took, err := m.timeOf(unit, 1)
		if err == nil && took > slowest {
			if took, err = m.timeOf(unit, 3); took > slowest { // a disturbed try is no finding
				slowest, w.unit = took, unit
			}
		}
		if err != nil {
			return w, fmt.Errorf("worst input %q: %w", unit, err)
		}
	}
	w.share = clean.Seconds() / slowest.Seconds()
	return w, nil
}

// timeOf is how long a megabyte of a unit takes. What is withheld has been looked at,
// and counts.
func (m *memory) timeOf(unit string, n int) (time.Duration, error) {
	text := bytes.Repeat([]byte(unit), worstBytes/len(unit))
	return times(n, func() error {
		return arenas(text, func(arena []byte) error {
			m.first.LinesBehind(&m.lines, arena, detect.Open{})
			return nil
		})
	})
}

// sample is the shortest text that a trigger fires on.
func sample(t *detect.Trigger) (string, error) {
	parsed, err := syntax.Parse(t.Expression(), syntax.Perl)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	n := 0
	appendSample(&out, parsed, &n)
	return out.String(), nil
}

// appendSample takes one after the other of a class of bytes.
func appendSample(out *strings.Builder, e *syntax.Regexp, n *int) {
	switch e.Op {
	case syntax.OpLiteral:
		out.WriteString(string(e.Rune))
	case syntax.OpCharClass:
		size := 0
		for i := 0; i < len(e.Rune); i += 2 {
			size += int(e.Rune[i+1]-e.Rune[i]) + 1
		}
		at := *n % size
		*n += 7
		for i := 0; i < len(e.Rune); i += 2 {
			if width := int(e.Rune[i+1]-e.Rune[i]) + 1; at >= width {
				at -= width
				continue
			}
			out.WriteRune(e.Rune[i] + rune(at))
			return
		}
	case syntax.OpRepeat:
		for range e.Min {
			appendSample(out, e.Sub[0], n)
		}
	default:
		for _, sub := range e.Sub {
			appendSample(out, sub, n)
		}
	}
}
