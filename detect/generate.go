package detect

import (
	"slices"
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
	glueByte = setOf("\"'`\\=:%&><[](){,;|- \t\x1b\xc2\xe2")
	// keyEnd is glueByte and the end of a line, behind which the value may stand: the last
	// byte of a trigger alone may be one.
	keyEnd = glueByte.with("\r\n")
	blank  = setOf(" \t")
)

// weakGlue is an exact way from a weak key to its value. open is the number of
// bytes of quotes and brackets that may open the value: they are part of the
// tail, so that one glue serves values with and without them.
type weakGlue struct {
	text string
	open int
}

// weakGlues are those that every weak key has. The parser (glue.go) knows far more;
// weak keys need exact ones so that clean logs raise almost no event. Each is one
// literal: an optional byte would cut it in two and cost a fifth of the speed.
var weakGlues = func() (out glueList) {
	out.around(0, "", "=", "")
	out.around(0, "", ":", "")
	out.around(1, `"`, ":", "")
	out.around(1, "'", ":", "")
	out.around(2, `\"`, ":", "")
	out.around(4, `\\\"`, ":", "")
	out.around(1, `"`, "=>", "")
	out.around(1, "'", "=>", "")
	out.around(0, "]", "=>", "")
	out.around(0, "[]", "=", "")
	out.around(0, "&quot;", ":", "&quot;")
	out.add(0, "'", " '", "%5B%5D=")
	out.add(0, "%3D", "%253D", "%25253D", "%22%3A%22", "%22%3A%20%22", "%2522%253A%2522", "%2522%253A%2520%2522")
	out.add(0, ") to ") // Setting --password (password) to V
	out.add(0, `\u003D`, `\u0022:\u0022`)
	return out
}()

// judgedGlues are those that weak keys have as well whose values are judged by how
// random they look (code, token): ways in which many other things are written.
var judgedGlues = func() (out glueList) {
	// Members of maps, SQL's quotes and brackets, arrows, elements.
	out.around(1, "]", "=", "")
	out.around(1, `"`, "=", "")
	out.around(1, "", "=>", "")
	out.add(1, `\':`, `\': `)
	out.add(0, " := ", " `", " -> ", "->", ": [ '", `\":[\"`, ">", `">`, "&gt;")
	// Lists whose members are pairs (glue_pair.go).
	for _, quote := range []string{`"`, "'", `\"`} {
		out.add(0, quote+","+quote, quote+", "+quote)
	}
	out.add(0, `">>,<<"`, `,"`, "', b'")
	out.add(0, " ", ` "`, " (", " <") // the value in a sentence
	out.add(0, `\=`, `\:`, `\: `)     // as CEF and properties escape separators
	out.around(1, "", "==", "")
	for _, wide := range []string{"\u201c", "\u00a0"} { // curly quotes, blanks that do not break
		out.add(0, " "+wide, ":"+wide, ": "+wide, "="+wide, "\u201d:"+wide, "\u201d: "+wide)
	}
	return out
}()

// leads are ways from such a key towards its value that are rare on their own. What
// stands between them and the value is read in Go (sentences, halves of pairs, deeper
// escapes, headers of parts, lengths); their triggers ask for no byte of a value.
var leads = []string{
	" is ", " was", " value", " issued", " found", " received", " created", " generated", " for ", " to ", " (from",
	"value", "_value", `","value`, `", "value`, `" , "`, "','value", "', 'value", `\",\"value`, `\", \"value`, `" value`,
	"`", "[0]=", "%5D", `\\\\`, `\\u0022`, `\u0022: `, `\x22`, "&#34;", "&#x22;", "&amp;quot;", "%252522%25253",
	`":{"`, `": {"`, `\":{\"`, // an object that stands for the value (glue_object.go)
	`";s:`, "</key>", `"\r\n\r\n`, `"[\r][\n]`, `"]=>`, `":[]string{`, " = Just ", `">> =>`,
}

