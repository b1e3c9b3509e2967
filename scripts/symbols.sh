#!/bin/sh
# SPDX-License-Identifier: MIT
#
# symbols.sh LIBRARY MAP HEADER...: what the library exports, what its map
# lists and what the headers declare FERRY_API are the same names.
set -eu
export LC_ALL=C

lib=$1 map=$2
shift 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

nm -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	sort >"$tmp/library"
sed -n 's/^[[:space:]]*\([a-z_0-9]*\);.*/\1/p' "$map" | sort >"$tmp/map"
"$(dirname "$0")/declared.sh" "$@" >"$tmp/headers"

[ -s "$tmp/headers" ] || {
	echo "symbols: the headers declare nothing"
	exit 1
}
bad=0
for pair in library:map map:library headers:map map:headers; do
	extra=$(comm -23 "$tmp/${pair%:*}" "$tmp/${pair#*:}" | tr '\n' ' ')
	if [ -n "$extra" ]; then
		echo "in the ${pair%:*}, not in the ${pair#*:}: $extra"
		bad=1
	fi
done
exit "$bad"
