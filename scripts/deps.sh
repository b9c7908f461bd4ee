#!/usr/bin/env bash
# Installs what building (and, with "java", the Kafka broker of the tests) needs,
# or says in one sentence what to install. Usage: deps.sh go|build [java] [backends] [demo] [node]
set -euo pipefail

go_wanted=1.26

die() { echo "leakveil: $*" >&2; exit 1; }

need_go() {
	command -v go >/dev/null || die "Go is missing: install Go $go_wanted or newer from https://go.dev/dl/"
	local have
	have=$(go env GOVERSION 2>/dev/null | sed 's/^go//') && [ -n "$have" ] ||
		die "Go does not run (try: go version): install Go $go_wanted or newer from https://go.dev/dl/"
	[ "$(printf '%s\n%s\n' "$go_wanted" "$have" | sort -V | head -1)" = "$go_wanted" ] ||
		die "Go $have is too old: install Go $go_wanted or newer from https://go.dev/dl/"
}

install() {
	local packages=("$@") as_root=()
	command -v apt-get >/dev/null || die "please install: ${packages[*]} (names as in Debian)"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "please install as root: apt-get install ${packages[*]}"
		as_root=(sudo)
	fi
	echo "leakveil: installing ${packages[*]}" >&2
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" >/dev/null 2>&1 ||
		{ "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" >/dev/null; } ||
		die "could not install ${packages[*]}; install them by hand and try again"
}

for what in "$@"; do
	missing=()
	case $what in
	go) need_go ;;
	build)
		need_go
		command -v cc >/dev/null || missing+=(gcc libc6-dev)
		command -v pkg-config >/dev/null || missing+=(pkg-config)
		if ! pkg-config --exists libhs 2>/dev/null; then
			case $(uname -s)-$(uname -m) in
			Linux-x86_64) missing+=(libhyperscan-dev) ;;
			Linux-*) missing+=(libvectorscan-dev) ;;
			*) die "libhs is missing: install Vectorscan (macOS: brew install vectorscan pkg-config)" ;;
			esac
		fi
		;;
	java)
		command -v java >/dev/null && java -version 2>&1 | grep -qE 'version "(1[7-9]|[2-9][0-9])' || missing+=(openjdk-17-jre-headless)
		command -v mvn >/dev/null || missing+=(maven)
		;;
	backends) # what fetches and starts the receivers of the sinks' tests
		python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
		command -v unshare >/dev/null || missing+=(util-linux)
		command -v curl >/dev/null || missing+=(curl)
		command -v jq >/dev/null || missing+=(jq)
		;;
	demo)
		command -v curl >/dev/null || missing+=(curl)
		command -v jq >/dev/null || missing+=(jq)
		;;
	node) # readers of KQL and of Grafana's dashboards in the long tests
		command -v node >/dev/null || missing+=(nodejs)
		command -v npm >/dev/null || missing+=(npm)
		;;
	*) die "deps.sh: unknown part $what" ;;
	esac
	[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
done
