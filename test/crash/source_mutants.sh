#!/bin/bash
# SPDX-License-Identifier: MIT
#
# source_mutants.sh SOURCE-TREE CRASH: small changes to the library that the
# kills must catch.  Each is made in a copy of src/, built, and put in front of
# the library that CRASH was linked with.  A change whose place is no longer
# found is a failure, too: then this file must follow the code.
set -euo pipefail

tree=$1
crash=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

# mutate FILE FROM TO: the text, once, in the copy.
mutate() {
	cp -r "$tree/src" "$tree/include" "$tmp"
	FROM=$2 TO=$3 perl -0pi -e '
		$n = s/\Q$ENV{FROM}\E/$ENV{TO}/; END { exit !$n }' \
		"$tmp/src/$1" || {
		echo "no such place in $1: $2"
		bad=1
		return 1
	}
}

build() {
	local sources
	mapfile -t sources < <(find "$tmp/src" -name '*.c' ! -name '*_test.c')
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -w -fPIC -shared \
		-I"$tmp/src" -I"$tmp/include" "${sources[@]}" -pthread \
		-Wl,-soname,libferry.so.0 -o "$tmp/libferry.so.0"
}

# caught NAME FAULT SCENARIO FILE FROM TO
caught() {
	local status=0
	mutate "$4" "$5" "$6" && build || return 0
	LD_LIBRARY_PATH=$tmp "$crash" --only "$3" --most 60 >"$tmp/out" \
		2>"$tmp/err" || status=$?
	if [ "$status" = 77 ]; then
		cat "$tmp/out"
		exit 77
	fi
	if [ "$status" = 1 ] && grep -qE "\[($2)\]" "$tmp/out"; then
		echo "caught: $1 ($(grep -oE "\[($2)\].*" "$tmp/out" |
			head -n 1))"
	else
		echo "not caught as $2: $1"
		tail -n 5 "$tmp/out"
		bad=1
	fi
}

caught 'no thread has a token that rings at its death' hang \
	'idle owner' realm/lease.c \
	'ferryi_token_arm(&r->registry.control->death);' ';'

caught 'repair frees a loan without a look into the ring' lost \
	'send to an empty' shm/recover.c \
	'is_published(q, index, word) ?' '0 ?'

caught 'repair does not announce what it returned' 'hang|lost' \
	'idle owner' shm/recover.c 'if (returned)' 'if (0)'

caught 'repair forgets how often a message was delivered' duplicate \
	'idle owner' shm/recover.c 'ferryi_word_deliveries(word));' '0);'

caught 'repair leaves what the dead held' 'hang|lost|leak' \
	'idle owner' shm/recover.c \
	'(state != FERRYI_LOAN && state != FERRYI_HELD)' \
	'(state != FERRYI_LOAN)'

exit $bad
