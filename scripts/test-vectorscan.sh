#!/bin/sh
# Runs the tests of the engine with Vectorscan in Hyperscan's place. Their packages
# conflict, so Vectorscan's is unpacked in a folder of its own, not installed.
# Usage: scripts/test-vectorscan.sh (Debian, Ubuntu; make test-long runs it)
set -eu
cd "$(dirname "$0")/.."

dir=$PWD/.cache/vectorscan
if [ ! -d "$dir/root" ]; then
	command -v apt-get >/dev/null || { echo "test-vectorscan: needs apt-get to fetch libvectorscan5; left out" >&2; exit 0; }
	mkdir -p "$dir"
	(cd "$dir" && apt-get download -q libvectorscan5 && dpkg -x libvectorscan5_*.deb root.new && mv root.new root)
fi
lib=$(dirname "$(find "$dir/root" -name 'libhs.so.5' | head -1)")
mkdir -p "$dir/bin"
go test -c -o "$dir/bin/detect.test" ./detect
go build -o "$dir/bin/leakveil" ./cmd/leakveil
export LD_LIBRARY_PATH="$lib"
ldd "$dir/bin/detect.test" | grep -q "$dir" || { echo "test-vectorscan: the tests would not use Vectorscan" >&2; exit 1; }
"$dir/bin/leakveil" version
(cd detect && "$dir/bin/detect.test")
"$dir/bin/leakveil" rules check
