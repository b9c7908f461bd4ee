package detect

import (
	"strings"

	"github.com/leakveil/leakveil/rules"
)

// tail is the number of value bytes that a trigger ends with. Eight suffice to
// keep clean logs quiet; more costs speed and finds the same.
const tail = 8

var (
	// joiner may stand between the words of a key.
	joiner = setOf("_. -")
	// glueByte is what may follow a strong key at once. The rest of the glue is
	// parsed in Go, to any depth.
	glueByte = setOf("\"'\\=:%&>[]) \t")
	// leftOfWeak is what may stand before a weak key: delimiters, and the last
	// byte of an escaped delimiter (%26, %3F, \u0026, \n). Confirmation looks closer.
	leftOfWeak = setOf("\"'`?&;,.#/ \t({[<>|!*:=~@$_-\\0236BbCcDdFfnrt")
	blank      = setOf(" \t")
)

// weakGlues are the glues between a weak key and its value, in the generator's
// own notation: a blank is an optional blank, D is d or D, everything else is
// itself. The parser (glue.go) knows far more; weak keys need exact ones so
// that clean logs raise almost no event. An opening quote, escaped or not, may be
// among the bytes of the tail.
var weakGlues = []string{
	` = `, `='`, `=[`, ` : `, ` : "`, ` : '`,
	`" : "`, `' : '`, `\" : \"`, `\\\" : \\\"`, `" : ["`, `' : ['`,
	`%3D`, `%253D`, `%25253D`, `%22%3A%22`, `%22%3A%20%22`, `%2522%253A%2522`,
	` '`, `"=>"`, `" => "`, `' => '`, `] => `, `[] = `, `%5B%5D = `, `&quot; : &quot;`, `\u003D`, `\u0022:\u0022`,
}

// schemeGlues stand between an authentication scheme and its credentials.
var schemeGlues = []string{" ", "  ", ` "`, " '", "%20", "%2520", "+"}

// triggersOf generates all triggers of a rule.
func triggersOf(r *rules.Rule) []*Trigger {
	var out []*Trigger
	value := alphabets[r.Value.Alphabet]
	for _, key := range r.Keys {
		out = append(out, keyTriggers(r, key)...)
	}
	for _, name := range r.Names {
		t := &Trigger{Rule: r, Key: name, form: formKey, name: true}
		t.elems = append(literalElems(strings.TrimSuffix(name, "*"), false), elem{followsName(name), 1, 1})
		out = append(out, t)
	}
	for _, key := range r.WeakKeys {
		for _, glue := range weakGlues {
			out = append(out, weakTrigger(r, key, glue, value))
			if strings.Contains(key, "_") { // camel case
				out = append(out, weakTrigger(r, strings.ReplaceAll(key, "_", ""), glue, value))
			}
		}
	}
	for _, prefix := range r.Prefixes {
		t := &Trigger{Rule: r, Key: prefix, form: formPrefix}
		t.elems = prefixElems(prefix)
		t.tail = max(1, min(tail, r.Value.Min-len(t.elems)))
		t.elems = append(t.elems, elem{value.with("%"), t.tail, t.tail})
		out = append(out, t)
	}
	for _, scheme := range r.Schemes {
		for _, glue := range schemeGlues {
			t := &Trigger{Rule: r, Key: scheme, form: formScheme, caseless: true, tail: tail}
			t.elems = append(literalElems(scheme, true), literalElems(glue, false)...)
			for i := len(scheme); i < len(t.elems); i++ {
				if t.elems[i].set[' '] {
					t.elems[i].set = blank
				}
			}
			t.elems = append(t.elems, elem{value.with("%\\<[{("), tail, tail})
			out = append(out, t)
		}
	}
	return out
}

// joints stand between the words of a key: snake, camel and Pascal, kebab, prose,
// dotted. One literal trigger for each is a fifth faster than one trigger with an
// optional byte (docs/design/0002).
var joints = []string{"_", "", "-", " ", "."}

// keyTriggers spells a strong key. A key that begins with a short word ends many
// others (invalid_token, "void token"), so it needs a boundary: a delimiter before
// it, or its own capitals (userIdToken).
func keyTriggers(r *rules.Rule, key string) []*Trigger {
	var out []*Trigger
	short := strings.IndexByte(key, '_') >= 0 && strings.IndexByte(key, '_') <= 2
	for _, joint := range joints {
		t := &Trigger{Rule: r, Key: key, form: formKey, caseless: true, bounded: short}
		t.elems = append(literalElems(strings.ReplaceAll(key, "_", joint), true), elem{glueByte, 1, 1})
		out = append(out, t)
		if !strings.Contains(key, "_") {
			return out
		}
	}
	if !short {
		return out
	}
	pascal := &Trigger{Rule: r, Key: key, form: formKey}
	for _, word := range strings.Split(key, "_") {
		pascal.elems = append(pascal.elems, literalElems(strings.ToUpper(word[:1])+word[1:], false)...)
	}
	pascal.elems = append(pascal.elems, elem{glueByte, 1, 1})
	return append(out, pascal)
}

func weakTrigger(r *rules.Rule, key, glue string, value *set) *Trigger {
	t := &Trigger{Rule: r, Key: key, form: formWeak, bounded: true, caseless: true, tail: tail}
	t.elems = literalElems(key, true)
	for i := 0; i < len(glue); i++ {
		e := elem{setOf(glue[i : i+1]), 1, 1}
		if glue[i] == ' ' {
			e = elem{blank, 0, 1}
		} else if isUpper(glue[i]) {
			e.set = setOf(glue[i:i+1] + strings.ToLower(glue[i:i+1]))
		} else if isLower(glue[i]) {
			e.set = setOf(glue[i:i+1] + strings.ToUpper(glue[i:i+1]))
		}
		t.elems = append(t.elems, e)
	}
	t.glue = len(glue)
	t.elems = append(t.elems, elem{value.with("%\\\"<[{("), tail, tail})
	return t
}

func literalElems(text string, caseless bool) []elem {
	var out []elem
	for i := 0; i < len(text); i++ {
		bytes := text[i : i+1]
		if caseless {
			bytes = strings.ToLower(bytes) + strings.ToUpper(bytes)
		}
		out = append(out, elem{setOf(bytes), 1, 1})
	}
	return out
}

// prefixElems reads a prefix of literal bytes and [abc] or [a-z] classes.
func prefixElems(prefix string) []elem {
	var out []elem
	for i := 0; i < len(prefix); i++ {
		end := i + 1
		bytes := prefix[i:end]
		if prefix[i] == '[' {
			end = i + strings.IndexByte(prefix[i:], ']')
			bytes = ranges(prefix[i+1 : end])
			i = end
		}
		out = append(out, elem{setOf(bytes), 1, 1})
	}
	return out
}

// ranges spells out a class: a-e is abcde. A '-' at its end is itself.
func ranges(class string) string {
	var out []byte
	for i := 0; i < len(class); i++ {
		if i+2 < len(class) && class[i+1] == '-' {
			for c := class[i]; c < class[i+2]; c++ {
				out = append(out, c)
			}
			i++
			continue
		}
		out = append(out, class[i])
	}
	return string(out)
}
