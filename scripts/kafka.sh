#!/bin/sh
# Runs one Apache Kafka broker (KRaft) on 127.0.0.1:9092, for trying leakveil out.
# usage: scripts/kafka.sh [--background | --stop]
# Jars and data are kept under .cache/kafka. KAFKA_VERSION and KAFKA_PORT change
# the defaults.
set -eu
cd "$(dirname "$0")/.."

version=${KAFKA_VERSION:-4.3.1}
port=${KAFKA_PORT:-9092}
controller=$((port + 1))
cache=$PWD/.cache/kafka
libs=$cache/$version/libs
data=$cache/data
pid=$cache/broker.pid
flags="-Xms64m -Xmx512m -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn"

say() { echo "kafka: $*" >&2; }

stop() {
	[ -f "$pid" ] || return 0
	id=$(cat "$pid")
	# After a crash the number may be another process's.
	ours=yes
	[ ! -r "/proc/$id/cmdline" ] || grep -qa 'kafka\.Kafka' "/proc/$id/cmdline" || ours=
	if [ -n "$ours" ] && kill "$id" 2>/dev/null; then
		while kill -0 "$id" 2>/dev/null; do sleep 0.2; done
	fi
	rm -f "$pid"
}

need() { # need PROGRAM PACKAGE
	command -v "$1" >/dev/null 2>&1 && return 0
	command -v apt-get >/dev/null 2>&1 || { say "$1 is missing: install it"; exit 1; }
	say "installing $2"
	root=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null 2>&1 || { say "$1 is missing: apt-get install $2"; exit 1; }
		root=sudo
	fi
	$root apt-get update -qq
	$root apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

answers() { # answers PORT: something listens there
	bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null
}

case ${1:-} in
--stop) stop; exit 0 ;;
--background | "") ;;
*) say "usage: scripts/kafka.sh [--background | --stop]"; exit 2 ;;
esac

need java openjdk-17-jre-headless
if [ ! -f "$cache/$version/complete" ]; then
	need mvn maven
	say "fetching Kafka $version from Maven Central"
	mvn -B -q -f deploy/kafka/pom.xml -Dkafka.version="$version" \
		org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$libs"
	touch "$cache/$version/complete"
fi

if answers "$port"; then
	say "port $port is taken: a broker may run already (scripts/kafka.sh --stop)"
	exit 1
fi

mkdir -p "$cache"
cat >"$cache/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=200
broker.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=2097152
log.cleaner.io.buffer.size=65536
PROPERTIES

# shellcheck disable=SC2086 # the flags are words
java $flags -cp "$libs/*" kafka.tools.StorageTool format --ignore-formatted \
	-t 4L6g3nShT-eMCtK--X86sw -c "$cache/server.properties" >/dev/null

if [ "${1:-}" != --background ]; then
	say "broker on 127.0.0.1:$port, data in $data; Ctrl-C ends it"
	# shellcheck disable=SC2086
	exec java $flags -cp "$libs/*" kafka.Kafka "$cache/server.properties"
fi

# shellcheck disable=SC2086
nohup java $flags -cp "$libs/*" kafka.Kafka "$cache/server.properties" >"$cache/broker.log" 2>&1 &
id=$!
echo "$id" >"$pid"
tries=0
until answers "$port"; do
	tries=$((tries + 1))
	if [ "$tries" -gt 300 ] || ! kill -0 "$id" 2>/dev/null; then
		say "the broker did not start; see $cache/broker.log"
		rm -f "$pid"
		exit 1
	fi
	sleep 0.2
done
say "broker on 127.0.0.1:$port, process $id; scripts/kafka.sh --stop ends it"
