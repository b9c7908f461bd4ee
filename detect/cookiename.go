package detect

import "bytes"

// Names of cookies are read as words: session_id, connect.sid, PHPSESSID,
// remember_user_token. A name logs in when one of its words does and none says that
// it is about something else.

// loginWords are whole words of names that log in.
var loginWords = wordsOf("session sess sessid sessionid sid ssid psid sso auth authn authz oauth oidc token jwt idtoken accesstoken identity " +
	"remember rememberme login logon logged signin ticket authentication authorization access refresh bearer credential credentials passport jsessionid phpsessid tgc")

// loginEnds end joined names that log in: ASPSESSIONIDABCD aside, PHPSESSID, authtoken.
var loginEnds = []string{"session", "sessionid", "sessid", "sess", "sid", "token", "ticket", "identity", "auth", "login", "sso"}

// otherWords say that a cookie is no credential, whatever else its name says.
var otherWords = wordsOf("csrf xsrf csrftoken xsrftoken csrfmiddlewaretoken antiforgery requestverificationtoken consent cookieconsent locale lang language theme timezone tz " +
	"currency country region nonce correlation state challenge verifier pkce analytics tracking track visitor visit experiment abtest " +
	"expires expiry expiration expire exp timeout ttl time timestamp start started created updated last count counter method provider " +
	"hint policy age mode type scope status enabled required url uri redirect returnto path domain version banner popup seen dismissed " +
	"continuation page cursor pagination next index length len interval period delay limit level format count preset default " +
	"firstname hash is authenticated username displayname email lb affinity route sticky size samesite secure httponly attempts failed error name")

// otherStarts begin the names of analytics' and load balancers' cookies.
var otherStarts = []string{
	"_ga", "_gid", "_gat", "_gcl", "_hj", "_fb", "_pk_", "_uet", "_cl", "_dd_s", "_scid", "_sctr", "_tt_", "_pin_", "_rdt", "_vwo", "_vis_opt",
	"mp_", "ajs_", "amp_", "amplitude", "optimizely", "hubspot", "__hs", "__utm", "utag", "amcv", "s_sess", "ai_session", "ai_user", "nrba_", "rxv",
	"dtcookie", "optanon", "onetrust", "didomi", "cookieyes", "usercentrics", "intercom-id", "awsalb", "arraffinity", "serverid", "bigip", "__cf_bm", "cf_clearance", "__cfruid", "incap_ses",
}

func wordsOf(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range bytes.Fields([]byte(text)) {
		out[string(w)] = true
	}
	return out
}

// logsIn reports whether a cookie of this name logs in whoever sends it.
func logsIn(name []byte) bool {
	for _, secure := range []string{"__Secure-", "__Host-"} {
		name = bytes.TrimPrefix(name, []byte(secure))
	}
	if len(name) < 3 || len(name) > maxName {
		return false
	}
	var buf [maxName]byte
	lowered := buf[:len(name)]
	for i, b := range name {
		lowered[i] = lower(b)
	}
	for _, start := range otherStarts {
		if len(lowered) >= len(start) && string(lowered[:len(start)]) == start {
			return false
		}
	}
	return wordsLogIn(name, lowered)
}

// wordsLogIn judges the words of a name, which cases and separators part.
func wordsLogIn(name, lowered []byte) bool {
	yes := false
	for lo := 0; lo < len(name); {
		hi := lo
		for hi < len(name) && isAlnum(name[hi]) && !(hi > lo && isUpper(name[hi]) && isLower(name[hi-1])) {
			hi++
		}
		word := bytes.TrimRight(lowered[lo:hi], "0123456789")
		if otherWords[string(word)] {
			return false
		}
		yes = yes || loginWords[string(word)] || endsLogin(word)
		if lo = hi; lo < len(name) && !isAlnum(name[lo]) {
			lo++
		}
	}
	return yes
}

func endsLogin(word []byte) bool {
	if bytes.HasPrefix(word, []byte("aspsessionid")) {
		return true
	}
	for _, end := range loginEnds {
		if len(word) > len(end) && bytes.HasSuffix(word, []byte(end)) {
			return end != "sid" || !indexByte("aeiou", word[len(word)-4]) // resid
		}
	}
	return false
}
