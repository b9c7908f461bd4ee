package matrix

// brackets stand around values in templates and in the lists of some loggers.
// They make no placeholder of a value that is there.
var brackets = []struct{ name, open, end string }{
	{"angle", "<", ">"}, {"square", "[", "]"}, {"curly", "{", "}"}, {"variable", "${", "}"}, {"template", "{{", "}}"}, {"double-square", "[[", "]]"},
}

// bracketed writes one shape of every kind of token in every bracket.
func (m *builder) bracketed() {
	for _, b := range brackets {
		for _, v := range []struct {
			key string
			sh  shape
		}{
			{"code_verifier", verifiers[0]}, {"code", codes[5]}, {"access_token", opaqueAccess[0]}, {"access_token", jwtAccess[0]},
			{"refresh_token", opaqueRefresh[0]}, {"client_secret", clientSecrets[0]}, {"token", opaqueAccess[2]}, {"device_code", deviceCodes[0]},
		} {
			value := func() fragment { return cat(b.open, v.sh.value(m.source, ""), b.end) }
			name := "bracket-" + b.name + "/" + v.sh.name + "/" + v.key + "/"
			m.add(name+"form", cat("body was ", v.key, "=", value(), "&scope=openid"))
			m.add(name+"json", cat(`{"`, v.key, `":"`, value(), `","scope":"openid"}`))
			m.add(name+"dict", cat(`{'`, v.key, `': '`, value(), `', 'scope': 'openid'}`))
		}
		m.add("bracket-"+b.name+"/bearer", cat("Authorization: Bearer ", b.open, opaqueAccess[0].value(m.source, ""), b.end))
	}
}

// indexed writes keys that stand for lists.
func (m *builder) indexed() {
	for _, key := range []string{"code_verifier", "access_token", "client_secret", "code", "token"} {
		sh := map[string]shape{"code_verifier": verifiers[0], "client_secret": clientSecrets[0], "code": codes[1]}[key]
		if sh.make == nil {
			sh = opaqueAccess[0]
		}
		for _, index := range []string{"[]", "%5B%5D"} {
			m.add("index/"+key+index, cat("GET /cb?", key, index, "=", sh.value(m.source, ""), "&state=s1"))
		}
	}
	m.add("index-number/code_verifier", cat("code_verifier[0]=", verifiers[0].value(m.source, ""), "&code_verifier_count=1"))
}
