#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other. Usage: fuzz.sh 20s
set -euo pipefail
time=${1:-20s}
for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" 2>/dev/null | grep '^Fuzz' || true); do
		echo "== $package $target ($time)"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
	done
done
