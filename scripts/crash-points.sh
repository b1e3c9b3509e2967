#!/bin/sh
# SPDX-License-Identifier: MIT
#
# crash-points.sh [TREE]: the crash points that comments of src/ name, /* P1: */,
# are the rows of doc/crash.md, each with the file that it stands in, and each
# name stands once.
set -eu
export LC_ALL=C
cd "${1:-$(dirname "$0")/..}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
# complain PHRASE: for each point that comes.
complain() {
	while read -r point; do
		echo "crash-points: $point: $*"
		bad=1
	done
}

find src -name '*.[ch]' ! -name '*_test.[ch]' -exec \
	grep -oE '/\* [A-Z][0-9]+:' /dev/null {} + |
	sed 's|^src/\(.*\):/\* \(.*\):$|\2 \1|' | sort >"$tmp/code"
sed -nE 's/^\| ([A-Z][0-9]+) \| `([^`]*)`.*/\1 \2/p' doc/crash.md |
	sort >"$tmp/doc"

comm -23 "$tmp/code" "$tmp/doc" >"$tmp/missing"
comm -13 "$tmp/code" "$tmp/doc" >"$tmp/dead"
cut -d ' ' -f 1 "$tmp/code" | uniq -d >"$tmp/twice"
complain 'has no row in doc/crash.md' <"$tmp/missing"
complain 'has a row, but no comment there' <"$tmp/dead"
complain 'stands twice in src/' <"$tmp/twice"
[ -s "$tmp/code" ] || {
	echo 'crash-points: src/ names none: nothing to compare'
	bad=1
}
exit "$bad"