// named are members that such a key is the value of: the value stands before it, or
// behind other members (glue_object.go).
var named = []string{"name: ", `name":"`, `name": "`, `name="`, `key":"`, `key": "`, "name: '", `name\":\"`}

type glueList []weakGlue

func (l *glueList) add(open int, texts ...string) {
	for _, text := range texts {
		*l = append(*l, weakGlue{text, open})
	}
}

// around spells a separator with and without a blank on either side.
func (l *glueList) around(open int, before, sep, after string) {
	for _, text := range []string{sep, sep + " ", " " + sep, " " + sep + " "} {
		l.add(open, before+text+after)
	}
}

// openers may stand before a value, or begin an escape in it.
const openers = "%\\\"'`<[{(\x1b"

// schemeGlues stand between an authentication scheme and its credentials.
// The last are those of a member that is named as the scheme: auth: { bearer: 'V' }.
var schemeGlues = []string{" ", "  ", ` "`, " '", "%20", "%2520", "+", ": '", `: "`, `":"`, `": "`, "': '"}

// memberGlues is where those of a member begin.
const memberGlues = 7

// triggersOf generates all triggers of a rule.
func triggersOf(r *rules.Rule) []*Trigger {
	var out []*Trigger
	value := alphabets[r.Value.Alphabet]
	for _, key := range r.Keys {
		out = append(out, keyTriggers(r, key)...)
		if word := blobWord(key); word != "" && r.Role == rules.RoleSecret {
			out = append(out, blobTriggers(r, word)...)
			if key == "access_token" { // one rule has to have them
				out = append(out, gzipTriggers(r)...)
				out = append(out, zlibTriggers(r)...)
				out = append(out, joseTriggers(r)...)
				out = append(out, dumpTriggers(r)...)
			}
		}
	}
	for _, name := range r.Names {
		if key, ok := strings.CutSuffix(name, "="); ok { // what it says depends on the value
			out = append(out, bareCookieTriggers(r, key, value)...)
			continue
		}
		out = append(out, nameTriggers(r, name)...)
	}
	for _, name := range r.Traces {
		t := nameTriggers(r, name)[0]
		t.trace = true
		out = append(out, t)
	}
	for _, lead := range r.Binds {
		t := &Trigger{Rule: r, Key: lead, word: lead, form: formKey, binds: true}
		t.elems = literalElems(lead, false)
		out = append(out, t)
	}
	for _, key := range r.Jars {
		out = append(out, jarTrigger(r, key))
	}
	if len(r.Jars) > 0 {
		out = append(out, curlJarTrigger(r))
	}
	for _, key := range r.WeakKeys {
		out = append(out, weakTriggers(r, key, value)...)
	}
	for _, prefix := range r.Prefixes {
		t := &Trigger{Rule: r, Key: prefix, form: formPrefix}
		t.elems = prefixElems(prefix)
		t.tail = max(1, min(tail, r.Value.Min-len(t.elems)))
		t.elems = append(t.elems, elem{set: value.with("%"), n: t.tail})
		out = append(out, t)
	}
	for _, suffix := range r.Suffixes {
		t := &Trigger{Rule: r, Key: suffix, form: formSuffix, glue: len(suffix)}
		t.elems = append([]elem{{set: value, n: 1}}, literalElems(suffix, false)...)
		out = append(out, t)
	}
	for _, name := range r.Shapes {
		out = append(out, &Trigger{Rule: r, Key: name, form: formShape, shape: shapes[name]})
	}
	for _, scheme := range r.Schemes {
		if isLetter(scheme[0]) { // an option of a command line is none of a header
			t := &Trigger{Rule: r, Key: scheme, form: formScheme, caseless: true}
			t.elems = literalElems("uthorization: "+scheme, true)
			out = append(out, t)
		}
		for i, glue := range schemeGlues {
			if i >= memberGlues && !isLetter(scheme[0]) {
				break
			}
			t := &Trigger{Rule: r, Key: scheme, form: formScheme, caseless: true, tail: tail}
			t.elems = append(literalElems(scheme, true), literalElems(glue, false)...)
			t.elems = append(blanks(t.elems, len(scheme)), elem{set: value.with("%\\<[{("), n: tail})
			out = append(out, t)
		}
	}
	return out
}

