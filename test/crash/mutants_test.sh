#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mutants_test.sh CRASH-MUTANT: the proof that the auditor can fail.  Each
# mutant of the library (mutant.c) must be caught as what it is, and without
# one the same program must find nothing.
set -eu

crash=$1
out=$(mktemp)
trap 'rm -f "$out"' EXIT
bad=0

# run MUTANT SCENARIO
run() {
	status=0
	FERRY_MUTANT=$1 "$crash" --only "$2" --most 2 --jobs 1 >"$out" ||
		status=$?
}

# caught MUTANT FAULT SCENARIO
caught() {
	run "$1" "$3"
	if [ "$status" = 77 ]; then
		cat "$out"
		exit 77
	fi
	if [ "$status" != 1 ] || ! grep -qF "[$2]" "$out"; then
		echo "the mutant '$1' was not caught as $2:"
		cat "$out"
		bad=1
	fi
}

caught lose lost 'take and release 5000'
caught double after-ack 'take and release 5000'
caught unmark duplicate 'idle owner'
caught leak leak 'take and release 5000'
caught again after-ack 'take and release 5000'
caught damage damaged 'take and release 5000'
caught swap order 'loan and abandon'
caught sleep hang 'idle owner that'

run none 'take and release 5000'
if [ "$status" != 0 ]; then
	echo "without a mutant it fails, too:"
	cat "$out"
	bad=1
fi
exit $bad
