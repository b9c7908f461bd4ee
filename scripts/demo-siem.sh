#!/bin/sh
# Shows what a SOC sees: leakveil run with generated logs over OTLP, a real
# OpenSearch that its alerts go to, and an analyst's questions with their answers.
# Everything listens on 127.0.0.1, and goes on until Ctrl-C, which removes it.
# usage: scripts/demo-siem.sh [--once], after make build; --once ends by itself
# DEMO_SEARCH_PORT (9200), DEMO_OTLP_PORT (4318) and DEMO_HTTP_PORT (9464) change the
# ports. OpenSearch (55 MB) is fetched from Maven Central into .cache/ once.
set -eu
cd "$(dirname "$0")/.."

version=2.19.4
search=${DEMO_SEARCH_PORT:-9200} otlp=${DEMO_OTLP_PORT:-4318} http=${DEMO_HTTP_PORT:-9464}
cache=$PWD/.cache/opensearch
bold= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
dir= server= leakveil= feed=
case ${1:-} in "" | --once) ;; *) sed -n '2,8s/^# //p' "$0" >&2; exit 2 ;; esac

say() { printf 'demo-siem: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
answers() { bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null; }

finish() { # on every way out
	code=$?
	trap - EXIT INT TERM
	for id in $feed $leakveil $server; do kill "$id" 2>/dev/null || true; done
	for id in $feed $leakveil $server; do wait "$id" 2>/dev/null || true; done
	[ -z "$dir" ] || rm -rf "$dir"
	exit "$code"
}
trap finish EXIT
trap 'say stopping; exit 0' INT TERM

for port in "$search" "$otlp" "$http"; do
	! answers "$port" || die "port $port is taken; set DEMO_SEARCH_PORT, DEMO_OTLP_PORT and DEMO_HTTP_PORT to free ones"
done
java=
for home in /usr/lib/jvm/*17* /usr/lib/jvm/*21* "${JAVA_HOME:-/nowhere}"; do
	if [ -x "$home/bin/java" ] && "$home/bin/java" -version 2>&1 | grep -qE '"(17|21)\.'; then java=$home; break; fi
done
[ -n "$java" ] || die "OpenSearch 2 needs Java 17 or 21: apt-get install openjdk-17-jre-headless"

fetch() {
	[ ! -f "$cache/$version.complete" ] || return 0
	say "fetching OpenSearch $version from Maven Central (55 MB, once)"
	mkdir -p "$cache"
	(cd "$cache" && exec mvn -q -B -ntp org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack "-DoutputDirectory=$cache" \
		"-Dartifact=org.opensearch.distribution.integ-test-zip:opensearch:$version:zip") >"$cache/fetch.log" 2>&1 & # it leaves marks where it runs
	id=$!
	while kill -0 "$id" 2>/dev/null; do printf '.' >&2; sleep 1; done
	printf '\n' >&2
	wait "$id" || die "it could not be fetched; see $cache/fetch.log"
	touch "$cache/$version.complete"
}

# OpenSearch does not run as root, and a demo leaves nothing behind: it runs in a
# folder of its own, as nobody where it must.
start_search() {
	cp -R "$cache/opensearch-$version" "$dir/opensearch"
	chmod +x "$dir"/opensearch/bin/*
	mkdir "$dir/opensearch/tmp"
	cat >"$dir/opensearch/config/opensearch.yml" <<YAML
cluster.name: leakveil-demo
network.host: 127.0.0.1
http.port: $search
transport.port: $((search + 100))
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
action.auto_create_index: "+logs-leakveil.*,-*"
YAML
	run=
	if [ "$(id -u)" = 0 ]; then
		chown -R 65534:65534 "$dir/opensearch"
		run="setpriv --reuid 65534 --regid 65534 --clear-groups"
	fi
	(cd "$dir/opensearch" && exec env -i PATH="$PATH" OPENSEARCH_JAVA_HOME="$java" OPENSEARCH_TMPDIR="$dir/opensearch/tmp" \
		OPENSEARCH_JAVA_OPTS="-Xms256m -Xmx256m" $run ./bin/opensearch) >"$dir/opensearch.log" 2>&1 &
	server=$!
	await "$server" "$dir/opensearch.log" curl -sf -o /dev/null "http://127.0.0.1:$search/_cluster/health"
}

start_leakveil() {
	bin/leakveil key new "$dir/key.bin" >/dev/null
	cat >"$dir/leakveil.yaml" <<YAML
input:
  otlp: {enabled: true, grpc: "", http: "127.0.0.1:$otlp"}
output:
  file: {path: "$dir/masked.ndjson"}
alerts:
  file: {path: "$dir/alerts.ndjson"}
  store: {path: "$dir/alerts.db"}
  interval: 2s
  sinks:
    - {name: siem, type: elasticsearch, url: "http://127.0.0.1:$search", install_template: true, every_state: true}
fingerprint: {key_file: "$dir/key.bin"}
http: {listen: "127.0.0.1:$http"}
YAML
	bin/leakveil run --config "$dir/leakveil.yaml" 2>"$dir/leakveil.log" &
	leakveil=$!
	await "$leakveil" "$dir/leakveil.log" curl -sf -o /dev/null "http://127.0.0.1:$http/readyz"
}

await() { # await PID LOG COMMAND…: until the command succeeds, or the process has ended
	id=$1 log=$2
	shift 2
	until "$@" 2>/dev/null; do
		kill -0 "$id" 2>/dev/null || { tail -n 20 "$log" >&2; die "it has ended; see above"; }
		printf '.' >&2
		sleep 0.5
	done
	printf ' ready\n' >&2
}

count() { curl -s "http://127.0.0.1:$search/logs-leakveil.alert-*/_count" | jq -r '.count // 0'; }

# settle waits until the index has alerts and gets no more for two looks.
settle() {
	before=-1 now=0
	until [ "$now" -gt 0 ] && [ "$now" = "$before" ]; do
		before=$now
		sleep 3
		now=$(count)
		say "documents in the index: $now"
		kill -0 "$leakveil" 2>/dev/null || { tail -n 20 "$dir/leakveil.log" >&2; die "leakveil has ended; see above"; }
	done
}

ask() { # ask QUESTION COMMAND…: the command as one would type it, and its answer
	[ -z "$1" ] || printf '\n%s%s%s\n' "$bold" "$1" "$plain"
	printf '$ %s\n' "$(echo "$2" | sed "s|$dir|\$DEMO|g")"
	sh -c "$2"
}

fetch
dir=$(mktemp -d "${TMPDIR:-/tmp}/leakveil-demo-siem.XXXXXX")
chmod 755 "$dir"
go build -o "$dir/siemdemo" ./benchmarks/siemdemo
say "starting OpenSearch $version on 127.0.0.1:$search"
start_search
say "starting leakveil run, OTLP on 127.0.0.1:$otlp"
start_leakveil
say "eight hours of logs of seven services go through it"
"$dir/siemdemo" -url "http://127.0.0.1:$otlp" -value "$dir/value.txt" -once >&2
settle

export SEARCH_URL="http://127.0.0.1:$search" SINCE=now-1d
a=deploy/siem/opensearch/ask.sh
[ "$(jq -r '.. | .stringValue? // empty' "$dir/masked.ndjson" | grep -c 'REDACTED[.]')" -gt 0 ] || die "nothing was masked"
printf '\n%sWhat leaves leakveil (DEMO=%s)%s\n' "$bold" "$dir" "$plain"
jq -r '.. | .stringValue? // empty' "$dir/masked.ndjson" | grep 'REDACTED[.]' | cut -c1-200 | sed -n '1~97p' | head -4
ask "Which clients leaked in the last day: what, since when, from which service?" "$a clients-today"
ask "And what leaked whose client nobody knows?" "$a clients-unknown"
print=$(bin/leakveil fingerprint --key-file "$dir/key.bin" <"$dir/value.txt" | cut -d' ' -f2)
ask "Somebody sends us a token, in value.txt: is it a leaked one?" "bin/leakveil fingerprint --key-file $dir/key.bin < $dir/value.txt"
ask "" "$a value $print"
ask "What do I call to revoke what web-shop leaked?" "$a revoke web-shop"
ask "web-shop was mended four hours ago: did the leak stop?" "$a stopped web-shop"
ask "And that of spa-bank?" "$a stopped spa-bank"
ask "The same without a SIEM, from leakveil's own database while it runs" "bin/leakveil clients --store $dir/alerts.db --since 24h"
ask "" "bin/leakveil clients --store $dir/alerts.db --client web-shop --system keycloak | head -8"

cat <<TEXT

OpenSearch          http://127.0.0.1:$search (index logs-leakveil.alert-default)
questions           SEARCH_URL=$SEARCH_URL SINCE=now-1d $a
OTLP over HTTP      http://127.0.0.1:$otlp/v1/logs
metrics, health     http://127.0.0.1:$http/metrics, /readyz
masked records      $dir/masked.ndjson
configuration, log  $dir/leakveil.yaml, $dir/leakveil.log
key, value          $dir/key.bin, $dir/value.txt
TEXT
[ "${1:-}" != --once ] || exit 0
echo "Logs go on coming, 100 records a second. Ctrl-C ends everything and removes it."
"$dir/siemdemo" -url "http://127.0.0.1:$otlp" -past 0 >/dev/null &
feed=$!
while kill -0 "$server" 2>/dev/null && kill -0 "$leakveil" 2>/dev/null && kill -0 "$feed" 2>/dev/null; do sleep 1; done
tail -n 5 "$dir/leakveil.log" "$dir/opensearch.log" >&2
die "something has ended by itself"
