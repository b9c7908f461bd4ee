#!/bin/sh
# Runs a real Keycloak at TRACE, drives it through its OAuth flows, and proves that
# leakveil leaves no secret in its log. Needs Java 17 and Maven, which fetches
# Keycloak (180 MB) into .cache/; 1 GB of memory and about two minutes.
# Usage: scripts/real-keycloak.sh (make test-long runs it)
set -eu
cd "$(dirname "$0")/.."

version=26.7.3
port=18180
for tool in java mvn; do
	command -v $tool >/dev/null || { echo "real-keycloak: needs $tool; make deps-test installs it" >&2; exit 1; }
done
home=$PWD/.cache/keycloak/keycloak-$version
if [ ! -d "$home" ]; then
	mkdir -p .cache/keycloak # Maven leaves marks where it runs
	(cd .cache/keycloak && mvn -q -B -ntp dependency:unpack "-Dartifact=org.keycloak:keycloak-quarkus-dist:$version:zip" "-DoutputDirectory=$PWD")
	chmod +x "$home"/bin/*.sh
fi
log=$(mktemp)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -f "$log"' EXIT INT TERM

KC_BOOTSTRAP_ADMIN_USERNAME=admin
KC_BOOTSTRAP_ADMIN_PASSWORD=$(head -c 12 /dev/urandom | base64 | tr '+/' '-_')
JAVA_OPTS_KC_HEAP="-Xms64m -Xmx700m"
JAVA_OPTS_APPEND=-XX:TieredStopAtLevel=1
export JAVA_OPTS_APPEND KC_BOOTSTRAP_ADMIN_USERNAME KC_BOOTSTRAP_ADMIN_PASSWORD JAVA_OPTS_KC_HEAP
"$home/bin/kc.sh" start-dev --db=dev-mem --http-host=127.0.0.1 --http-port=$port \
	--log-level=INFO,org.keycloak:TRACE,org.apache.http:DEBUG,org.jboss.resteasy:TRACE,org.hibernate.SQL:DEBUG,org.hibernate.orm.jdbc.bind:TRACE \
	--spi-events-listener--jboss-logging--success-level=info --http-access-log-enabled=true \
	--http-access-log-pattern='%h %t "%r" %s "%{i,Referer}" cookie="%{i,Cookie}" auth="%{i,Authorization}" set-cookie="%{o,Set-Cookie}" location="%{o,Location}"' \
	>"$log" 2>&1 &
pid=$!
make -s build
go run ./benchmarks/real/keycloak -base "http://127.0.0.1:$port" -log "$log" -leakveil bin/leakveil
