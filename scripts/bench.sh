#!/usr/bin/env bash
# Go benchmarks, then whole-process figures: leakveil redact against ripgrep and
# against the raw engine, on generated corpora, and the table of all speeds that are
# wanted, with every answer checked. Results
# go to benchmarks/results. Arguments go to the throughput tool (see its -h).
set -euo pipefail
cd "$(dirname "$0")/.."
command -v rg >/dev/null || { echo "bench: ripgrep is missing: apt-get install ripgrep" >&2; exit 1; }
go test -run '^$' -bench . -benchtime 1s ./detect ./redact ./internal/...
go run ./benchmarks/throughput -check -results benchmarks/results "$@"
go run ./benchmarks/speed -results benchmarks/results
