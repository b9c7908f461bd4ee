#!/usr/bin/env bash
# Runs all tests (no race detector) and prints Go's summary: one line a package,
# and the whole output of what failed.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
go test -count=1 -timeout 25m ./... >"$log" 2>&1
code=$?
if [ $code -ne 0 ]; then
	cat "$log"
else
	grep -E '^(ok|FAIL|---|panic)' "$log"
fi
echo "packages: $(grep -c '^ok' "$log") ok, $(grep -c '^FAIL[[:space:]]' "$log") failed"
exit $code
