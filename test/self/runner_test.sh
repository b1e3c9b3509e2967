#!/bin/sh
# SPDX-License-Identifier: MIT
#
# runner_test.sh RUNNER: tests that must fail, to prove that the runner
# notices each way a test can leave something behind or go wrong.
# shellcheck disable=SC2016 # the scripts are expanded by the test
set -eu

runner=$1
bad=0

# notices PHRASE SCRIPT: the script fails under the runner, with this phrase.
notices() {
	if "$runner" -t 2 sh -c "$2" >"$out" 2>&1; then
		echo "runner did not fail: $2"
	elif ! grep -q "$1" "$out"; then
		echo "runner did not say '$1': $2"
		cat "$out"
	else
		return 0
	fi
	bad=$((bad + 1))
}

# gives STATUS SCRIPT: the script has this status under the runner.
gives() {
	status=0
	"$runner" sh -c "$2" >"$out" 2>&1 || status=$?
	[ "$status" = "$1" ] && return 0
	echo "runner gave $status, not $1: $2"
	bad=$((bad + 1))
}

out=$(mktemp "${TMPDIR:-/tmp}/runner-test.XXXXXX")
trap 'rm -f "$out"' EXIT

gives 0 'true'
gives 0 ': >"$FERRY_REALM/.ferry"'
gives 0 'sleep 0.1 & :'
gives 77 'exit 77'
gives 1 'exit 1'
gives 3 'exit 3'
gives 1 'exit 77 & sleep 30 & exit 77'

notices 'left in its realm: jobs' ': >"$FERRY_REALM/jobs"'
notices 'left in its realm: .unfinished.1' ': >"$FERRY_REALM/.unfinished.1"'
notices 'left in TMPDIR: file' ': >"$TMPDIR/file"'
notices 'left in TMPDIR: sub' 'mkdir "$TMPDIR/sub"'
notices 'left a process: .*(sleep)' 'sleep 30 & :'
notices 'left a process: ' 'setsid sh -c "sleep 30 & sleep 30" & :'
notices 'out of time' 'sleep 30'
notices 'out of time' 'trap "" TERM INT HUP; while :; do :; done'
notices 'ended by a signal: Aborted' 'kill -ABRT $$'
notices 'left in its realm: both' ': >"$FERRY_REALM/both"; exit 77'
if [ "$(id -u)" = 0 ] && unshare -m -i true 2>/dev/null; then
	notices 'left in /dev/shm: ferry-x' ': >/dev/shm/ferry-x'
	if command -v ipcmk >/dev/null; then
		notices 'left a System V queue: ' 'ipcmk -Q >/dev/null'
	fi
fi

# What it killed is dead, and what it found is removed.
sh=$("$runner" -t 1 sh -c 'echo $$; echo "$TMPDIR"; : >"$TMPDIR/x"; sleep 30' \
	2>/dev/null || :)
for word in $sh; do
	case $word in
	/*) [ ! -e "$word" ] ;;
	*) ! kill -0 "$word" 2>/dev/null ;;
	esac || {
		echo "runner left $word"
		bad=$((bad + 1))
	}
done
exit "$bad"
