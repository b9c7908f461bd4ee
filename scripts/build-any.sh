#!/bin/sh
# Builds bin/leakveil with Hyperscan or Vectorscan, installing what that needs, or,
# where that cannot be had, with the portable engine alone, and says so.
# Usage: build-any.sh FILE; ENGINE=portable asks for no more.
set -eu
cd "$(dirname "$0")/.."

scripts/deps.sh go
if [ "${ENGINE:-}" != portable ] && scripts/deps.sh build && go build -o "$1" ./cmd/leakveil; then
	exit 0
fi
[ "${ENGINE:-}" = portable ] ||
	echo "leakveil: libhs or a C compiler is missing here: building with the portable engine alone, 0.35 to 0.7 as fast, the same findings" >&2
CGO_ENABLED=0 go build -o "$1" ./cmd/leakveil
