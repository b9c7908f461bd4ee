package detect

import (
	"bytes"
	"encoding/base64"
	"hash/crc32"
	"unicode/utf8"

	"github.com/leakveil/leakveil/internal/layer"
	"github.com/leakveil/leakveil/rules"
)

// checkFunc confirms (and may sharpen) or refutes a candidate. v is its decoded
// value, valid only during the call.
type checkFunc func(s *Scanner, c *candidate, v []byte) bool

var checkFuncs map[string]checkFunc

func init() { // breaks the initialisation cycle through Scanner
	checkFuncs = map[string]checkFunc{
		"pkce":          checkPKCE,
		"plain":         checkPlain,
		"jwt":           checkJWT,
		"basic":         checkBasic,
		"github_crc":    checkGitHubCRC,
		"random":        checkRandom,
		"not_words":     checkNotWords,
		"neighbours":    checkNeighbours,
		"password":      checkPassword,
		"scheme_value":  checkSchemeValue,
		"request_uri":   checkRequestURI,
		"user_code":     checkUserCode,
		"saml":          checkSAML,
		"not_prose":     checkNotProse,
		"cookie":        checkCookie,
		"bare_cookie":   checkBareCookie,
		"cache_key":     checkCacheKey,
		"unlike_words":  checkUnlikeWords,
		"not_in_blob":   checkNotInBlob,
		"curl_user":     checkCurlUser,
		"bare_key":      checkBareKey,
		"url_password":  checkURLPassword,
		"go_config":     checkGoConfig,
		"user_password": checkUserPassword,
		"last_part":     func(_ *Scanner, _ *candidate, v []byte) bool { return looksRandom(v[bytes.LastIndexByte(v, '.')+1:]) },
		"entra":         func(_ *Scanner, _ *candidate, v []byte) bool { return entraToken(v) },
		"entra_secret":  checkEntraSecret,
		"signed_value":  func(_ *Scanner, _ *candidate, v []byte) bool { return signedValue(v) },
		"cas_ticket":    func(_ *Scanner, _ *candidate, v []byte) bool { return casTicket(v) },
		"salesforce":    func(_ *Scanner, _ *candidate, v []byte) bool { return salesforceToken(v) },
	}
}

// maxJudged bounds how much of a value is judged. What is longer tells nothing
// more, and a megabyte of keys inside one value would be read once for each key.
// Of values that have to be decoded first it is less.
const (
	maxJudged  = 2 << 10
	maxDecoded = 512
)

// check runs what every value must pass and then the rule's own checks.
func (s *Scanner) check(c *candidate) bool {
	v := s.arena[c.Start:min(c.End, c.Start+maxJudged)]
	if c.Form != (layer.Form{}) {
		s.scratch = c.Form.Decode(s.scratch[:0], v[:min(len(v), maxDecoded)])
		v = s.scratch
	}
	whole := v
	v = rules.BeforeMask(whole)
	r := c.Rule
	if s.recorder != nil {
		s.recorder.judge(c, v)
	}
	if s.refuses("too_short", len(v) < c.least()) || s.refuses("placeholder", s.isPlaceholder(c, v)) ||
		s.refuses("never_values", suppressed(&r.Suppress, v)) || s.refuses("template", s.isTemplate(c, v)) ||
		s.refuses("word_in_brackets", s.isWordInBrackets(c, v)) ||
		c.glue.inside && s.refuses("other_member", digestLen[len(v)] && isHex(v) && isOther(s.arena, c.KeyStart, c.Low)) ||
		s.refuses("member_name", s.isMemberName(c)) || s.refuses("type_name", s.isTypeName(c, v)) || s.refuses("address", isAddress(v)) ||
		s.refuses("source_code", s.isSource(c, v)) || s.refuses("stored_value", isHashed(v)) ||
		c.glue.loose && s.refuses("next_field", isPair(whole) || !looksRandom(v)) ||
		s.refuses("next_field", c.isSetting(whole)) {
		return false
	}
	if c.glue.sep == ' ' && c.glue.quote == 0 && s.refuses("prose", isProse(c, whole, v)) {
		return false
	}
	if c.glue.over && s.refuses("line_goes_on", !s.endsLine(c) && !s.isQuotedMember(c)) {
		return false
	}
	if c.glue.strict && !s.passes("strict", s.isStrict(c, v)) {
		return false
	}
	c.Confidence = rules.Likely
	cut := false
	if form := c.trigger.form; form == formPrefix || form == formShape {
		if s.refuses("look_alike_key", s.lookAlikeKey(c)) {
			return false
		}
		c.Confidence = rules.Certain
	}
	if len(v) < r.Value.Min {
		if !s.passes("cut_off", c.remains(v)) {
			return false
		}
		c.Confidence = rules.Likely
		if form := c.trigger.form; form == formKey || form == formScheme && headerBefore(s.arena[c.RecordLow:c.KeyStart]) {
			cut = true // what the rule's checks look for may be missing
		}
	}
	if len(v) > r.Value.Max || c.End-c.Start-maxJudged > r.Value.Max {
		c.Confidence = rules.Likely
	}
	if c.trigger.form == formShape {
		c.Confidence = c.trigger.shape.confidence
	}
	start, end := c.Start, c.End
	for i, confirms := range c.trigger.checks {
		if cut && !ofKey[r.Checks[i]] {
			continue
		}
		ok := confirms(s, c, v)
		if s.recorder != nil {
			s.recorder.step(r.Checks[i], ok)
		}
		if !ok {
			return false
		}
	}
	// A check that leaves out what stands around the secret (user:V) may leave a mask.
	return c.Start == start && c.End == end || c.Form.Base64 != layer.NoBase64 || !s.refuses("placeholder", isNothing(s.arena[c.Start:min(c.End, c.Start+maxJudged)]))
}

