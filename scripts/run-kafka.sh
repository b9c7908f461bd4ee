#!/bin/sh
# Shows the main job on a real broker: generated logs go to a topic, leakveil run
# masks them, a consumer prints masked records and alerts. Starts a broker on
# 127.0.0.1:9092 unless one runs there, and ends by itself.
# usage: scripts/run-kafka.sh, after make build
set -eu
cd "$(dirname "$0")/.."

port=${KAFKA_PORT:-9092}
broker=127.0.0.1:$port
run=demo-$(date +%s)
dir=$PWD/.cache/run-kafka
started=
leakveil=

say() { echo "run-kafka: $*" >&2; }

finish() { # on every way out
	code=$?
	trap - EXIT
	if [ -n "$leakveil" ]; then
		kill "$leakveil" 2>/dev/null || true
		wait "$leakveil" || { say "leakveil run did not end cleanly, see $dir/leakveil.log"; code=1; }
	fi
	"$dir/kafkademo" clean "$broker" "$run" 2>/dev/null || true
	[ -z "$started" ] || scripts/kafka.sh --stop
	exit "$code"
}

mkdir -p "$dir"
go build -o "$dir/kafkademo" ./benchmarks/kafkademo
trap finish EXIT
trap 'exit 130' INT TERM

if ! bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null; then
	scripts/kafka.sh --background
	started=yes
fi
[ -f "$dir/key.bin" ] || bin/leakveil key new "$dir/key.bin" >/dev/null

cat >"$dir/leakveil.yaml" <<YAML
input:
  kafka: {brokers: ["$broker"], topics: [$run.app-logs], group: $run}
output:
  kafka: {topic: "{topic}.masked"}
alerts:
  kafka: {topic: $run.alerts}
  interval: 5s
dead_letter:
  kafka: {topic: $run.dead-letter}
fingerprint: {key_file: "$dir/key.bin"}
http: {listen: ""}
YAML

"$dir/kafkademo" topics "$broker" "$run"
bin/leakveil run --config "$dir/leakveil.yaml" 2>"$dir/leakveil.log" &
leakveil=$!
"$dir/kafkademo" show "$broker" "$run"
