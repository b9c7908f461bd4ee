package detect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// maxJWTPart bounds what of a JWT part is decoded.
const maxJWTPart = 64 << 10

// maxJWT bounds how much of a value with escapes is decoded for the parts of a JWT.
const maxJWT = 4 * maxJWTPart

// checkJWT confirms a compact JWS (RFC 7515 §3.1) or JWE (RFC 7516 §3.1) and
// tells what it is used for where its own header or claims say so. Proofs that
// are no credential (DPoP, RFC 9449 §4.2) are refuted.
func checkJWT(s *Scanner, c *candidate, v []byte) bool {
	if c.trigger.form == formKey { // the key suffices, whatever the value's structure
		s.confirmJWT(c, v)
		return checkNotWords(s, c, v)
	}
	return s.confirmJWT(c, v)
}

func (s *Scanner) confirmJWT(c *candidate, v []byte) bool {
	if c.End-c.Start > maxJudged {
		if !beginsObject(v) {
			return false
		}
		v = s.arena[c.Start:c.End]
		if c.Form != (layer.Form{}) {
			v = c.Form.Decode(nil, v[:min(len(v), maxJWT)])
		}
	}
	head, rest, _ := bytes.Cut(v[:min(len(v), maxJWTPart)], dot)
	header, ok := s.headers.read(head)
	if len(rest) == 0 && (ok || len(head) == len(v)) && c.isCutJWT(head, ok) {
		return true
	}
	if !ok || header.Alg == "" {
		return false
	}
	if len(v) > maxJudged {
		v = rules.BeforeMask(v)
		rest = v[min(len(v), len(head)+len(dot)):]
	}
	parts := dots(v)
	if parts != 2 && parts != 4 && parts != 1 || parts == 4 && header.Enc == "" {
		return false
	}
	if header.Typ == "dpop+jwt" {
		return false
	}
	if parts == 1 && (!isNone(header.Alg) || !decodePart(rest, &struct{}{})) {
		if !c.Truncated && !c.atEnd {
			return false
		}
		c.Truncated = true
	}
	c.Confidence = rules.Certain
	if c.Kind != rules.JWT {
		return true
	}
	switch header.Typ {
	case "at+jwt", "application/at+jwt":
		c.Kind = rules.AccessToken
		return true
	case "logout+jwt":
		c.Kind = rules.LogoutToken
		return true
	}
	if parts <= 2 {
		body, _, _ := bytes.Cut(rest, dot)
		c.Kind = kindByClaims(body)
	}
	return true
}

// maxDisclosures bounds what follows the first tilde of an SD-JWT.
const maxDisclosures = 64 << 10

// disclosures takes what follows an SD-JWT (RFC 9901 section 4) into the value: each
// disclosure is base64url of a JSON list, and tells a claim that the token hides. The
// last part may be the holder's proof, a JWT.
func (c *candidate) disclosures(b []byte) {
	hi := min(c.High, c.End+maxDisclosures)
	for c.End < hi && b[c.End] == '~' {
		end := run(b, c.End+1, hi, alphabets["jwt"])
		part := b[c.End+1 : end]
		if len(part) > 0 && !bytes.HasPrefix(part, []byte("Wy")) && !bytes.HasPrefix(part, []byte("Ww")) && !bytes.HasPrefix(part, []byte("ey")) {
			return
		}
		c.End = end
	}
}

// joseHeader is what is read of a JOSE header (RFC 7515 §4).
type joseHeader struct{ Alg, Enc, Typ string }

// headerCache has the last header that was decoded: an issuer's tokens have the same
// one. It is public.
type headerCache struct {
	raw    []byte
	header joseHeader
}

func (h *headerCache) read(raw []byte) (joseHeader, bool) {
	if len(raw) > 0 && bytes.Equal(raw, h.raw) {
		return h.header, true
	}
	var header joseHeader
	if !decodePart(raw, &header) {
		return joseHeader{}, false
	}
	h.raw, h.header = append(h.raw[:0], raw...), header
	return header, true
}

// dots counts the dots of v up to one more than a token has, without those of the
// disclosures behind an SD-JWT's first tilde.
func dots(v []byte) (n int) {
	for n <= 4 {
		i := bytes.IndexByte(v, '.')
		if i < 0 || bytes.IndexByte(v[:i], '~') >= 0 {
			break
		}
		n++
		v = v[i+1:]
	}
	return n
}

// beginsObject reports whether v may begin with base64url of a JSON object, as far
// as its first characters tell.
func beginsObject(v []byte) bool {
	const some = 256
	head, _, _ := bytes.Cut(v[:min(len(v), some)], dot)
	var text [some]byte
	n, err := base64.RawURLEncoding.Decode(text[:], head[:len(head)/4*4])
	if err != nil {
		return false
	}
	err = json.Unmarshal(text[:n], &struct{}{})
	var wrong *json.SyntaxError
	return !errors.As(err, &wrong) || wrong.Offset >= int64(n)
}

// isNone reports whether alg says that there is no signature (RFC 7518 §3.6).
// Libraries have taken it in any case.
func isNone(alg string) bool { return strings.EqualFold(alg, "none") }

// isUnsigned reports whether v is a JWS whose signature is empty because its
// algorithm is "none": the dot at its end is part of it.
func isUnsigned(v []byte) bool {
	if len(v) == 0 || len(v) > maxJWTPart || v[0] != 'e' || v[len(v)-1] != '.' || dots(v) != 2 {
		return false
	}
	var header struct{ Alg string }
	head, _, _ := bytes.Cut(v, dot)
	return decodePart(head, &header) && isNone(header.Alg)
}

// kindByClaims reads what a JWT is from its payload: Keycloak's typ claim, and
// the claims that only ID tokens (OpenID Connect Core §2, §3.3.2.11) have.
func kindByClaims(body []byte) rules.Kind {
	var claims struct {
		Typ    string
		Nonce  string
		Code   string
		AtHash string `json:"at_hash"`
		CHash  string `json:"c_hash"`
		Events map[string]any
	}
	if !decodePart(body, &claims) {
		return rules.JWT
	}
	switch {
	case claims.Code != "": // the response of an authorization request (JARM section 2.1)
		return rules.AuthorizationCode
	case claims.Typ == "Bearer":
		return rules.AccessToken
	case claims.Typ == "Refresh" || claims.Typ == "Offline":
		return rules.RefreshToken
	case claims.Typ == "ID" || claims.AtHash != "" || claims.CHash != "":
		return rules.IDToken
	case claims.Typ == "RegistrationAccessToken" || claims.Typ == "InitialAccessToken":
		return rules.RegistrationToken
	case claims.Events["http://schemas.openid.net/event/backchannel-logout"] != nil:
		return rules.LogoutToken
	}
	return rules.JWT
}

// decodePart decodes one base64url part into a JSON object. Types that differ
// from what is expected are ignored: only a wrong structure refutes.
func decodePart(part []byte, into any) bool {
	if len(part) > maxJWTPart {
		return false
	}
	part = bytes.TrimRight(part, "=")
	text := make([]byte, base64.RawURLEncoding.DecodedLen(len(part)))
	n, err := base64.RawURLEncoding.Decode(text, part)
	if err != nil || !json.Valid(text[:n]) {
		return false
	}
	_ = json.Unmarshal(text[:n], into) // a claim of another type stays empty
	return true
}
