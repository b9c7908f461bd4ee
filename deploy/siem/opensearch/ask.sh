#!/bin/sh
# Asks the alerts' index one of the questions in queries/ and prints a table.
#   ask.sh clients-today                     which clients leaked, what, since when, from where
#   ask.sh clients-unknown                   what leaked whose client is not known
#   ask.sh value FINGERPRINT                 the alerts with a fingerprint (leakveil fingerprint)
#   ask.sh revoke CLIENT                     what to revoke for a client, and where
#   ask.sh stopped CLIENT [INTERVAL]         when the client's leaks were last seen; INTERVAL as 1h
# SEARCH_URL is the server (http://127.0.0.1:9200), SINCE the beginning (now/d: today,
# UTC), SEARCH_CURL a file of curl's options (user, cacert). Needs curl and jq.
set -eu
usage() { sed -n '2,9s/^# //p' "$0" >&2; exit 2; }
[ $# -ge 1 ] || usage
here=$(dirname "$0")/queries
question=$1; shift
[ -f "$here/$question.json" ] || usage
case $question in
value) [ $# = 1 ] || usage; fingerprint=$1 ;;
revoke) [ $# = 1 ] || usage; client=$1 ;;
stopped) [ $# = 1 ] || [ $# = 2 ] || usage; client=$1; interval=${2:-1h} ;;
esac
# What is put in is put in by jq, as a string of JSON and nothing else.
answer=$(jq -c --arg since "${SINCE:-now/d}" --arg client "${client:-}" --arg fingerprint "${fingerprint:-}" --arg interval "${interval:-}" \
	'walk(if . == "SINCE" then $since elif . == "CLIENT" then $client elif . == "FINGERPRINT" then $fingerprint elif . == "INTERVAL" then $interval else . end)' \
	"$here/$question.json" |
	curl -sS --fail-with-body ${SEARCH_CURL:+-K "$SEARCH_CURL"} -H 'Content-Type: application/json' --data-binary @- \
		"${SEARCH_URL:-http://127.0.0.1:9200}/logs-leakveil.alert-*/_search")
printf %s "$answer" | jq -r -f "$here/$question.jq" | if command -v column >/dev/null; then column -t -s "$(printf '\t')"; else cat; fi
