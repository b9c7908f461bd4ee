package backend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Syslog is a syslog server that writes one JSON object a message.
type Syslog struct {
	*Process
	TLS, TCP string // host:port; TLS wants a client certificate with the name admin
	out      string
}

// Messages returns what has arrived so far: objects with msgid, sd and msg in
// each server's own manner.
func (s *Syslog) Messages(t testing.TB) (all []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(s.out)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(text[:bytes.LastIndexByte(text, '\n')+1], []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var one map[string]any
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, one)
	}
	return all
}

// StartRsyslog starts rsyslog.
func StartRsyslog(t testing.TB, certs Certs) *Syslog {
	t.Helper()
	root := cached(t, "rsyslog", func(dir string) error {
		return debian(dir, "rsyslog", "rsyslog-gnutls", "libestr0", "libfastjson4", "liblognorm5")
	})
	dir := t.TempDir()
	tlsPort, tcpPort := FreePort(t), FreePort(t)
	s := &Syslog{TLS: fmt.Sprint("127.0.0.1:", tlsPort), TCP: fmt.Sprint("127.0.0.1:", tcpPort), out: filepath.Join(dir, "out")}
	libs := filepath.Join(root, "usr/lib/x86_64-linux-gnu")
	config := write(t, filepath.Join(dir, "r.conf"), fmt.Sprintf(`
global(workDirectory=%[1]q maxMessageSize="64k" defaultNetstreamDriverCAFile=%[2]q
  defaultNetstreamDriverCertFile=%[3]q defaultNetstreamDriverKeyFile=%[4]q)
module(load="mmpstrucdata") module(load="imtcp") module(load="imptcp")
template(name="json" type="list" option.jsonf="on") { property(outname="msgid" name="msgid" format="jsonf")
  property(outname="pri" name="pri" format="jsonf")
  property(outname="sd" name="$!rfc5424-sd" format="jsonf") property(outname="msg" name="msg" format="jsonf") }
ruleset(name="in") { action(type="mmpstrucdata") action(type="omfile" file=%[5]q template="json") }
input(type="imtcp" port="%[6]d" address="127.0.0.1" ruleset="in" streamDriver.name="gtls" streamDriver.mode="1"
  streamDriver.authMode="x509/name" permittedPeer="admin")
input(type="imptcp" port="%[7]d" address="127.0.0.1" ruleset="in")
`, dir, certs.CA, certs.ServerCert, certs.ServerKey, s.out, tlsPort, tcpPort))
	cmd := exec.Command(filepath.Join(root, "usr/sbin/rsyslogd"), "-n", "-f", config, "-i", filepath.Join(dir, "pid"), "-M", filepath.Join(libs, "rsyslog"))
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libs)
	s.Process = begin(t, cmd, listens(tcpPort))
	return s
}

// StartSyslogNG starts syslog-ng.
func StartSyslogNG(t testing.TB, certs Certs) *Syslog {
	t.Helper()
	root := cached(t, "syslog-ng", func(dir string) error {
		return debian(dir, "syslog-ng-core", "libivykis0", "libnet1", "libpcre3", "libwrap0")
	})
	dir := t.TempDir()
	tlsPort, tcpPort := FreePort(t), FreePort(t)
	s := &Syslog{TLS: fmt.Sprint("127.0.0.1:", tlsPort), TCP: fmt.Sprint("127.0.0.1:", tcpPort), out: filepath.Join(dir, "out")}
	config := write(t, filepath.Join(dir, "s.conf"), fmt.Sprintf(`@version: 3.38
options { keep-hostname(yes); use-dns(no); log-msg-size(65536); };
source s { syslog(ip(127.0.0.1) port(%d) transport("tls") tls(key-file(%q) cert-file(%q)
  ca-file(%q) peer-verify(required-trusted) trusted-dn("*CN=admin*"))); syslog(ip(127.0.0.1) port(%d) transport("tcp")); };
destination d { file(%q template("$(format-json --scope rfc5424 --key .SDATA.* --exclude DATE --pair ts=$ISODATE)\n")); };
log { source(s); destination(d); };
`, tlsPort, certs.ServerKey, certs.ServerCert, certs.CA, tcpPort, s.out))
	at := func(path string) string { return filepath.Join(root, path) }
	cmd := exec.Command(at("usr/sbin/syslog-ng"), "-F", "-f", config, "--module-path="+at("usr/lib/syslog-ng/3.38"),
		"-p", filepath.Join(dir, "p"), "-R", filepath.Join(dir, "persist"), "-c", filepath.Join(dir, "ctl"), "--no-caps")
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+at("usr/lib/x86_64-linux-gnu")+":"+at("lib/x86_64-linux-gnu")+":"+at("usr/lib/syslog-ng"))
	s.Process = begin(t, cmd, listens(tcpPort))
	return s
}

// Lognormalize parses CEF lines with liblognorm and returns what it reads: an
// object a line, with f.Extensions, or with unparsed-data.
func Lognormalize(t testing.TB, lines []byte) []map[string]any {
	t.Helper()
	root := cached(t, "lognorm", func(dir string) error {
		return debian(dir, "liblognorm-utils", "liblognorm5", "libestr0", "libfastjson4")
	})
	rules := write(t, filepath.Join(t.TempDir(), "cef.rb"), "version=2\nrule=cef:%f:cef%\n")
	find := exec.Command("find", root, "-name", "lognormalizer", "-type", "f")
	path, err := find.Output()
	check(t, err)
	cmd := exec.Command(string(bytes.TrimSpace(path)), "-r", rules, "-e", "json")
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(root, "usr/lib/x86_64-linux-gnu"))
	cmd.Stdin = bytes.NewReader(lines)
	out, err := cmd.Output()
	check(t, err)
	return decode(t, out)
}
