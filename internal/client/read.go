package client

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/leakveil/leakveil/detect"
)

// read collects the client identifiers that a record names.
func (a *Attributor) read(record []byte) {
	a.named, a.known = a.named[:0], len(record)
	for _, word := range []string{"lient", "LIENT"} {
		a.each(record, word, func(start, end int) { a.readClient(record, start-1, end) })
	}
	a.each(record, "azp", func(start, end int) {
		if detect.WordAt(record, start) && (end == len(record) || !isLetter(record[end])) {
			a.readValue(record, start, end, false)
		}
	})
	slices.SortFunc(a.named, func(x, y candidate) int { return x.at - y.at })
	a.all = distinct(a.named)
	// Keycloak's event lines: type="…", realmId="…", clientId="…".
	a.idp = bytes.Contains(record, []byte("realmId=")) && bytes.Contains(record, []byte("type="))
}

// each calls f with the place of each word. It stops, and remembers where, when
// that has given maxNamed candidates.
func (a *Attributor) each(record []byte, word string, f func(start, end int)) {
	for p, before := 0, len(a.named); ; {
		n := bytes.Index(record[p:], []byte(word))
		switch {
		case n < 0:
			return
		case len(a.named)-before == maxNamed:
			a.known = min(a.known, p)
			return
		}
		f(p+n, p+n+len(word))
		p += n + len(word)
	}
}

// readClient reads client_id in any spelling, or the bare word client, from a
// word that starts at start and ends before end.
func (a *Attributor) readClient(record []byte, start, end int) {
	if start < 0 || record[start]|0x20 != 'c' || !detect.WordAt(record, start) {
		return
	}
	weak := true
	at := end
	if at < len(record) && (record[at] == '_' || record[at] == '-' || record[at] == '.' || record[at] == ' ') {
		at++
	}
	if at+2 <= len(record) && record[at]|0x20 == 'i' && record[at+1]|0x20 == 'd' &&
		(at+2 == len(record) || !isLetter(record[at+2])) {
		weak, end = false, at+2
	}
	if weak && end < len(record) && isLetter(record[end]) {
		return
	}
	a.readValue(record, start, end, weak)
}

func (a *Attributor) readValue(record []byte, start, end int, weak bool) {
	alphabet := "visible"
	if weak {
		alphabet = "unreserved"
	}
	pair, ok := detect.PairAt(record, end, alphabet)
	if !ok || pair.Prose && !pair.Quoted {
		return
	}
	if bytes.IndexByte(record[end:pair.Start], '{') >= 0 {
		// {"client":{"id":"web-shop"}}: what was read is the first name in it.
		if string(record[pair.Start:pair.End]) == "id" {
			a.readValue(record, start, pair.End, weak)
		}
		return
	}
	if pair, ok = whole(record, pair); !ok {
		return
	}
	a.scratch = pair.Form.Decode(a.scratch[:0], record[pair.Start:pair.End])
	id := a.scratch
	if !pair.Quoted {
		id = bytes.TrimRight(id, ".,;:")
	}
	list := a.identifier(id)
	if list == nil || weak && !wordLike(list[0]) {
		return
	}
	a.named = append(a.named, candidate{at: start, id: list[0], list: list, weak: weak})
}

// whole is the pair with a quoted value up to its closing quote, blanks and
// letters of every script included. It reports false for one that ends elsewhere:
// a part of an identifier would name another client.
func whole(record []byte, pair detect.Pair) (detect.Pair, bool) {
	quote := byte(0)
	if pair.Quoted {
		quote = record[pair.Start-1]
	}
	if quote != '"' && quote != '\'' {
		return pair, pair.End == len(record) || record[pair.End] < utf8.RuneSelf
	}
	near := record[:min(len(record), pair.Start+6*MaxID)] // six bytes for \u00fc
	n := bytes.IndexByte(near[pair.Start:], quote)
	if n < 0 {
		return pair, false
	}
	end := pair.Start + n
	depth := backslashes(record[:pair.Start-1])
	if backslashes(record[pair.Start:end]) != depth {
		return pair, false // the quote belongs to the value
	}
	if end -= depth; end > pair.End {
		pair.Form.Backslash = pair.Form.Backslash || bytes.IndexByte(record[pair.End:end], '\\') >= 0
		pair.End = end
	}
	return pair, true
}

// backslashes counts those at the end of text.
func backslashes(text []byte) int {
	return len(text) - len(bytes.TrimRight(text, "\\"))
}

// wordLike keeps numbers and addresses from counting as clients where only the
// word "client" says so (nginx: client: 10.1.2.3).
func wordLike(id string) bool {
	letters := 0
	for i := 0; i < len(id); i++ {
		if isLetter(id[i]) {
			letters++
		}
	}
	return letters >= 2 && len(id) <= 128
}

func isLetter(c byte) bool { return c|0x20-'a' < 26 && c|0x20 >= 'a' }

// claims are the JWT claims that name a client: azp (OpenID Connect Core §2),
// client_id (RFC 9068 §2.2), cid (Okta), appid (Entra v1), aud of ID tokens,
// and iss and sub of assertions (RFC 7523 §3); and those that say how long a token
// works, and with what.
type claims struct {
	Azp, Cid, AppID, Iss, Sub string
	ClientID                  string `json:"client_id"`
	Aud, Exp, Cnf             json.RawMessage
}

// latest is beyond any end that is meant.
const latest = 1 << 40

// life reads exp (RFC 7519 §4.1.4, seconds since 1970) and cnf (RFC 7800).
func (c *claims) life() (l life) {
	if seconds, err := strconv.ParseFloat(string(c.Exp), 64); err == nil && seconds > 0 && seconds < latest {
		l.ends = time.Unix(int64(seconds), 0).UTC()
	}
	l.bound = len(c.Cnf) > 2 && c.Cnf[0] == '{'
	return l
}

func (c *claims) audience() string {
	var one string
	if json.Unmarshal(c.Aud, &one) == nil {
		return one
	}
	var list []string
	if json.Unmarshal(c.Aud, &list) == nil && len(list) == 1 {
		return list[0]
	}
	return ""
}

const maxPayload = 64 << 10

// claimsOf reads the payload of a compact JWS. The signature is not checked:
// a forged token names who forged it at most.
func (a *Attributor) claimsOf(value []byte) (*claims, bool) {
	if len(value) < 20 || len(value) > maxPayload || value[0] != 'e' || bytes.Count(value, []byte(".")) != 2 {
		return nil, false
	}
	payload := value[bytes.IndexByte(value, '.')+1 : bytes.LastIndexByte(value, '.')]
	text, err := base64.RawURLEncoding.AppendDecode(a.scratch[:0], bytes.TrimRight(payload, "="))
	a.scratch = text
	if err != nil {
		return nil, false
	}
	c := &claims{}
	if err := json.Unmarshal(text, c); errors.As(err, new(*json.SyntaxError)) {
		return nil, false
	}
	return c, true // a claim of another type stays empty
}

func unescapeForm(s string) string {
	out, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return out
}
