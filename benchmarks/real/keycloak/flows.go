package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const (
	callback = "http://127.0.0.1:9/cb"
	user     = "alice"
)

// random makes a value of n random bytes in base64url.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// relyingParty is a client with its secret; post says that it sends it in the form.
type relyingParty struct {
	id, secret string
	post       bool
}

// all runs every flow. password is the bootstrap administrator's.
func (d *driver) all(password string) error {
	d.keep("password", password)
	d.realm = "leak" + fmt.Sprintf("%x", sha256.Sum256([]byte(random(8))))[:6]
	parties := []relyingParty{{id: "web", secret: d.keep("client_secret", random(32))}, {id: "app", secret: d.keep("client_secret", random(24)), post: true}, {id: "spa"}}
	pass := d.keep("password", random(15))
	steps := []struct {
		name string
		run  func() error
	}{
		{"administrator", func() error { return d.login(password) }},
		{"realm", func() error { return d.create(parties, pass) }},
		{"registration", d.register},
		{"device", func() error { return d.device(parties[0]) }},
	}
	for _, p := range parties {
		for _, method := range []string{"S256", "plain"} {
			steps = append(steps, struct {
				name string
				run  func() error
			}{p.id + " code " + method, func() error { return d.code(p, pass, method, false) }})
		}
	}
	steps = append(steps, struct {
		name string
		run  func() error
	}{"pushed request", func() error { return d.code(parties[0], pass, "S256", true) }})
	for _, s := range steps {
		if err := s.run(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// login gets the administrator's token, which lives for a minute.
func (d *driver) login(password string) error {
	a, err := d.post("/realms/master/protocol/openid-connect/token", url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {"admin"}, "password": {password}}, "", "")
	m, err := d.members(a, err, http.StatusOK)
	d.admin = m["access_token"]
	return err
}

// create makes the realm with its clients and user.
func (d *driver) create(parties []relyingParty, pass string) error {
	type object = map[string]any
	var clients []object
	for _, p := range parties {
		clients = append(clients, object{
			"clientId": p.id, "secret": p.secret, "publicClient": p.secret == "", "redirectUris": []string{callback}, "standardFlowEnabled": true,
			"directAccessGrantsEnabled": true, "serviceAccountsEnabled": p.secret != "",
			"attributes": object{"oauth2.device.authorization.grant.enabled": "true"},
		})
	}
	a, err := d.send(http.MethodPost, "/admin/realms", d.admin, object{
		"realm": d.realm, "enabled": true, "sslRequired": "none", "eventsEnabled": true, "eventsListeners": []string{"jboss-logging"}, "clients": clients,
		"users": []object{{
			"username": user, "enabled": true, "email": "alice@example.org", "emailVerified": true, "firstName": "A", "lastName": "W",
			"credentials": []object{{"type": "password", "value": pass, "temporary": false}},
		}},
	})
	if err == nil && a.status != http.StatusCreated {
		err = fmt.Errorf("status %d", a.status)
	}
	return err
}

// register makes a client by dynamic registration.
func (d *driver) register() error {
	a, err := d.send(http.MethodPost, "/admin/realms/"+d.realm+"/clients-initial-access", d.admin, map[string]int{"expiration": 3600, "count": 1})
	m, err := d.members(a, err, http.StatusCreated)
	if err != nil {
		return err
	}
	a, err = d.send(http.MethodPost, "/realms/"+d.realm+"/clients-registrations/openid-connect", m["token"], map[string]any{"client_name": "dyn", "redirect_uris": []string{callback}})
	_, err = d.members(a, err, http.StatusCreated)
	return err
}

// ask posts to an endpoint of the realm with the client's own authentication.
func (d *driver) ask(p relyingParty, endpoint string, form url.Values) (answer, error) {
	path := "/realms/" + d.realm + "/protocol/openid-connect" + endpoint
	if p.secret != "" && !p.post {
		return d.post(path, form, p.id, p.secret)
	}
	form.Set("client_id", p.id)
	if p.post {
		form.Set("client_secret", p.secret)
	}
	return d.post(path, form, "", "")
}

// device asks for a device code, and polls once: nobody has agreed yet.
func (d *driver) device(p relyingParty) error {
	a, err := d.ask(p, "/auth/device", url.Values{"scope": {"openid"}})
	m, err := d.members(a, err, http.StatusOK)
	if err != nil {
		return err
	}
	a, err = d.ask(p, "/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {m["device_code"]}})
	if err == nil && a.status != http.StatusBadRequest {
		err = fmt.Errorf("polled: status %d", a.status)
	}
	return err
}

// code runs the authorization code grant with PKCE, and what follows it: refresh,
// user info, introspection, revocation.
func (d *driver) code(p relyingParty, pass, method string, pushed bool) error {
	verifier := d.keep("code_verifier", random(48))
	challenge := verifier
	if method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		challenge = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	q := url.Values{"response_type": {"code"}, "client_id": {p.id}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {random(9)}, "code_challenge": {challenge}, "code_challenge_method": {method}}
	if pushed {
		a, err := d.ask(p, "/ext/par/request", q)
		m, err := d.members(a, err, http.StatusCreated)
		if err != nil {
			return err
		}
		q = url.Values{"client_id": {p.id}, "request_uri": {m["request_uri"]}}
	}
	code, err := d.consent(q, pass)
	if err != nil {
		return err
	}
	grant := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	a, err := d.ask(p, "/token", grant)
	m, err := d.members(a, err, http.StatusOK)
	if err != nil {
		return err
	}
	a, err = d.ask(p, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {m["refresh_token"]}})
	if m, err = d.members(a, err, http.StatusOK); err != nil {
		return err
	}
	if a, err = d.send(http.MethodGet, "/realms/"+d.realm+"/protocol/openid-connect/userinfo", m["access_token"], nil); err != nil || a.status != http.StatusOK {
		return errors.Join(err, fmt.Errorf("userinfo: status %d", a.status))
	}
	if p.secret != "" {
		if _, err = d.ask(p, "/token/introspect", url.Values{"token": {m["access_token"]}}); err != nil {
			return err
		}
	}
	if _, err = d.ask(p, "/revoke", url.Values{"token": {m["refresh_token"]}}); err != nil {
		return err
	}
	_, err = d.ask(p, "/token", grant) // a code that was used already
	return err
}

var action = regexp.MustCompile(`action="([^"]+)"`)

// consent logs the user in and returns the code that comes back.
func (d *driver) consent(q url.Values, pass string) (string, error) {
	page, err := d.get(d.base+"/realms/"+d.realm+"/protocol/openid-connect/auth?"+q.Encode(), nil)
	if err != nil {
		return "", err
	}
	jar := d.cookies(page)
	if page.location != nil { // a pushed request leads to the form by a redirect
		if page, err = d.get(page.location.String(), jar); err != nil {
			return "", err
		}
		jar = append(jar, d.cookies(page)...)
	}
	form := action.FindSubmatch(page.body)
	if form == nil {
		return "", fmt.Errorf("no login form, status %d", page.status)
	}
	login := url.Values{"username": {user}, "password": {pass}}
	req, err := http.NewRequest(http.MethodPost, html.UnescapeString(string(form[1])), strings.NewReader(login.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range jar {
		req.AddCookie(c)
	}
	back, err := do(req)
	if err != nil {
		return "", err
	}
	d.cookies(back)
	if back.location == nil {
		return "", fmt.Errorf("no redirect, status %d", back.status)
	}
	return d.keep("authorization_code", back.location.Query().Get("code")), nil
}

// get asks for a page with cookies.
func (d *driver) get(address string, jar []*http.Cookie) (answer, error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	for _, c := range jar {
		req.AddCookie(c)
	}
	return do(req)
}

// loginCookies are those that log in whoever sends them.
var loginCookies = map[string]bool{"KEYCLOAK_IDENTITY": true, "AUTH_SESSION_ID": true, "KC_RESTART": true}

func (d *driver) cookies(a answer) []*http.Cookie {
	for _, c := range a.cookies {
		if loginCookies[c.Name] {
			d.keep("session_cookie", c.Value)
		}
	}
	return a.cookies
}
