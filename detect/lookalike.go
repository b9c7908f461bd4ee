package detect

import "bytes"

// lookAlikes are keys whose values look like secrets and are none. A value with
// a shape of its own (a JWT, a vendor prefix) under one of them stays.
var lookAlikes = []string{
	"state", "nonce", "code_challenge", "kid", "jti", "at_hash", "c_hash", "s_hash", "x5t",
	"x5t#s256", "jkt", "ath", "etag", "trace_id", "span_id", "request_id", "csrf", "csrf_token",
	"request", "jwk", "jwks", "x5c", "software_statement",
}

// weakLookAlikes end keys that end in a weak key (X-CSRF-Token, nextPageToken) and
// mean another thing, or have a strong rule with a closer alphabet. In lower case,
// without joiners.
var weakLookAlikes = []string{
	"csrftoken", "xsrftoken", "antiforgerytoken", "requestverificationtoken",
	"pagetoken", "nexttoken", "prevtoken", "previoustoken", "continuationtoken", "continuetoken", "paginationtoken",
	"cursortoken", "resumetoken", "scrolltoken", "skiptoken", "deltatoken", "starttoken", "startingtoken", "synctoken",
	"forwardtoken", "backwardtoken",
	"idempotencytoken", "clientrequesttoken", "cancellationtoken", "canceltoken", "locktoken", "leasetoken", "fencingtoken", "fencetoken",
	"reservationtoken", "delegationtoken",
	"publickeytoken", // of .NET assemblies, in each of their stack traces
	"idtoken", "logouttoken",
}

// joinedLookAlikes are the same of names in one word alone (changeToken, device_token):
// before a blank their first words mean nothing (client=data-export token=…).
var joinedLookAlikes = []string{
	"lasttoken", "endtoken", "offsettoken", "markertoken", "bookmarktoken", "sequencetoken", "watermarktoken", "positiontoken", "sharditeratortoken",
	"changetoken", "updatetoken", "versiontoken", "creationtoken", "creatortoken", "usagetoken", "deduplicationtoken", "deduptoken",
	"clienttoken", "exporttoken", "workunittoken", "lifecycleactiontoken", "devicetoken", "pushtoken", "pushnotificationtoken", "fcmtoken", "apnstoken", "purchasetoken", "transactiontoken", "tracetoken", "correlationtoken",
}

// otherCodes are words that say, before the word code, that it is none of an
// authorization server: promo code=…, QR code: …. Words that may speak of a
// request as well (error, response, POST) are not among them.
var otherCodes = map[string]bool{
	"promo": true, "promotion": true, "promotional": true, "discount": true, "coupon": true, "voucher": true, "gift": true,
	"referral": true, "offer": true, "qr": true, "bar": true, "product": true, "item": true, "article": true, "sku": true,
	"license": true, "licence": true, "activation": true, "booking": true, "tracking": true, "reservation": true,
	"zip": true, "postal": true, "country": true, "currency": true, "language": true, "area": true, "dialing": true,
	"swift": true, "bank": true, "branch": true, "sort": true, "tax": true, "airport": true, "station": true,
	"hash": true, "color": true, "colour": true,
	"status": true, "exit": true, "http": true, "source": true, "object": true, "byte": true, "commit": true, "vat": true, "reason": true,
}

// spokenCodes are the same of words that mean it in sentences alone (error code X):
// before a pair they may tell what became of a request (error code=X).
var spokenCodes = map[string]bool{
	"error": true, "return": true, "result": true, "failure": true, "event": true, "message": true, "cipher": true, "signal": true, "errno": true,
	"diagnostic": true, "fault": true, "alarm": true, "completion": true, "termination": true,
}

// spokenTokens are words before the word token that speak of a parser's or a
// tokenizer's.
var spokenTokens = wordsOf("unexpected unrecognized unrecognised illegal stray offending end stop padding special string parser lexer syntax " +
	"comment identifier literal keyword operator delimiter separator eof eos bos")

// placeTokens are words before the word token and a blank that tell its place in a text
// or a stream.
var placeTokens = wordsOf("last first end final")

// tokenNouns are those words of joinedLookAlikes that are no verbs as well, so that
// they mean the same in sentences (device token X).
var tokenNouns = wordsOf("device push sequence offset position bookmark watermark transaction correlation purchase deduplication dedup fcm apns")

// floor is where the text that says something about a candidate's key begins: the
// record, or the end of the value before it. What a mask may replace says nothing,
// or a second run would see another key than the first.
func (s *Scanner) floor(c *candidate) int {
	if n := len(s.candidates); n > 0 {
		if end := s.candidates[n-1].End; end > c.RecordLow && end <= c.KeyStart {
			return end
		}
	}
	return c.RecordLow
}

