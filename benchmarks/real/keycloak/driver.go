package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// driver keeps each secret with its kind, so that the log can be searched for it.
type driver struct {
	base, admin, realm string
	secrets            map[string]string
}

// keep remembers a secret.
func (d *driver) keep(kind, value string) string {
	const shortest = 6 // shorter values stand in a log by chance
	if len(value) >= shortest {
		d.secrets[value] = kind
	}
	return value
}

// client follows no redirect and keeps cookies itself: Keycloak marks them Secure, and
// a jar would not send them over plain HTTP.
var client = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// answer is what came back: status, headers, body.
type answer struct {
	status   int
	location *url.URL
	cookies  []*http.Cookie
	body     []byte
}

func do(req *http.Request) (answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{status: resp.StatusCode, cookies: resp.Cookies()}
	a.location, _ = resp.Location()
	a.body, err = io.ReadAll(resp.Body)
	return a, err
}

// wait waits until the server answers, which it does a while after its port is open.
func (d *driver) wait(longest time.Duration) error {
	for end := time.Now().Add(longest); time.Now().Before(end); time.Sleep(time.Second) {
		req, err := http.NewRequest(http.MethodGet, d.base+"/realms/master", nil)
		if err != nil {
			return err
		}
		if a, err := do(req); err == nil && a.status == http.StatusOK {
			return nil
		}
	}
	return errors.New("no answer from " + d.base)
}

// post sends a form; secret, when there is one, goes as Basic credentials.
func (d *driver) post(path string, form url.Values, id, secret string) (answer, error) {
	req, err := http.NewRequest(http.MethodPost, d.base+path, bytes.NewBufferString(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		req.SetBasicAuth(id, secret)
	}
	return do(req)
}

// send sends JSON with a bearer token.
func (d *driver) send(method, path, token string, body any) (answer, error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, d.base+path, r)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	return do(req)
}

// kinds are the members of answers that are secrets.
var kinds = map[string]string{
	"access_token": "access_token", "refresh_token": "refresh_token", "id_token": "id_token", "client_secret": "client_secret",
	"device_code": "device_code", "user_code": "user_code", "request_uri": "request_uri", "auth_req_id": "device_code",
	"registration_access_token": "registration_token", "token": "registration_token",
}

// members reads an answer's strings and keeps those that are secrets. want is the
// status that it must have.
func (d *driver) members(a answer, err error, want int) (map[string]string, error) {
	if err != nil {
		return nil, err
	}
	if a.status != want {
		return nil, fmt.Errorf("status %d, want %d", a.status, want)
	}
	var all map[string]any
	if err := json.Unmarshal(a.body, &all); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, v := range all {
		s, ok := v.(string)
		if !ok {
			continue
		}
		out[name] = s
		if kind := kinds[name]; kind != "" {
			d.keep(kind, s)
		}
	}
	return out, nil
}
