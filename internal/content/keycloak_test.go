package content_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/content"
	"github.com/leakveil/leakveil/internal/sink/backend"
	"github.com/leakveil/leakveil/internal/sink/sinktest"
)

// realm is a realm of a real Keycloak with a client and a user.
type realm struct {
	t                      *testing.T
	url, admin             string
	client, secret         string
	clientUUID, userUUID   string
	user, password, folder string
}

// The calls that the runbooks give for Keycloak do what they say on a real one: what
// they end is alive before and dead after. In the long job.
func TestCallsOnARealKeycloak(t *testing.T) {
	if !long {
		calls := 0
		for _, c := range content.Revocation() {
			for _, call := range c.Calls {
				if strings.HasPrefix(call.Tried, "Keycloak") {
					calls++
				}
			}
		}
		if calls != 6 { // each of them has its case below
			t.Errorf("%d calls were tried on Keycloak", calls)
		}
		return
	}
	r := newRealm(t, backend.StartKeycloak(t))
	for group, c := range content.Revocation() {
		for i, call := range c.Calls {
			if strings.HasPrefix(call.Tried, "Keycloak") {
				t.Run(fmt.Sprint(group, " ", i), func(t *testing.T) { r.t = t; r.try(group, call.Run) })
			}
		}
	}
}

// try runs a call between a look before and a look after.
func (r *realm) try(group, run string) {
	access, refresh := r.login()
	if !r.alive(access) {
		r.t.Fatal("a new token is not alive")
	}
	sid := claims(r.t, access)["sid"].(string)
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // not-before counts seconds, of which the token has one
	for name, text := range map[string]string{
		"value.txt": refresh, "client.curl": fmt.Sprintf("user = %q\n", r.client+":"+r.secret), "admin.curl": "header = \"Authorization: Bearer " + r.adminToken() + "\"\n",
	} {
		if err := os.WriteFile(filepath.Join(r.folder, name), []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-euc", run)
	cmd.Dir = r.folder
	cmd.Env = append(os.Environ(), "KEYCLOAK="+r.url, "REALM=shop", "CLIENT="+r.client, "CLIENT_UUID="+r.clientUUID, "USER_UUID="+r.userUUID, "SID="+sid)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	switch group {
	case "token", "session", "client_tokens":
		if r.alive(access) {
			r.t.Error("the token is alive after the call")
		}
		if status, _ := r.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}); status != http.StatusBadRequest {
			r.t.Errorf("refreshing answers %d after the call", status)
		}
	case "client_secret":
		old := r.secret
		r.secret = fmt.Sprint(r.file("new-secret.json")["value"])
		if r.secret == old || r.secret == "" {
			r.t.Fatal("there is no new secret")
		}
		if access, _ := r.login(); !r.alive(access) {
			r.t.Error("the new secret is not taken")
		}
		r.secret, old = old, r.secret
		if status, _ := r.token(url.Values{"grant_type": {"password"}, "username": {r.user}, "password": {r.password}}); status != http.StatusUnauthorized {
			r.t.Errorf("the old secret gets %d", status)
		}
		r.secret = old
	case "registration":
		if token, _ := r.file("new-token.json")["registrationAccessToken"].(string); token == "" {
			r.t.Error("there is no new registration access token")
		}
	default:
		r.t.Errorf("no case for %s", group)
	}
	var kept struct{ RedirectUris []string }
	r.do("GET", "/admin/realms/shop/clients/"+r.clientUUID, nil, &kept)
	if len(kept.RedirectUris) != 1 {
		r.t.Errorf("the call changed other settings of the client: %v", kept.RedirectUris)
	}
}

func newRealm(t *testing.T, k *backend.Keycloak) *realm {
	t.Helper()
	r := &realm{t: t, url: k.URL, client: "web-shop", secret: sinktest.Secret(), user: "ann", password: sinktest.Secret(), folder: t.TempDir()}
	r.admin = url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {k.Admin}, "password": {k.Password}}.Encode()
	r.do("POST", "/admin/realms", object{"realm": "shop", "enabled": true}, nil)
	r.clientUUID = r.do("POST", "/admin/realms/shop/clients", object{
		"clientId": r.client, "secret": r.secret, "directAccessGrantsEnabled": true, "redirectUris": []string{"https://shop.example/cb"},
	}, nil)
	r.userUUID = r.do("POST", "/admin/realms/shop/users", object{
		"username": r.user, "enabled": true, "emailVerified": true, "email": "ann@shop.example", "firstName": "Ann", "lastName": "Example",
		"credentials": []object{{"type": "password", "value": r.password, "temporary": false}},
	}, nil)
	return r
}

func (r *realm) adminToken() string {
	r.t.Helper()
	response, err := http.Post(r.url+"/realms/master/protocol/openid-connect/token", "application/x-www-form-urlencoded", strings.NewReader(r.admin))
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Token == "" {
		r.t.Fatal("no administrator's token: ", response.Status)
	}
	return answer.Token
}

// do sends a request as the administrator, and returns the id of what it made.
func (r *realm) do(method, path string, body, answer any) (id string) {
	r.t.Helper()
	text, _ := json.Marshal(body)
	request, err := http.NewRequest(method, r.url+path, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.adminToken())
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(response.Body)
	if response.StatusCode > 299 || answer != nil && json.Unmarshal(said, answer) != nil {
		r.t.Fatalf("%s %s: %s", method, path, response.Status)
	}
	return filepath.Base(response.Header.Get("Location"))
}

// token asks the token endpoint as the client.
func (r *realm) token(form url.Values) (status int, answer map[string]any) {
	r.t.Helper()
	request, err := http.NewRequest("POST", r.url+"/realms/shop/protocol/openid-connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	request.SetBasicAuth(r.client, r.secret)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	_ = json.NewDecoder(response.Body).Decode(&answer)
	return response.StatusCode, answer
}

func (r *realm) login() (access, refresh string) {
	r.t.Helper()
	status, answer := r.token(url.Values{"grant_type": {"password"}, "username": {r.user}, "password": {r.password}, "scope": {"openid"}})
	access, _ = answer["access_token"].(string)
	refresh, _ = answer["refresh_token"].(string)
	if access == "" || refresh == "" {
		r.t.Fatalf("no tokens: %d %v", status, answer["error"])
	}
	return access, refresh
}

// alive uses a token, as a resource server would ask about it.
func (r *realm) alive(token string) bool {
	r.t.Helper()
	request, err := http.NewRequest("GET", r.url+"/realms/shop/protocol/openid-connect/userinfo", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusUnauthorized {
		r.t.Fatalf("userinfo answers %d", response.StatusCode)
	}
	return response.StatusCode == http.StatusOK
}

func (r *realm) file(name string) (o object) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.folder, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return parse(r.t, string(text))
}

func claims(t *testing.T, token string) object {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(payload))
}