// otherWord reports whether the word before a weak key and a blank says that its
// value is another thing: promo code, page token.
func (s *Scanner) otherWord(c *candidate) bool {
	hi, floor := c.KeyStart-1, s.floor(c)
	if hi <= floor || s.arena[hi] != ' ' {
		return false
	}
	lo := hi
	for lo > floor && hi-lo < maxMarked && inKey(s.arena[lo-1]) {
		lo--
	}
	if lo > floor && c.trigger.Key == "token" && s.arena[lo-1] == '=' {
		return false // the value of the pair before: id=next-page token=…
	}
	var buf [maxMarked + len("token")]byte
	word := buf[:0]
	for _, b := range s.arena[lo:hi] {
		word = append(word, lower(b))
	}
	if c.trigger.Key == "code" {
		return otherCodes[string(word)] || s.isSpokenOf(c) && spokenCodes[string(word)]
	}
	if c.trigger.Key != "token" || len(word) == 0 {
		return false
	}
	return c.glue.sep == ' ' && placeTokens[string(word)] || s.isSpokenOf(c) && (spokenTokens[string(word)] || tokenNouns[string(word)]) || hasEnd(append(word, "token"...), weakLookAlikes)
}

func hasEnd(name []byte, list []string) bool {
	for _, other := range list {
		if bytes.HasSuffix(name, []byte(other)) {
			return true
		}
	}
	return false
}

// codeKeys are the longer keys that hold an authorization code all the same.
var codeKeys = map[string]bool{
	"authcode": true, "authorizationcode": true, "oauthcode": true, "grantcode": true, "oidccode": true,
	"serverauthcode": true, "callbackcode": true, "xcode": true,
}

// passwordKeys are joined words that end in password and hold one.
var passwordKeys = map[string]bool{"httppassword": true, "ftppassword": true, "proxypassword": true, "userpassword": true}

// isCodeKey reports whether a weak key that ends before end is the tail of a joined
// word that holds an authorization code or a password: authorizationcode.
func (s *Scanner) isCodeKey(c *candidate, end int) bool {
	lo, floor := end, s.floor(c)
	for lo > floor && end-lo < maxWord && (isLower(s.arena[lo-1]) || isUpper(s.arena[lo-1])) {
		lo--
	}
	var buf [maxWord]byte
	if word := lowerWord(&buf, s.arena[lo:end]); c.trigger.form != formWeak || !codeKeys[string(word)] && !passwordKeys[string(word)] {
		return false
	}
	c.KeyStart = lo
	return true
}

// otherKey reports whether a weak key is the end of a longer key that is known to
// hold no secret.
func (s *Scanner) otherKey(c *candidate) bool {
	floor := s.floor(c)
	record := s.arena[floor:c.RecordHigh]
	lo := c.KeyStart - floor
	hi := lo
	for lo > 0 && inKey(record[lo-1]) {
		lo--
	}
	lo = min(behindEscape(record, lo, len(record)), c.KeyStart-floor) // \n, %26
	if behindSGR(record, c.KeyStart-floor, 0) {
		lo = c.KeyStart - floor
	}
	for hi < len(record) && inKey(record[hi]) {
		hi++
	}
	var buf [64]byte
	name := buf[:0]
	for _, b := range record[max(lo, hi-len(buf)):hi] {
		if isAlnum(b) {
			name = append(name, lower(b))
		}
	}
	if c.trigger.Key == "code" && len(name) > len("code") {
		return !codeKeys[string(name)] // product, country, zip, status code …
	}
	return hasEnd(name, weakLookAlikes) || hasEnd(name, joinedLookAlikes) || s.otherMember(c) || s.otherWord(c)
}

// otherMember is otherWord for a name and a full stop before the key: csrf.token.
func (s *Scanner) otherMember(c *candidate) bool {
	hi, floor := c.KeyStart-1, s.floor(c)
	if hi <= floor || s.arena[hi] != '.' || c.trigger.Key != "token" {
		return false
	}
	lo := hi
	for lo > floor && hi-lo < maxMarked && inKey(s.arena[lo-1]) {
		lo--
	}
	var buf [maxMarked + len("token")]byte
	name := buf[:0]
	for _, b := range s.arena[lo:hi] {
		if isAlnum(b) {
			name = append(name, lower(b))
		}
	}
	return hasEnd(append(name, "token"...), weakLookAlikes)
}

// isSpokenOf reports whether a key stands in a sentence: no equals sign stands behind
// it, or blanks are around that.
func (s *Scanner) isSpokenOf(c *candidate) bool {
	return c.glue.sep != '=' || c.glue.start > c.Low && isBlank(s.arena[c.glue.start-1])
}

func inKey(c byte) bool { return isAlnum(c) || c == '_' || c == '-' }

// isTemplate reports whether the value is a variable of a template: {{ name }}.
func (s *Scanner) isTemplate(c *candidate, v []byte) bool {
	if c.Start == c.Low || s.arena[c.Start-1] != '{' && s.arena[c.Start-1] != ' ' {
		return false
	}
	before := bytes.TrimRight(s.arena[c.Low:c.Start], " ")
	after := bytes.TrimLeft(s.arena[c.End:c.High], " ")
	return bytes.HasSuffix(before, []byte("{{")) && bytes.HasPrefix(after, []byte("}}")) && !isReal(v)
}

