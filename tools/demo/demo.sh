#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh [DIR]: the whole of Ferry in one job, on real files.
#
# Every file of DIR (by default the C headers and manual pages of this machine)
# goes through a mailbox to four worker processes that count lines, words and
# bytes.  On the way one worker that holds a file and then the sender are
# killed with SIGKILL; another sender goes on.  The totals must equal those of
# one plain wc run: status 0 if they do, 1 if not.
#
# Needs `ferry` and `ferry-demo` on the PATH.  For tests:
#   DEMO_SEED=N     kill at random moments, wherever the victims are
#   DEMO_SECONDS=S  about how long the work is stretched (3)
set -eu
export LC_ALL=C

seconds=${DEMO_SECONDS:-3}
seed=${DEMO_SEED:-}
work=
pids=

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# Everything this script has made goes, however it ends.
clean_up() {
	for pid in $pids; do
		kill -KILL "$pid" 2>/dev/null || :
	done
	wait 2>/dev/null || :
	if [ -n "$work" ]; then
		rm -rf "$work" "$FERRY_REALM"
	fi
}

make_places() {
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	work=$(mktemp -d "${TMPDIR:-/tmp}/ferry-demo.XXXXXX")
	if [ -d /dev/shm ] && [ -w /dev/shm ]; then
		FERRY_REALM=$(mktemp -d /dev/shm/ferry-demo.XXXXXX)
	else
		FERRY_REALM=$work/realm
		mkdir -m 700 "$FERRY_REALM"
	fi
	export FERRY_REALM
}

# The list of files, names that end with NUL, in a fixed order.
find_files() {
	if [ $# -gt 0 ]; then
		[ -d "$1" ] || die "$1: no such directory"
		find "$1" -type f -readable -print0 | sort -z >"$work/list"
		return
	fi
	set --
	for dir in /usr/include /usr/share/man; do
		[ -d "$dir" ] && set -- "$@" "$dir"
	done
	[ $# -eq 0 ] || find "$@" -type f -readable -print0 |
		sort -z | head -z -n 20000 >"$work/list"
	# A machine without headers and manual pages has this much.
	if [ ! -s "$work/list" ]; then
		find /usr/share /etc -xdev -type f -readable -print0 \
			2>/dev/null | sort -z | head -z -n 5000 >"$work/list"
	fi
}

largest_file() {
	xargs -0 -r stat -c %s -- <"$work/list" | sort -n | tail -n 1
}

results_taken() {
	ferry stat results | awk '$1 == "taken" { print $2 }'
}

# wait_for_results N: until the collector has seen N of them, or has ended.
wait_for_results() {
	while [ "$(results_taken)" -lt "$1" ] && kill -0 "$collector"; do
		sleep 0.02
	done 2>/dev/null
}

start_sender() {
	ferry-demo send jobs "$work/list" "$work/journal" &
	sender=$!
	pids="$pids $sender"
}

start_all() {
	ferry-demo collect results "$files" >"$work/totals" &
	collector=$!
	pids="$pids $collector"
	workers=
	for _ in 1 2 3 4; do
		ferry-demo count jobs results "$pause" "$control" "$high" &
		workers="$workers $!"
		pids="$pids $!"
	done
	start_sender
}

# holds PID: does `ferry who` say that it holds a message?
holds() {
	ferry who --json jobs | grep -q "\"pid\":$1,.*\"holds\":[1-9]"
}

# Stop a worker at a moment when it holds a file: what is then killed has
# really been in the middle of its work.
catch_worker() {
	tries=0
	while [ "$tries" -lt 100 ] && kill -0 "$collector" 2>/dev/null; do
		for victim in $workers; do
			kill -STOP "$victim"
			holds "$victim" && return 0
			kill -CONT "$victim"
		done
		tries=$((tries + 1))
	done
	return 1
}

show() {
	say "\$ ferry ls"
	ferry ls
	say "\$ ferry who jobs"
	ferry who jobs || :
}

# bury PID: SIGKILL, and wait until it is really gone.
bury() {
	kill -KILL "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}

kill_on_stage() {
	wait_for_results $((files / 8))
	if catch_worker; then
		say "-- worker $victim holds a file:"
		show
		say "-- kill -9 $victim"
		bury "$victim"
	else
		say "-- too few files to catch a worker with one"
	fi
	wait_for_results $((files / 3))
	if kill -0 "$sender" 2>/dev/null; then
		say "-- kill -9 $sender, the sender"
		bury "$sender"
	fi
	show
	start_sender
	say "-- sender $sender goes on where the dead one was"
}

# Two moments, in thousandths of the work, and the worker to be killed.
kill_at_random() {
	# shellcheck disable=SC2046,SC2086
	set -- $(awk -v s="$seed" 'BEGIN { srand(s)
		print int(rand() * 900), int(rand() * 900), 1 + int(rand() * 4)
	}') $workers
	first=$1 second=$2
	shift $((1 + $3))
	victim=$2
	say "seed $seed: worker $victim at $first/1000, sender at $second/1000"
	if [ "$first" -le "$second" ]; then
		wait_for_results $((files * first / 1000))
		bury "$victim"
	fi
	wait_for_results $((files * second / 1000))
	bury "$sender"
	start_sender
	if [ "$first" -gt "$second" ]; then
		wait_for_results $((files * first / 1000))
		bury "$victim"
	fi
}

finish() {
	wait "$collector" || die "the collector failed"
	wait "$sender" || die "the sender failed"
	for pid in $workers; do
		kill -TERM "$pid" 2>/dev/null || :
	done
	for pid in $workers; do
		wait "$pid" || [ "$pid" = "$victim" ] || die "a worker failed"
	done
	pids=
}

compare() {
	wc --files0-from="$work/list" >"$work/wc" || die "wc failed"
	# shellcheck disable=SC2046
	set -- $(tail -n 1 "$work/wc") && wc_totals="$1 $2 $3"
	read -r n lines words bytes redelivered duplicates <"$work/totals"
	say
	printf '%-8s %12s %12s %12s\n' '' lines words bytes
	printf '%-8s %12s %12s %12s\n' ferry "$lines" "$words" "$bytes"
	# shellcheck disable=SC2086
	printf '%-8s %12s %12s %12s\n' wc $wc_totals
	say
	say "$n files, $redelivered redelivered, $duplicates duplicates dropped"
	if [ "$lines $words $bytes" != "$wc_totals" ]; then
		say "NOT EQUAL (did a file change in between?)"
		exit 1
	fi
	say "equal"
}

main() {
	for tool in ferry ferry-demo find sort wc awk; do
		command -v "$tool" >/dev/null || die "$tool is not on the PATH"
	done
	make_places
	find_files "$@"
	files=$(tr -cd '\0' <"$work/list" | wc -c)
	[ "$files" -gt 0 ] || die "there is no file to count"
	max=$(($(largest_file) + 4096))
	capacity=$((files / 16 + 4))
	[ "$capacity" -le 64 ] || capacity=64
	pause=$(awk -v n="$files" -v s="$seconds" 'BEGIN {
		p = 4e6 * s / n; if (p > 2e5) p = 2e5; print int(p) }')
	control=$(printf '\001' | wc -w)
	high=$(printf '\351' | wc -w)
	say "$files files, four workers, one mailbox; look on from elsewhere:"
	say "  FERRY_REALM=$FERRY_REALM ferry ls"
	ferry mk jobs --capacity "$capacity" --max "$max"
	ferry mk results --capacity 256 --max 64
	victim=
	start_all
	if [ -n "$seed" ]; then
		kill_at_random
	else
		kill_on_stage
	fi
	finish
	compare
}

main "$@"
