package rules

// Kind says what leaked. The list is closed: dashboards, policies and the
// revocation advice depend on it.
type Kind string

// The kinds, in the order in which reports list them.
const (
	CodeVerifier      Kind = "code_verifier"      // RFC 7636 §4.1
	AuthorizationCode Kind = "authorization_code" // RFC 6749 §4.1.2
	AccessToken       Kind = "access_token"       // RFC 6749 §1.4
	RefreshToken      Kind = "refresh_token"      // RFC 6749 §1.5
	IDToken           Kind = "id_token"           // OpenID Connect Core §2
	JWT               Kind = "jwt"                // RFC 7519, of unknown use
	ClientSecret      Kind = "client_secret"      // RFC 6749 §2.3.1
	ClientAssertion   Kind = "client_assertion"   // RFC 7521 §4.2
	RegistrationToken Kind = "registration_token" // RFC 7592 §3
	BasicCredentials  Kind = "basic_credentials"  // RFC 7617
	Password          Kind = "password"           // RFC 6749 §4.3
	DeviceCode        Kind = "device_code"        // RFC 8628 §3.2
	UserCode          Kind = "user_code"          // RFC 8628 §3.2
	RequestURI        Kind = "request_uri"        // RFC 9126 §2.2
	SessionCookie     Kind = "session_cookie"
	SAMLAssertion     Kind = "saml_assertion" // RFC 7522
	LogoutToken       Kind = "logout_token"   // OpenID Connect Back-Channel Logout §2.4
	APIKey            Kind = "api_key"
)

var kinds = []Kind{
	CodeVerifier, AuthorizationCode, AccessToken, RefreshToken, IDToken, JWT,
	ClientSecret, ClientAssertion, RegistrationToken, BasicCredentials, Password,
	DeviceCode, UserCode, RequestURI, SessionCookie, SAMLAssertion, LogoutToken, APIKey,
}

// Kinds returns the closed list of kinds in report order.
func Kinds() []Kind { return append([]Kind(nil), kinds...) }

// Valid reports whether k is in the closed list.
func (k Kind) Valid() bool {
	for _, known := range kinds {
		if k == known {
			return true
		}
	}
	return false
}

// Severity orders findings for people; alerts map it to a number.
type Severity string

// The severities, lowest first.
const (
	Info     Severity = "info"
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Valid reports whether s is a known severity.
func (s Severity) Valid() bool {
	switch s {
	case Info, Low, Medium, High, Critical:
		return true
	}
	return false
}

// Confidence says how sure a finding is.
type Confidence string

// The confidences, surest first.
const (
	Proven   Confidence = "proven"   // a hash relation or a checksum
	Certain  Confidence = "certain"  // structure that nothing else has
	Likely   Confidence = "likely"   // key, shape and randomness
	Possible Confidence = "possible" // shape alone; reported, not masked by default
)

// Valid reports whether c is a known confidence.
func (c Confidence) Valid() bool {
	switch c {
	case Proven, Certain, Likely, Possible:
		return true
	}
	return false
}