// joints stand between the words of a key: snake, camel and Pascal, kebab, prose,
// dotted. One literal trigger for each is a fifth faster than one trigger with an
// optional byte (docs/design/0002).
var joints = []string{"_", "", "-", " ", "."}

// keyTriggers spells a strong key. Whether a word can start where it was found
// (invalid_token is no id_token) is for confirmation to say.
func keyTriggers(r *rules.Rule, key string) []*Trigger {
	var out []*Trigger
	for _, joint := range joints {
		t := &Trigger{Rule: r, Key: key, word: key, form: formKey, rest: 1, caseless: true}
		t.elems = append(literalElems(strings.ReplaceAll(key, "_", joint), true), elem{set: keyEnd, n: 1})
		out = append(out, t)
		if !strings.Contains(key, "_") {
			break
		}
	}
	return out
}

// weakTail is the most value bytes that a weak key's trigger asks for.
const weakTail = 12

func weakTriggers(r *rules.Rule, key string, value *set) (out []*Trigger) {
	for _, glue := range weakGlues {
		out = append(out, weakTrigger(r, key, glue, value))
	}
	if !slices.Contains(r.Checks, "neighbours") {
		return out
	}
	for _, glue := range judgedGlues {
		out = append(out, weakTrigger(r, key, glue, value))
	}
	for _, lead := range leads {
		t := &Trigger{Rule: r, Key: key, word: key, form: formWeak, caseless: true, glue: len(lead)}
		t.elems = append(literalElems(key, true), literalElems(lead, true)...)
		out = append(out, t)
	}
	for _, name := range named {
		quote := name[strings.LastIndexAny(name, ` :=`)+1:]
		t := &Trigger{Rule: r, Key: key, word: key, form: formWeak, caseless: true, glue: len(quote)}
		t.elems = literalElems(name+key+quote, true)
		out = append(out, t)
	}
	return out
}

func weakTrigger(r *rules.Rule, key string, glue weakGlue, value *set) *Trigger {
	t := &Trigger{Rule: r, Key: key, word: key, form: formWeak, caseless: true, glue: len(glue.text)}
	t.tail = min(weakTail, r.Value.Min) + glue.open
	t.elems = blanks(append(literalElems(key, true), literalElems(glue.text, true)...), len(key))
	t.elems = append(t.elems, elem{set: value.with(openers), n: t.tail})
	return t
}

// blanks lets a tab stand for each blank from the given element on.
func blanks(elems []elem, from int) []elem {
	for i := from; i < len(elems); i++ {
		if elems[i].set[' '] {
			elems[i] = elem{set: blank, n: 1}
		}
	}
	return elems
}

// literalElems is text as a trigger's part.
func literalElems(text string, caseless bool) []elem {
	out := make([]elem, len(text), len(text)+4)
	for i := range out {
		if caseless {
			out[i] = caselessElems[text[i]]
		} else {
			out[i] = exactElems[text[i]]
		}
	}
	return out
}

// exactElems and caselessElems are the parts of all literals: there are some
// fifteen thousand in the database, of a few dozen bytes.
var exactElems, caselessElems = func() (exact, caseless [256]elem) {
	for c := range 256 {
		exact[c] = elem{setOf(string([]byte{byte(c)})), 1, 1, literal(byte(c))}
		caseless[c] = exact[c]
	}
	for c := 'a'; c <= 'z'; c++ {
		upper := c - 'a' + 'A'
		caseless[c] = elem{setOf(string([]byte{byte(c), byte(upper)})), 1, 2, literal(byte(c))}
		caseless[upper] = caseless[c]
	}
	return exact, caseless
}()

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
		out = append(out, elem{set: setOf(bytes), n: 1})
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
