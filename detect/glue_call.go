package detect

// Credentials of a user and a secret: auth=('id', 'V'), BasicAuth("id", "V"),
// auth: { user: 'id', pass: 'V' }.

// second steps to the second of two strings in brackets: ('id', 'V').
func (g *glue) second(b []byte, hi int) {
	at := *g
	if at.quote == 0 || at.sep == ',' { // a row of values: ('auth', 'x', 'y')
		return
	}
	at.start = run(b, at.start, min(hi, at.start+maxApart), alphabets["unreserved"])
	for _, want := range []byte{at.quote, ',', at.quote} {
		ch := readChar(b, at.start, hi)
		if ch.n == 0 || ch.c != want {
			return
		}
		if at.take(ch); want == ',' {
			at.skipBlanks(b, hi)
		}
	}
	at.inside, at.strict = true, true
	*g = at
}

// userCalls are what programs make credentials of a user and a secret with.
var userCalls = map[string]bool{
	"basic_auth": true, "httpbasic_auth": true, "httpdigest_auth": true, "username_password_credentials": true, "basic_credentials": true,
}

// secondArgument steps to the second of two strings that something is called with,
// behind its name, which ends at p: BasicAuth("id", "V").
func (g *glue) secondArgument(b []byte, p, hi int) bool {
	at := glue{start: p, sep: '='}
	if ch := readChar(b, p, hi); ch.n == 0 || ch.c != '(' {
		return false
	} else {
		at.take(ch)
	}
	at.skipBlanks(b, hi)
	ch := readChar(b, at.start, hi)
	if ch.n == 0 || !isQuote(ch.c) {
		return false
	}
	at.take(ch)
	at.quote, at.slash, at.code = ch.c, ch.slash, ch.code
	if at.second(b, hi); !at.inside {
		return false
	}
	*g = at
	return true
}

// passwords are the members of an object of credentials that hold the secret under names
// that are no keys of their own.
var passwords = map[string]bool{"pass": true, "passwd": true, "pwd": true}

// password steps to the secret of an object of credentials behind a key that ends at p:
// auth: { user: 'id', pass: 'V' }.
func (g *glue) password(b []byte, p, hi int) bool {
	at := glue{start: p}
	if !at.closeKey(b, hi) {
		return false
	}
	if ch := readChar(b, at.start, hi); ch.n == 0 || ch.c != ':' && ch.c != '=' {
		return false
	} else {
		at.take(ch)
	}
	at.skipBlanks(b, hi)
	if at.start >= hi || b[at.start] != '{' {
		return false
	}
	at.start++
	for range maxMembers {
		if value := at; value.memberNamed(b, hi, passwords) {
			value.openValue(b, hi)
			value.inside, value.strict = true, true
			*g = value
			return value.quote != 0 && value.start < hi
		}
		if !at.skipMember(b, hi) {
			return false
		}
	}
	return false
}

// memberNamed steps over the name of a member, which is one of names, and its separator.
func (g *glue) memberNamed(b []byte, hi int, names map[string]bool) bool {
	g.skipBlanks(b, hi)
	if ch := readChar(b, g.start, hi); ch.n > 0 && isQuote(ch.c) {
		g.take(ch)
	}
	start := g.start
	g.start = run(b, start, min(hi, start+maxWord), inMember)
	var buf [maxWord]byte
	if !names[string(lowerWord(&buf, b[start:g.start]))] {
		return false
	}
	if ch := readChar(b, g.start, hi); ch.n > 0 && isQuote(ch.c) {
		g.take(ch)
	}
	g.skipBlanks(b, hi)
	ch := readChar(b, g.start, hi)
	if ch.n == 0 || ch.c != ':' && ch.c != '=' {
		return false
	}
	g.take(ch)
	g.sep = ch.c
	return true
}
