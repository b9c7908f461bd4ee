#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, until each has had its
# share of the given processor time. What is done is noted in .fuzz/: a run that was
# broken off goes on where it stopped, and .fuzz/ removed begins anew. NOTES names
# another folder for it.
# Usage: fuzz.sh CPU-SECONDS-IN-ALL [PATTERN-OF-TARGETS]
set -euo pipefail
cd "$(dirname "$0")/.."
total=${1:-7200}
pattern=${2:-.}
slice=60 # seconds of one go test run: what an interruption can lose
notes=${NOTES:-.fuzz}
mkdir -p "$notes"

targets=()
while read -r package; do
	while read -r target; do
		targets+=("$package $target")
	done < <(go test -list '^Fuzz' "$package" 2>/dev/null | grep '^Fuzz' | grep -E "$pattern" || true)
done < <(go list ./...)
[ ${#targets[@]} -gt 0 ] || { echo "fuzz: no target is called $pattern" >&2; exit 2; }
share=$((total / ${#targets[@]}))
workers=$(nproc)

for each in "${targets[@]}"; do
	read -r package target <<<"$each"
	note="$notes/${package//\//_}.$target"
	done=$(cat "$note" 2>/dev/null || echo 0)
	while [ "$done" -lt "$share" ]; do
		left=$(((share - done + workers - 1) / workers))
		now=$((left < slice ? left : slice))
		echo "== $package $target: $done of $share CPU seconds done"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${now}s" -parallel "$workers" "$package"
		done=$((done + now * workers))
		echo "$done" >"$note"
	done
done
echo "fuzz: ${#targets[@]} targets, $share CPU seconds each, 0 failures"