// ofKey are the checks that judge where a key stands, and so the beginning of a value
// that was cut off as well.
var ofKey = map[string]bool{"bare_key": true, "user_password": true, "plain": true}

// checkRandom judges what stands behind a vendor's prefix, or the whole value.
func checkRandom(_ *Scanner, c *candidate, v []byte) bool {
	if c.trigger.form == formPrefix {
		v = v[min(len(v), len(c.trigger.elems)-1):]
	}
	return looksRandom(v)
}

// likeWords is the score under which what follows a vendor's long prefix counts
// as words. One random value of 20 characters in a million scores less.
const likeWords = -8

// checkUnlikeWords is checkRandom for short values behind a prefix that nothing
// else has: one in a thousand of them is no more random than a name.
func checkUnlikeWords(_ *Scanner, c *candidate, v []byte) bool {
	body := v[min(len(v), len(c.trigger.elems)-1):]
	return score(body) >= likeWords || looksRandom(body)
}

// checkNotWords drops prose and enumeration values behind a strong key.
func checkNotWords(_ *Scanner, c *candidate, v []byte) bool {
	if c.glue.sep == ' ' {
		return looksRandom(v)
	}
	return !isWords(v)
}

// checkNeighbours lets a weak key's value pass when it looks random, or when
// the record holds another OAuth parameter and the value is no word or number.
func checkNeighbours(s *Scanner, c *candidate, v []byte) bool {
	if c.trigger.form != formWeak {
		return checkNotWords(s, c, v)
	}
	if isWords(v) || isName(v) || isObject(v) || s.isKept(c, v) {
		return false
	}
	if isNumber(v) {
		return len(v) >= longNumber && s.hasParameter(c)
	}
	if len(v) >= 16 && looksRandom(v) && !isMarkup(c) {
		return true
	}
	if isMarkup(c) {
		return len(v) >= 20 && looksRandom(v) && s.hasParameter(c)
	}
	return (score(v) > 0 || isMixed(v)) && s.hasParameter(c)
}

// isMixed reports whether a value that is no word (isWords) is long and one run of
// letters and digits; the shorter it is the more digits it needs. With separators
// it would be a name: ERR_TOKEN_12, build-2026-11.
func isMixed(v []byte) bool {
	digits, letters := 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case isLower(c) || isUpper(c):
			letters++
		default:
			return false
		}
	}
	return letters >= 2 && (len(v) >= 16 && digits >= 2 || len(v) >= longWord)
}

// longNumber is the length from which digits alone may be a hexadecimal code that
// happens to have no letter; times and counters are shorter.
const longNumber = 20

func isNumber(v []byte) bool {
	for _, c := range v {
		if !isDigit(c) && c != '.' && c != '-' && c != ':' {
			return false
		}
	}
	return true
}

// reach bounds how far from a value its neighbours may stand: a record of many
// megabytes with a value in every line must not be read once for each.
const reach = 8 << 10

// near is the part of the record around a candidate's key in which neighbours
// are looked for.
func (s *Scanner) near(c *candidate) []byte {
	lo, hi := s.around(c)
	return s.arena[lo:hi]
}

func (s *Scanner) around(c *candidate) (lo, hi int) {
	return max(c.RecordLow, c.KeyStart-reach), min(c.RecordHigh, c.KeyStart+reach)
}

// parameters are OAuth parameters that stand beside codes and tokens.
var parameters = [][]byte{
	[]byte("state"), []byte("grant_type"), []byte("redirect_uri"), []byte("client_id"),
	[]byte("code_verifier"), []byte("session_state"), []byte("scope"), []byte("iss="),
	[]byte("callback"), []byte("oauth"), []byte("OAuth"), []byte("grantType"), []byte("clientId"),
}

// hasParameter reports whether an OAuth parameter stands near a candidate.
func (s *Scanner) hasParameter(c *candidate) bool {
	lo, hi := s.around(c)
	return s.parameters.in(s.arena, lo, hi)
}

