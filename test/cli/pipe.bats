#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Standard input and output over a connection: all of it, and an honest end.

# shellcheck disable=SC2030,SC2031 # each test is a process, and sets its own

load helper

# listen NAME [OPTION...]: in the background, its output in out, its status in status.
listen() {
	local address=$1
	shift
	{
		ferry pipe -l "$@" "$address" >"$BATS_TEST_TMPDIR/out" \
			2>"$BATS_TEST_TMPDIR/err" 3>&- && s=0 || s=$?
		echo "$s" >"$BATS_TEST_TMPDIR/status"
	} <&0 &
	for _ in $(seq 500); do
		[ ! -S "$FERRY_REALM/.channel.${address#*:}" ] || return 0
		sleep 0.01
	done
	false
}

# The status of what listen() has started, once it is there.
listened() {
	until [ -s "$BATS_TEST_TMPDIR/status" ]; do sleep 0.02; done
	cat "$BATS_TEST_TMPDIR/status"
}

@test "bytes go both ways, and each side hears the end of the other" {
	seq 1 50000 >"$BATS_TEST_TMPDIR/there"
	seq 50000 99999 >"$BATS_TEST_TMPDIR/back"
	listen channel:talk <"$BATS_TEST_TMPDIR/back"
	ferry pipe channel:talk <"$BATS_TEST_TMPDIR/there" >"$BATS_TEST_TMPDIR/got"
	[ "$(listened)" = 0 ]
	cmp "$BATS_TEST_TMPDIR/back" "$BATS_TEST_TMPDIR/got"
	cmp "$BATS_TEST_TMPDIR/there" "$BATS_TEST_TMPDIR/out"
}

@test "a tar archive arrives as it was" {
	tar -cf "$BATS_TEST_TMPDIR/in" -C "$BATS_TEST_DIRNAME/../.." src test
	listen channel:copy -r
	ferry pipe channel:copy <"$BATS_TEST_TMPDIR/in"
	[ "$(listened)" = 0 ]
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "when the sender is killed the receiver writes a whole beginning, and says so" {
	listen channel:cut -r
	mkfifo "$BATS_TEST_TMPDIR/in"
	ferry pipe channel:cut <"$BATS_TEST_TMPDIR/in" 3>&- &
	sender=$!
	exec 4>"$BATS_TEST_TMPDIR/in"
	seq 1 200000 >&4
	until grep -q '^200000$' "$BATS_TEST_TMPDIR/out"; do sleep 0.02; done
	kill -KILL "$sender"
	[ "$(listened)" = 6 ]
	seq 1 200000 | cmp - "$BATS_TEST_TMPDIR/out"
	grep -q 'signal 9\|died' "$BATS_TEST_TMPDIR/err"
	exec 4>&-
}

@test "who comes second leaves the first one waiting for its client" {
	address=unix:$BATS_TEST_TMPDIR/s
	start sh -c "ferry pipe -l -r '$address' >'$BATS_TEST_TMPDIR/out'"
	until_true test -S "$BATS_TEST_TMPDIR/s"
	run ! ferry pipe -l "$address" </dev/null
	[[ $output == *"somebody listens there already"* ]]
	echo hello | ferry pipe "$address"
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = hello ]
}

@test "nobody listens, nobody connects, and messages are no bytes" {
	run -3 ferry pipe channel:nobody </dev/null
	run -124 ferry pipe -l -t 50ms channel:nobody </dev/null
	run -1 ferry pipe -l -n channel:nobody </dev/null
	run -2 ferry pipe
	ferry mk jobs
	run ! ferry pipe jobs </dev/null
}

@test "SIGTERM ends it when the other side has ended its half, and nothing comes here" {
	cd "$BATS_TEST_TMPDIR"
	mkfifo hold
	exec 4<>hold
	start bash -c "exec ferry pipe -l unix:$PWD/s <hold >out 2>err"
	until_true test -S s
	ferry pipe "unix:$PWD/s" <<<bye >/dev/null 3>&- &
	children+=("$!")
	until_true grep -q bye out
	is_ended_by_sigterm
	exec 4>&-
}

@test "SIGTERM ends it quietly while nobody reads its output" {
	cd "$BATS_TEST_TMPDIR"
	mkfifo slow
	exec 4<>slow
	start bash -c "exec ferry pipe -lr unix:$PWD/s >slow 2>err"
	until_true test -S s
	bash -c "exec ferry pipe unix:$PWD/s </dev/zero >/dev/null 2>&1" 3>&- 4>&- &
	children+=("$!")
	head -c 1 <&4 >/dev/null
	is_ended_by_sigterm
	exec 4>&-
}
