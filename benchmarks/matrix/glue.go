package matrix

// Parameter lists in the syntaxes in which logs hold them. Every function takes
// the parameters in order and marks the same secrets.

// form writes application/x-www-form-urlencoded, which is also a query string.
func form(params ...pair) fragment {
	var out fragment
	for i, p := range params {
		out = append(out, piece{text: []string{"", "&"}[min(i, 1)] + p.key + "="})
		out = append(out, p.value.percent()...)
	}
	return out
}

// spaced writes key=value as it is, with a separator.
func spaced(separator string, params ...pair) fragment {
	var out fragment
	for i, p := range params {
		if i > 0 {
			out = append(out, piece{text: separator})
		}
		out = append(out, piece{text: p.key + "="})
		out = append(out, p.value...)
	}
	return out
}

// wrapped writes open + key + mid + value + end, parted by commas.
func wrapped(open, mid, end, comma string, params ...pair) fragment {
	out := text("{")
	for i, p := range params {
		if i > 0 {
			out = append(out, piece{text: comma})
		}
		out = append(out, piece{text: open + p.key + mid})
		out = append(out, p.value...)
		out = append(out, piece{text: end})
	}
	return append(out, piece{text: "}"})
}

func object(params ...pair) fragment { return wrapped(`"`, `":"`, `"`, `,`, encoded(params)...) }

func objectSpaced(params ...pair) fragment {
	return wrapped(`"`, `": "`, `"`, `, `, encoded(params)...)
}

// objectPHP writes slashes as \/.
func objectPHP(params ...pair) fragment {
	out := make([]pair, len(params))
	for i, p := range params {
		out[i] = pair{p.key, p.value.in(slashed)}
	}
	return wrapped(`"`, `":"`, `"`, `,`, out...)
}

// dict writes a Python dict of strings.
func dict(params ...pair) fragment { return wrapped(`'`, `': '`, `'`, `, `, params...) }

// record writes a Java object as its toString does.
func record(name string, params ...pair) fragment {
	return cat(name, wrapped(``, `='`, `'`, `, `, camels(params)...))
}

func encoded(params []pair) []pair {
	out := make([]pair, len(params))
	for i, p := range params {
		out[i] = pair{p.key, p.value.escaped()}
	}
	return out
}

func camels(params []pair) []pair {
	out := make([]pair, len(params))
	for i, p := range params {
		out[i] = pair{camel(p.key), p.value}
	}
	return out
}

// logfmt writes key=value, quoted where a value needs it.
func logfmt(params ...pair) fragment { return spaced(" ", params...) }

func logfmtQuoted(params ...pair) fragment {
	out := make([]pair, len(params))
	for i, p := range params {
		out[i] = pair{p.key, p.value.quoted()}
	}
	return spaced(" ", out...)
}

// inString puts a fragment into the member of a JSON log line, as a string:
// everything in it is escaped once more.
func inString(member string, f fragment) fragment {
	return cat(`{"level":"debug","`+member+`":`, f.quoted(), `}`)
}

// glue is one way of writing parameters into a line.
type glue struct {
	name  string
	write func(s *source, params []pair) fragment
}

var glues = []glue{
	{"plain", func(_ *source, p []pair) fragment { return cat("token endpoint called with ", spaced(", ", p...)) }},
	{"query", func(s *source, p []pair) fragment {
		return cat(s.ip(), ` - - [`, clf, `] "GET /callback?`, form(p...), ` HTTP/1.1" 302 0 "-" "curl/8.5.0"`)
	}},
	{"fragment", func(_ *source, p []pair) fragment { return cat("Location: https://app.example.com/#", form(p...)) }},
	{"form", func(_ *source, p []pair) fragment { return cat("Request body was ", form(p...)) }},
	{"json", func(_ *source, p []pair) fragment { return object(p...) }},
	{"json-spaced", func(_ *source, p []pair) fragment { return objectSpaced(p...) }},
	{"json-camel", func(_ *source, p []pair) fragment { return object(camels(p)...) }},
	{"json-slashed", func(_ *source, p []pair) fragment { return objectPHP(p...) }},
	{"json-escaped", func(_ *source, p []pair) fragment { return inString("body", object(p...)) }},
	{"json-escaped-twice", func(_ *source, p []pair) fragment { return inString("log", inString("body", object(p...))) }},
	{"form-in-json", func(_ *source, p []pair) fragment { return inString("body", form(p...)) }},
	{"percent", func(_ *source, p []pair) fragment {
		return cat("GET /login?returnTo=", cat("/cb?", form(p...)).percent(), " HTTP/1.1")
	}},
	{"percent-twice", func(_ *source, p []pair) fragment {
		return cat("GET /login?u=", cat("/cb?", form(p...)).percent().percent(), " HTTP/1.1")
	}},
	{"logfmt", func(s *source, p []pair) fragment {
		return cat(`time="`, iso, `" level=debug msg="token call" `, logfmt(p...))
	}},
	{"logfmt-quoted", func(s *source, p []pair) fragment { return cat(`ts=`, iso, ` level=debug `, logfmtQuoted(p...)) }},
	{"dict", func(_ *source, p []pair) fragment { return cat("Obtained token ", dict(p...), ".") }},
	{"java", func(_ *source, p []pair) fragment { return record("TokenRequest", p...) }},
}

// headerNames are the headers that carry a value of the slot with the key.
var headerNames = map[string]string{
	"code_verifier": "X-Code-Verifier", "access_token": "X-Forwarded-Access-Token", "id_token": "X-Id-Token",
}

// header is a name and a value.
type header struct {
	name  string
	value fragment
}

// headerForms are the ways of writing one header into a line.
var headerForms = []struct {
	name  string
	write func(h header) fragment
}{
	{"header", func(h header) fragment { return cat(h.name, ": ", h.value) }},
	{"header-wire", func(h header) fragment { return cat(`http-outgoing-0 >> "`, h.name, ": ", h.value, `[\r][\n]"`) }},
	{"header-json", func(h header) fragment {
		return cat(`{"msg":"request","headers":{"`, lowerName(h.name), `":`, h.value.quoted(), `,"accept":"*/*"}}`)
	}},
	{"header-json-escaped", func(h header) fragment {
		return inString("msg", cat(`{"headers":{"`, lowerName(h.name), `":`, h.value.quoted(), `}}`))
	}},
	{"header-dict", func(h header) fragment {
		return cat(`Request headers were {'`, h.name, `': '`, h.value, `', 'Accept': 'application/json'}`)
	}},
	{"header-curl", func(h header) fragment {
		return cat(`curl -v -XGET -H "`, h.name, ": ", h.value, `" 'https://10.0.0.1:6443/api'`)
	}},
}