// checkSchemeValue tells a credential behind "Bearer" from prose and from
// challenges (Bearer realm="…").
func checkSchemeValue(s *Scanner, c *candidate, v []byte) bool {
	if isWords(bytes.TrimRight(v, "=")) { // prose, and Bearer realm="…"
		return false
	}
	return looksRandom(v) || headerBefore(s.arena[c.RecordLow:c.KeyStart])
}

// headerBefore reports whether text ends with a header name and its glue.
func headerBefore(before []byte) bool {
	near := before[max(0, len(before)-32):]
	return bytes.Contains(bytes.ToLower(near), []byte("authorization"))
}

func checkBasic(s *Scanner, c *candidate, v []byte) bool {
	raw := s.arena[c.Start:c.End]
	text, kind := decodeBasic(v)
	colon := bytes.IndexByte(text, ':')
	if colon < 0 || !utf8.Valid(text) || bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return headerBefore(s.arena[c.RecordLow:c.KeyStart]) && !isWords(v) // undecodable: masked whole
	}
	password := text[colon+1:]
	if s.isToken(text[:colon]) || colon >= minRepeat && bytes.Equal(text[:colon], password) {
		return true // the user part is a secret itself: masked whole
	}
	if len(password) == 0 || isPlaceholder(password) {
		return false
	}
	c.Confidence = rules.Certain
	form := c.Form
	form.Base64, form.Lead = kind, colon+1
	if _, ok := form.Encode(nil, raw, []byte("x")); !ok {
		return true // not faithful: masked whole
	}
	c.Form = form
	if !form.Percent && !form.Backslash {
		c.Start = c.Blob + form.Lead*8/6
	}
	return true
}

// isToken reports whether a value begins with a vendor's prefix and goes on like
// a token: GitHub takes one as the user of Basic credentials.
func (s *Scanner) isToken(v []byte) bool {
	if len(v) == 0 {
		return false
	}
	for _, t := range s.db.prefixes[v[0]] {
		if len(v) >= t.Rule.Value.Min && t.begins(v) {
			return true
		}
	}
	return false
}

// begins reports whether v starts with the trigger's prefix.
func (t *Trigger) begins(v []byte) bool {
	prefix := t.elems[:len(t.elems)-1]
	if len(v) < len(prefix) {
		return false
	}
	for i, e := range prefix {
		if !e.set[v[i]] {
			return false
		}
	}
	return true
}

func decodeBasic(v []byte) ([]byte, layer.Base64) {
	v = bytes.TrimRight(v, "=")
	enc, kind := base64.RawStdEncoding, layer.Base64Std
	if bytes.ContainsAny(v, "-_") {
		enc, kind = base64.RawURLEncoding, layer.Base64URL
	}
	out := make([]byte, enc.DecodedLen(len(v)))
	n, err := enc.Decode(out, v)
	if err != nil {
		return nil, kind
	}
	return out[:n], kind
}

// checkGitHubCRC raises the confidence when the checksum holds. A wrong one
// proves nothing: some tokens are cut or have other forms.
func checkGitHubCRC(_ *Scanner, c *candidate, v []byte) bool {
	under := bytes.IndexByte(v, '_')
	if under < 0 || len(v)-under-1 < 12 {
		return true
	}
	body, want := v[under+1:len(v)-6], v[len(v)-6:]
	sum := crc32.ChecksumIEEE(body)
	for i := 5; i >= 0; i-- {
		const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		if digits[sum%62] != want[i] {
			return true
		}
		sum /= 62
	}
	c.Confidence = rules.Proven
	return true
}

// checkUserCode tells a user code (RFC 8628 §6.1) from a word: capitals and
// digits, or what people type in small letters of the same form.
func checkUserCode(_ *Scanner, c *candidate, v []byte) bool {
	if c.glue.sep == ' ' {
		return false
	}
	lowers, vowels, digits := 0, 0, 0
	for _, b := range v {
		switch {
		case isLower(b):
			lowers++
			if indexByte("aeiou", b) {
				vowels++
			}
		case isDigit(b):
			digits++
		}
	}
	return lowers == 0 || vowels == 0 && evenGroups(v) || digits >= 2 && lowers >= 2 && evenGroups(v) && bytes.IndexByte(v, '-') > 0
}

// evenGroups reports whether v is one group of letters and digits, or several of
// one length, as user codes are written: wdjb-mjht.
func evenGroups(v []byte) bool {
	first, n := -1, 0
	for i := 0; i <= len(v); i++ {
		if i < len(v) && v[i] != '-' {
			n++
			continue
		}
		if first < 0 {
			first = n
		}
		if n != first {
			return false
		}
		n = 0
	}
	return first >= 3 && (first >= 6 || first < len(v)) && first <= 12
}

// checkRequestURI judges what stands behind the URN's own name, without what goes on
// behind the next colon: an expiry, or the sentence.
func checkRequestURI(_ *Scanner, _ *candidate, v []byte) bool {
	const name = "request_uri:"
	v = v[bytes.Index(v, []byte(name))+len(name):]
	id, _, _ := bytes.Cut(v, []byte(":"))
	return looksRandom(id) || looksRandom(v)
}
