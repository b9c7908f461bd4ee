package backend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const keycloakVersion = "26.7.3"

// Keycloak is an identity provider with an empty master realm.
type Keycloak struct {
	*Process
	URL string
	// Admin and Password are those of the administrator.
	Admin, Password string
}

// StartKeycloak starts one: 180 MB to fetch, 1 GB of memory, half a minute.
func StartKeycloak(t testing.TB) *Keycloak {
	t.Helper()
	java := javaHome(t)
	dist := cached(t, "keycloak-"+keycloakVersion, func(dir string) error {
		return command(dir, "mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack",
			"-Dartifact=org.keycloak:keycloak-quarkus-dist:"+keycloakVersion+":zip", "-DoutputDirectory="+dir)
	})
	home := filepath.Join(shared(t), "keycloak")
	check(t, command(dist, "cp", "-a", "keycloak-"+keycloakVersion, home))
	check(t, os.Chmod(filepath.Join(home, "bin", "kc.sh"), 0o755))
	port := FreePort(t)
	k := &Keycloak{URL: fmt.Sprint("http://127.0.0.1:", port), Admin: "admin", Password: fmt.Sprint("pw-", port, os.Getpid())}
	cmd := exec.Command("bin/kc.sh", "start-dev", "--db=dev-mem", "--http-host=127.0.0.1", fmt.Sprint("--http-port=", port))
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "JAVA_HOME="+java, "KC_BOOTSTRAP_ADMIN_USERNAME="+k.Admin, "KC_BOOTSTRAP_ADMIN_PASSWORD="+k.Password,
		"JAVA_OPTS_KC_HEAP=-Xms64m -Xmx700m", "JAVA_OPTS_APPEND=-XX:TieredStopAtLevel=1")
	k.Process = begin(t, cmd, healthy(k.URL+"/realms/master"))
	return k
}
