// Package matrix holds every leak shape in every glue, once each: each kind of
// secret in all forms that providers give it, written in each syntax in which
// logs hold parameters, headers and cookies. Beside it stand the traps: lines
// that look like leaks and are none. A stream (package corpus) shows what is
// usual; the matrix shows what is possible.
//
// It must know nothing of the detection that it is to judge, and hold no real
// secret: values are drawn from the seed, vendors' prefixes put together from parts.
package matrix

import (
	"slices"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/rules"
)

// Case is one line and its name, "shape/key/glue" or the name of a trap.
type Case struct {
	Name string
	corpus.Line
}

// All returns the whole matrix in a fixed order. The same seed gives the same lines.
func All(seed uint64) []Case {
	m := &builder{source: newSource(seed)}
	for _, sl := range slots {
		for _, key := range sl.keys {
			for _, sh := range sl.shapes {
				m.inGlues(sl, key, sh)
			}
		}
	}
	m.authorization()
	m.cookies()
	m.standing()
	m.bracketed()
	m.indexed()
	m.twoClients()
	return m.cases
}

// builder gathers the matrix.
type builder struct {
	*source
	cases []Case
}

func (m *builder) add(name string, f fragment) {
	m.cases = append(m.cases, Case{Name: name, Line: f.line("matrix")})
}

// inGlues writes a shape under a key in every glue, in turn with and without
// the client's name beside it.
func (m *builder) inGlues(sl slot, key string, sh shape) {
	for i, g := range glues {
		if g.name == "json-camel" && camel(key) == key {
			continue
		}
		client := []string{"", m.client()}[i%2]
		params := sl.neighbours(m.source)
		if client != "" {
			params = append(params, param("client_id", client))
		}
		params = slices.Insert(params, m.rnd.IntN(len(params)+1), pair{key, sh.value(m.source, client)})
		m.add(sh.name+"/"+key+"/"+g.name, g.write(m.source, params))
	}
	if name, ok := headerNames[key]; ok {
		m.inHeaders(sh.name, header{name, sh.value(m.source, "")})
	}
}

func (m *builder) inHeaders(name string, h header) {
	for _, f := range headerForms {
		m.add(name+"/"+h.name+"/"+f.name, f.write(h))
	}
}

// authorization adds the schemes of the Authorization header.
func (m *builder) authorization() {
	for _, scheme := range []string{"Bearer", "DPoP"} {
		for _, sh := range join(opaqueAccess, vendorAccess, jwtAccess, []shape{accessJWE}) {
			m.inHeaders(scheme+"-"+sh.name, header{"Authorization", cat(scheme+" ", sh.value(m.source, ""))})
		}
	}
	for _, sh := range clientSecrets {
		if sh.keyed { // others are told by their own prefix, which no base64 shows
			blob := basic(m.client(), sh.make(m.source, ""))
			m.inHeaders("basic-"+sh.name, header{"Authorization", cat("Basic ", blob)})
		}
	}
}

func (m *builder) cookies() {
	for _, c := range cookies {
		m.inHeaders(c.name, c.header(m.source))
		m.inHeaders(c.name, c.set(m.source))
	}
}

// standing adds values that are told without a key, in prose.
func (m *builder) standing() {
	bare := shape{name: "jwt", kind: rules.JWT, named: true, make: unknownUse}
	for _, sh := range join(bearing, vendorKeys, opaqueAccess, vendorAccess, opaqueRefresh, vendorRefresh, codes, vendorCodes,
		clientSecrets, vendorSecrets, []shape{bare, jwt("jwt-unsigned", rules.AccessToken, unsigned)}) {
		if sh.keyed {
			continue
		}
		v := sh.value(m.source, "")
		m.add(sh.name+"/prose", cat("upstream answered with ", v, " for the second try"))
		m.add(sh.name+"/quoted", cat(`{"level":"info","msg":"kept `, v, `"}`))
	}
	m.add("verifier/prose", cat("DEBUG [org.keycloak.protocol.oidc.utils.PkceUtils] (executor-thread-4) PKCE codeVerifier = ",
		verifiers[0].value(m.source, "")))
}

// twoClients adds lines that name two clients: the nearer one owns the value.
func (m *builder) twoClients() {
	const near, far = "spa-bank", "web-shop"
	v := func() pair { return pair{"code_verifier", verifiers[0].value(m.source, near)} }
	m.add("two-clients/objects", cat(`{"request":`, object(param("client_id", near), v()), `,"upstream":`, object(param("client_id", far)), `}`))
	m.add("two-clients/query", cat(`GET /authorize?`, form(param("client_id", far)), ` after POST /token?`, form(param("client_id", near), v())))
	m.add("two-clients/dicts", cat("call ", dict(param("client_id", far)), " answered ", dict(param("client_id", near), v())))
}
