#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check.sh [MODEL]: verify every model beside this file, or one of them.
#
# A model as it is must have no error in all its states.  Broken on purpose, by
# one of its BREAK switches, it must have one: else its properties prove
# nothing.  One line each: states, seconds.  77: spin is not there.
set -eu

models=$(cd "$(dirname "$0")" && pwd)
only=${1:-}
for tool in spin gcc; do
	command -v "$tool" >/dev/null || {
		echo "skipped: the models need $tool (Debian: apt install $tool)"
		exit 77
	}
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0
ran=0

# verify MODEL SWITCH...: the verifier's words in $dir/out; status in $status
verify() {
	status=0
	name=$1
	shift
	(
		cd "$dir"
		rm -f pan* ./*.trail
		spin -a "$@" "$models/$name.pml" &&
			gcc "$speed" -w -DSAFETY -DMEMLIM=4096 -o pan pan.c &&
			nice -n 5 ./pan -m100000 -w24
	) >"$dir/out" 2>&1 || status=$?
}

# What is said of the last run.
states() {
	sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$dir/out"
}

# What makes an answer worthless: the search did not see everything.
incomplete() {
	grep -E 'Search not completed|search depth too small|out of memory|memory limit|truncated' \
		"$dir/out"
}

# report VERDICT MODEL SWITCH...
report() {
	printf '%-9s %-8s %10s states %4d s  %s\n' "$1" "$2" "$(states)" \
		$(($(date +%s) - began)) "$(shift 2 && echo "$*")"
	[ "$1" = ok ] || [ "$1" = caught ] || {
		bad=$((bad + 1))
		cat "$dir/out"
	}
}

# holds MODEL SWITCH...: no error, and every state was seen.
holds() {
	[ -z "$only" ] || [ "$only" = "$1" ] || return 0
	ran=$((ran + 1))
	began=$(date +%s)
	speed=-O2
	verify "$@"
	if [ "$status" = 0 ] && grep -q 'errors: 0$' "$dir/out" &&
		! incomplete >/dev/null; then
		report ok "$@"
	else
		report WRONG "$@"
	fi
}

# broken MODEL SWITCH...: at least one error.
broken() {
	[ -z "$only" ] || [ "$only" = "$1" ] || return 0
	ran=$((ran + 1))
	began=$(date +%s)
	speed=-O1 # the search is short
	verify "$@"
	if grep -qE '^pan:1: (assertion violated|invalid end state)' "$dir/out"; then
		report caught "$@"
	else
		report MISSED "$@"
	fi
}

two_receivers='-DSENDERS=1 -DEACH=2 -DRECEIVERS=2 -DKILLS=1'

holds transfer -DKILLS=2
# shellcheck disable=SC2086 # words
{
	holds transfer $two_receivers
	holds transfer $two_receivers -DCAPACITY=2
	broken transfer $two_receivers -DBREAK_GENERATION
	broken transfer $two_receivers -DBREAK_VERSION
}
broken transfer -DBREAK_PUBLISHED
broken transfer -DBREAK_ANNOUNCE
broken transfer -DBREAK_MARK

holds wake -DKILLS=2
broken wake -DKILLS=1 -DBREAK_TOKEN
broken wake -DKILLS=1 -DBREAK_WORDS
broken wake -DKILLS=1 -DBREAK_EPOCH
broken wake -DKILLS=1 -DBREAK_LOOKED
broken wake -DKILLS=1 -DBREAK_EARLY
broken wake -DKILLS=1 -DBREAK_NET

holds poll -DKILLS=2
holds poll -DRECEIVER=1 -DLOOPS=1
holds poll -DTHREAD=1
holds poll -DTHREAD=1 -DRECEIVER=1 -DLOOPS=1
broken poll -DRECEIVER=1 -DLOOPS=1 -DBREAK_OWN
broken poll -DLOOPS=1 -DBREAK_CLEAR
broken poll -DLOOPS=1 -DBREAK_RAISE
broken poll -DTHREAD=1 -DKILLS=0 -DBREAK_COUNT
broken poll -DLOOPS=1 -DKILLS=2 -DBREAK_LOOKS

holds channel -DROOM=1
holds channel -DROOM=2 -DMESSAGES=5 -DKILLS=2
broken channel -DKILLS=0 -DBREAK_MORE
broken channel -DKILLS=0 -DBREAK_ROOM
broken channel -DKILLS=0 -DBREAK_DRAIN
broken channel -DKILLS=0 -DBREAK_BELL
broken channel -DBREAK_LOOK

holds barrier
holds barrier -DROOM=2
holds barrier -DSENDER=0
holds barrier -DRECEIVER=0
broken barrier -DBREAK_BARRIER
broken barrier -DBREAK_EARLY
broken barrier -DRECEIVER=0 -DBREAK_DECLARE
broken barrier -DSENDER=0 -DBREAK_REGISTER

holds hand -DKILLS=2
broken hand -DKILLS=0 -DBREAK_WITHDRAW
broken hand -DKILLS=0 -DBREAK_TAKE
broken hand -DKILLS=0 -DBREAK_ROOM
broken hand -DKILLS=0 -DBREAK_BELL
holds process -DMESSAGES=3 -DKILLS=2
broken process -DKILLS=0 -DBREAK_SETTLE
broken process -DKILLS=0 -DBREAK_ORDER
broken process -DKILLS=0 -DBREAK_KEEP
holds topic -DKILLS=1
holds topic -DKILLS=1 -DSPARES=1
holds topic -DKILLS=0 -DBLOCKER=1
holds topic -DKILLS=0 -DREADER=1
broken topic -DSPARES=1 -DBREAK_WORD
broken topic -DSPARES=1 -DBREAK_GENERATION
broken topic -DBREAK_CELL
broken topic -DBREAK_COLLECT
broken topic -DKILLS=0 -DREADER=1 -DBREAK_RECHECK
broken topic -DKILLS=0 -DBLOCKER=1 -DBREAK_JOIN
broken topic -DKILLS=0 -DBLOCKER=1 -DBREAK_BEHIND

holds hints -DOLD=1 -DLAPS_ROUND=2
holds hints -DOLD=2 -DLAPS_ROUND=3
holds hints -DOLD=3 -DLAPS_ROUND=2
broken hints -DOLD=1 -DLAPS_ROUND=2 -DBREAK_LAPS
broken hints -DOLD=1 -DLAPS_ROUND=2 -DBREAK_TURN
broken hints -DOLD=3 -DLAPS_ROUND=2 -DBREAK_HEAL

holds joins -DKILLS=1
holds joins -DKILLS=1 -DDESTROY=1
broken joins -DKILLS=1 -DBREAK_JOINS
broken joins -DKILLS=1 -DBREAK_BIT
broken joins -DKILLS=1 -DBREAK_NAMES
broken joins -DKILLS=1 -DDESTROY=1 -DBREAK_TOLD

[ "$ran" -gt 0 ] || {
	echo "there is no model $only"
	exit 1
}
echo "$ran checks, $bad failed"
[ "$bad" = 0 ]
