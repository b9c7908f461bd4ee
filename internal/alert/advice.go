package alert

// Advice is what to do about a leaked value of one kind. It is fixed text: no
// part of it comes from a record, above all no address.
type Advice struct {
	// Method is a short name to branch on: revoke, rotate, end_session,
	// end_grant, wait_or_end_session, invalidate_request, reset_password, review.
	Method string `json:"method"`
	// Text says what to do.
	Text string `json:"text"`
	// Where says at which interface, in general terms.
	Where string `json:"where"`
	// Reference is the specification that the advice rests on; may be empty.
	Reference string `json:"reference,omitempty"`
}

const (
	atRevocation = "The issuer's configured revocation endpoint (form field token), with the client's authentication; never an address from a log."
	atSession    = "The issuer's administration: end the user's session (Keycloak: delete the session or log the user out; Okta: clear sessions with their tokens; Entra ID: revokeSignInSessions)."
	atClient     = "The issuer's administration of this client (Keycloak: regenerate the client secret and delete the rotated one; Entra ID: removePassword, addPassword)."
)

var advices = map[string]Advice{
	"code_verifier":      {"wait_or_end_session", "No revocation when the authorization code is used or expired. If the code may have leaked too and is unused, end the login session, and fix the client that logs its verifier.", atSession, "RFC 7636 §7.1"},
	"authorization_code": {"end_session", "A code cannot be revoked. If it may still be redeemed, end the login session and revoke tokens issued from it; require PKCE for the client.", atSession, "RFC 6749 §4.1.2"},
	"access_token":       {"revoke", "Revoke the token, or the refresh token behind it. A self-contained token stays valid at resource servers until it expires: end the session too.", atRevocation, "RFC 7009 §2.1"},
	"refresh_token":      {"revoke", "Revoke the refresh token at once; its access tokens should end with it. Then look for uses since it was first seen.", atRevocation, "RFC 7009 §2.1"},
	"id_token":           {"end_session", "An ID token cannot be revoked. End the session, and check that no service takes ID tokens as access tokens.", atSession, "OpenID Connect Core §3.1.3.7"},
	"jwt":                {"review", "Find out from issuer and audience what the token is for; treat it as an access token until then.", atRevocation, "RFC 7519"},
	"client_secret":      {"rotate", "Rotate the client's secret, deploy the new one, delete the old one; then look for token requests of this client from unknown places.", atClient, "RFC 6749 §2.3.1"},
	"client_assertion":   {"review", "Short-lived and for one use. Check that the issuer refuses a repeated jti; rotate the signing key only if it leaked.", atClient, "RFC 7523 §3"},
	"registration_token": {"rotate", "Renew the client's registration access token; check the client's redirect URIs and settings for changes.", "The issuer's administration of this client (Keycloak: regenerate the registration access token).", "RFC 7592 §3"},
	"basic_credentials":  {"rotate", "Change the password. If the user is an OAuth client, rotate that client's secret.", atClient, "RFC 7617 §4"},
	"password":           {"reset_password", "Make the user set a new password and end the user's sessions; move the client away from the password grant.", atSession, "RFC 6749 §10.7"},
	"device_code":        {"end_grant", "Let the code expire or deny the pending request; if tokens were issued from it, revoke them.", atRevocation, "RFC 8628 §5.2"},
	"user_code":          {"end_grant", "Let the code expire or deny the pending request; watch for an approval by the wrong user.", atSession, "RFC 8628 §5.1"},
	"request_uri":        {"invalidate_request", "Short-lived and bound to the client: let it expire; check that the issuer accepts it once only.", atClient, "RFC 9126 §4"},
	"session_cookie":     {"end_session", "End the session on the server; deleting the cookie in the browser is not enough.", atSession, ""},
	"saml_assertion":     {"end_session", "End the sessions opened with the assertion; check that the receiver refuses a repeated assertion id.", atSession, "RFC 7522 §3"},
	"logout_token":       {"review", "It can only end a session. Check that the receiver refuses a repeated jti.", atSession, "OpenID Connect Back-Channel Logout §2.6"},
	"api_key":            {"rotate", "Make a new key, deploy it, delete the old one; then look for uses of the old one.", "The vendor's administration of keys.", ""},
}

// AdviceFor returns what to do about a value of the kind; for a kind it does not
// know, to review it.
func AdviceFor(kind string) Advice {
	if advice, ok := advices[kind]; ok {
		return advice
	}
	return Advice{
		Method: "review", Text: "Find out what the value gives access to, and end that access.",
		Where: "The system that issued the value.",
	}
}