// lookAlikeKey reports whether the key before a shape says that it is none.
func (s *Scanner) lookAlikeKey(c *candidate) bool {
	key := keyBefore(s.arena[s.floor(c):c.KeyStart])
	if len(key) == 0 {
		return false
	}
	for _, name := range lookAlikes {
		if sameKey(key, name) {
			return true
		}
	}
	return false
}

// keyBefore returns the key whose glue ends the text, or nothing: what stands
// before the last = or : and its quotes.
func keyBefore(before []byte) []byte {
	before = before[max(0, len(before)-64):]
	p := len(before)
	back := func(bytes string) {
		for p > 0 && indexByte(bytes, before[p-1]) {
			p--
		}
	}
	back("\"'\\ \t[")
	if p == 0 || before[p-1] != '=' && before[p-1] != ':' {
		return nil
	}
	back("=: \t")
	back("\"'\\")
	end := p
	for p > 0 && (inKey(before[p-1]) || before[p-1] == '#') {
		p--
	}
	return before[p:end]
}

func indexByte(s string, c byte) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == c {
			return true
		}
	}
	return false
}

// sameKey compares keys without case and joiners: x5tS256, trace-id, traceId.
func sameKey(key []byte, name string) bool {
	i := 0
	for _, c := range key {
		if c == '_' || c == '-' {
			continue
		}
		for i < len(name) && name[i] == '_' {
			i++
		}
		if i == len(name) || lower(c) != name[i] {
			return false
		}
		i++
	}
	return i == len(name)
}

// checkPlain keeps a code_challenge only when it is its own verifier: the
// method is "plain" or, as RFC 7636 §4.3 says for authorization requests, not
// given. A challenge that stands alone, in no request, says nothing.
func checkPlain(s *Scanner, c *candidate, _ []byte) bool {
	for _, next := range followedByS256 { // as most requests write it
		if bytes.HasPrefix(s.arena[c.End:c.RecordHigh], next) {
			return false
		}
	}
	record := s.near(c)
	lo, hi := Scope(record, c.KeyStart-max(c.RecordLow, c.KeyStart-reach), 0)
	for _, text := range [][]byte{record[lo:hi], record} {
		method := challengeMethod(text)
		if method == "" {
			continue
		}
		return method == "plain"
	}
	if c.glue.quote == 0 && c.glue.pct == 0 && bytes.HasPrefix(s.arena[c.End:c.RecordHigh], []byte(", ")) {
		return false // the arguments of a function: no request, which would tell the method
	}
	return bytes.Contains(record, []byte("client_id")) || bytes.Contains(record, []byte("response_type")) ||
		bytes.Contains(record, []byte("clientId")) || bytes.Contains(record, []byte("redirect_uri"))
}

// followedByS256 is what says at once that a challenge is a hash.
var followedByS256 = [][]byte{
	[]byte("&code_challenge_method=S256"), []byte(`","code_challenge_method":"S256"`), []byte(`", "code_challenge_method": "S256"`),
}

// challengeMethod returns "S256", "plain", or "" when text names no method. A
// named method that is none of the two counts as S256: it is not the default.
func challengeMethod(text []byte) string {
	for p := 0; ; {
		n := bytes.Index(text[p:], []byte("ethod"))
		if n < 0 {
			break
		}
		p += n + len("ethod")
		word := matchBack(text, p, "challenge_method")
		if g, ok := parseGlue(text, p, len(text)); word >= 0 && ok {
			if equalFold(text[g.start:min(len(text), g.start+5)], "plain") {
				return "plain"
			}
			return "S256"
		}
	}
	if bytes.Contains(text, []byte("S256")) || bytes.Contains(text, []byte("s256")) {
		return "S256"
	}
	return ""
}

// blobReach is how much base64 beside a value tells that it is a part of it.
const blobReach = 40

// checkNotInBlob drops what begins like a token inside a longer piece of base64,
// as an image: behind or before its + and /, which tokens of the kind lack.
func checkNotInBlob(s *Scanner, c *candidate, _ []byte) bool {
	before := s.arena[max(c.Low, c.Start-1-blobReach):c.Start]
	after := s.arena[c.End:min(c.High, c.End+1+blobReach)]
	return !(len(before) > blobReach && isBlobJoint(before[blobReach]) && isBlob(before[:blobReach])) &&
		!(len(after) > blobReach && isBlobJoint(after[0]) && isBlob(after[1:]))
}

func isBlobJoint(c byte) bool { return c == '+' || c == '/' }

// isBlob reports whether text is base64 that looks random, which no path does.
func isBlob(text []byte) bool {
	for _, c := range text {
		if !isAlnum(c) && !isBlobJoint(c) {
			return false
		}
	}
	return score(text) >= likeWords
}
