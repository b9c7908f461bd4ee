package matrix

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/rules"
)

// piece is a stretch of text that is wholly a secret or wholly none.
type piece struct {
	text   string
	secret *corpus.Secret // nil for plain text; offsets are set when the line is built
}

// fragment is text with its secrets marked. It can be written inside any
// encoding that works byte by byte, and the marks stay right.
type fragment []piece

func text(s string) fragment { return fragment{{text: s}} }

// secret marks a value that is written as it is.
func secret(kind rules.Kind, value, client string) fragment {
	return fragment{{text: value, secret: &corpus.Secret{Kind: kind, Value: value, Client: client}}}
}

// cat joins strings and fragments.
func cat(parts ...any) fragment {
	out := make(fragment, 0, len(parts))
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			out = append(out, piece{text: p})
		case fragment:
			out = append(out, p...)
		default:
			panic("matrix: cat takes strings and fragments")
		}
	}
	return out
}

// in writes the fragment inside an encoding.
func (f fragment) in(encode func(string) string) fragment {
	out := make(fragment, len(f))
	for i, p := range f {
		out[i] = piece{text: encode(p.text), secret: p.secret}
	}
	return out
}

func (f fragment) percent() fragment { return f.in(url.QueryEscape) }
func (f fragment) escaped() fragment { return f.in(escapeJSON) }

// quoted writes the fragment as a JSON string.
func (f fragment) quoted() fragment { return cat(`"`, f.escaped(), `"`) }

// line builds the line and fixes the offsets of its secrets.
func (f fragment) line(service string) corpus.Line {
	size := 0
	for _, p := range f {
		size += len(p.text)
	}
	out := corpus.Line{Text: make([]byte, 0, size), Service: service}
	for _, p := range f {
		start := len(out.Text)
		out.Text = append(out.Text, p.text...)
		if p.secret != nil {
			s := *p.secret
			s.Start, s.End = start, len(out.Text)
			out.Secrets = append(out.Secrets, s)
		}
	}
	return out
}

// escapeJSON writes s as it stands between the quotes of a JSON string, as
// encoders do that leave < > & alone.
func escapeJSON(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' }) {
		return s
	}
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("matrix: a string that JSON cannot hold")
	}
	return out.String()[1 : out.Len()-2]
}

// slashed writes "/" as "\/", as PHP's JSON encoder does.
func slashed(s string) string { return strings.ReplaceAll(escapeJSON(s), "/", `\/`) }
