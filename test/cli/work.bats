#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `ferry work`: a command for each message, and nothing is lost by any death.

load helper

@test "the message is the command's standard input and its {}" {
	ferry mk jobs
	ferry send jobs 'a  b'
	run -0 ferry work --until-empty jobs -- \
		sh -c 'printf "%s|%s|%s" "$1" "$(cat)" "$#"' sh '<{}>'
	[ "$output" = '<a  b>|a  b|1' ]
}

@test "the environment tells of the message" {
	ferry mk jobs
	ferry send --type 3 jobs x
	run -0 ferry work -C 1 jobs -- sh -c 'echo $FERRY_MAILBOX \
		$FERRY_SEQ $FERRY_ID $FERRY_SENDER_PID $FERRY_SENDER_UID \
		$FERRY_REDELIVERED $FERRY_DELIVERIES $FERRY_TYPE'
	[[ "$output" =~ ^jobs\ [0-9]+\ [0-9]+\ [0-9]+\ $(id -u)\ 0\ 1\ 3$ ]]
}

@test "a message is run once when its command succeeds" {
	ferry mk jobs
	seq 50 | ferry send -l jobs
	ferry work -j 4 --until-empty jobs -- cat >/dev/null
	has jobs queued 0
	has jobs held 0
	has jobs redelivered 0
}

@test "four slots do the work of all messages" {
	ferry mk jobs
	seq 100 | ferry send -l jobs
	ferry work -j 4 --until-empty jobs -- sh -c 'echo $1' sh {} |
		sort -n | cmp - <(seq 100)
}

@test "a message that fails is tried again until it succeeds" {
	ferry mk jobs
	ferry send jobs x
	ferry work --delay 10ms --until-empty jobs -- \
		sh -c 'test $FERRY_DELIVERIES -ge 3 && echo ok $FERRY_REDELIVERED' \
		>"$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "ok 1" ]
}

@test "a command that is killed by a signal has failed" {
	ferry mk jobs
	ferry send jobs x
	ferry work --delay 10ms --until-empty jobs -- \
		sh -c 'test $FERRY_DELIVERIES -ge 2 || kill -9 $$'
	has jobs redelivered 1
}

@test "after the retries the message is a dead letter" {
	ferry mk jobs --dead-letter jobs.dead
	ferry send jobs poison
	run -0 --separate-stderr ferry work --retries 2 --delay 10ms \
		--until-empty jobs -- false
	[[ "$stderr" == *"after 3 deliveries"* ]]
	run -0 ferry recv -n jobs.dead
	[ "$output" = poison ]
}

@test "retries without a dead-letter mailbox are refused" {
	ferry mk jobs
	ferry send jobs x
	run -2 --separate-stderr ferry work --retries 2 jobs -- true
	is_one_error_line
	has jobs queued 1
}

@test "with -C the status of the command is passed through" {
	ferry mk jobs
	ferry send jobs x
	run -7 ferry work -C 1 jobs -- sh -c 'exit 7'
	ferry drain -q jobs
	ferry send jobs x
	run -137 ferry work -C 1 jobs -- sh -c 'kill -9 $$'
}

@test "a command that is not there is status 127 and takes no message" {
	ferry mk jobs
	ferry send jobs x
	run -127 --separate-stderr ferry work jobs -- no-such-command
	is_one_error_line
	run -127 ferry work jobs -- /no/such/file
	run -126 ferry work jobs -- /etc/passwd
	run -0 ferry recv -n --json jobs
	[[ "$output" == *'"redelivered":false'* ]]
}

@test "a command that vanishes in between is 127 and loses nothing" {
	ferry mk jobs
	ferry send jobs x
	run -127 ferry work jobs -- {}-no-such-command
	has jobs held 0
	run -0 ferry recv -n jobs
	[ "$output" = x ]
}

@test "when ferry work is killed its command dies and the message returns" {
	ferry mk jobs
	ferry send jobs precious
	start ferry work jobs -- sh -c 'sleep 600 & echo $! >"$1"; wait' sh \
		"$BATS_TEST_TMPDIR/pid"
	until_true test -s "$BATS_TEST_TMPDIR/pid"
	kill -KILL "$child"
	grandchild=$(cat "$BATS_TEST_TMPDIR/pid")
	gone() {
		! grep -q '^State:.[^ZX]' "/proc/$1/status"
	}
	until_true gone "$grandchild"
	run -0 ferry recv -t 10s --json jobs
	[[ "$output" == *'"redelivered":true'* ]]
}

@test "SIGTERM finishes what runs and takes no more" {
	ferry mk jobs
	seq 3 | ferry send -l jobs
	mkfifo "$BATS_TEST_TMPDIR/go"
	start ferry work jobs -- sh -c 'read -r x <"$1"' sh \
		"$BATS_TEST_TMPDIR/go"
	until_true has jobs held 1
	kill -TERM "$child"
	until_true has jobs waiting nobody
	has jobs held 1
	echo >"$BATS_TEST_TMPDIR/go"
	wait "$child"
	has jobs queued 2
	has jobs held 0
	has jobs redelivered 0
}

@test "a second SIGTERM gives everything back at once" {
	ferry mk jobs
	ferry send jobs precious
	start ferry work -v jobs -- sleep 600 2>"$BATS_TEST_TMPDIR/err"
	until_true has jobs held 1
	kill -TERM "$child"
	until_true grep -q finishing "$BATS_TEST_TMPDIR/err"
	kill -TERM "$child"
	status=0
	wait "$child" || status=$?
	[ "$status" -eq 143 ]
	run -0 ferry recv -n jobs
	[ "$output" = precious ]
}

@test "a message that is no text cannot be {} and is not lost" {
	ferry mk jobs --dead-letter jobs.dead
	printf 'a\0b' | ferry send jobs
	run -126 --separate-stderr ferry work -C 1 --delay 1ms jobs -- echo {}
	[[ "$stderr" == *"not text"* ]]
	run -0 bash -c 'ferry work -C 1 jobs -- cat | od -An -c'
	[[ "$output" == *'a  \0   b'* ]]
}

@test "a command that does not read its input is no problem" {
	ferry mk jobs --max 4M
	head -c 3000000 /dev/zero | ferry send jobs
	run -0 ferry work -C 1 jobs -- true
	has jobs queued 0
}

@test "an idle worker ends with -t, and with -n at once" {
	ferry mk jobs
	run -124 ferry work -t 50ms jobs -- true
	run -1 ferry work -n jobs -- true
	ferry send jobs x
	run -0 ferry work -n jobs -- true
}

@test "the command's options are not ours" {
	ferry mk jobs
	ferry send jobs x
	run -0 ferry work -C 1 jobs echo -n --json -C
	[ "$output" = "--json -C" ]
}

@test "a mailbox that is removed ends its workers with status 3" {
	ferry mk jobs
	start ferry work jobs -- true
	until_true has jobs waiting receivers
	ferry rm jobs
	status=0
	wait "$child" || status=$?
	[ "$status" -eq 3 ]
}
