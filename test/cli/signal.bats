#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Signals from and to the shell.

load helper

# blocks PID NUMBER: for until_true.
blocks() {
	ferry --json signal -l "$1" |
		jq -es --argjson n "$2" '.[] | select(.number == $n).blocked' \
			>/dev/null
}

@test "kill sends, and ferry receives a line a signal" {
	start ferry recv -C 2 'signal:self?signals=USR1,USR2' \
		>"$BATS_TEST_TMPDIR/out"
	until_true blocks "$child" 12
	kill -USR1 "$child"
	until_true test -s "$BATS_TEST_TMPDIR/out"
	kill -USR2 "$child"
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = \
		"USR1 process pid $$ uid $(id -u)
USR2 process pid $$ uid $(id -u)" ]
}

@test "ferry sends with a value, and the receiver reads it" {
	start ferry recv -C 3 'signal:self?signals=RTMIN+1' \
		>"$BATS_TEST_TMPDIR/out"
	until_true blocks "$child" 35
	ferry send "signal:$child?signal=RTMIN+1" 42
	ferry send "signal:$child?signal=RTMIN+1" -- -7
	ferry send "signal:$child?signal=RTMIN+1" 123456789012
	wait "$child"
	[ "$(cut -d ' ' -f 1,2,7,8 "$BATS_TEST_TMPDIR/out")" = \
		"RTMIN+1 process value 42
RTMIN+1 process value -7
RTMIN+1 process value 123456789012" ]
}

@test "as JSON a signal has its number as the type" {
	start ferry --json recv 'signal:self?signals=USR1' \
		>"$BATS_TEST_TMPDIR/out"
	until_true blocks "$child" 10
	ferry send "signal:$child?signal=USR1" ''
	wait "$child"
	[ "$(jq .type "$BATS_TEST_TMPDIR/out")" = 10 ]
	[ "$(jq -r .data "$BATS_TEST_TMPDIR/out" | cut -d ' ' -f 1,2)" = \
		"USR1 process" ]
}

@test "a shell's trap is reached, by pid and by group" {
	start bash -c 'trap "echo caught; exit" USR1; while :; do sleep 0.05; done' \
		>"$BATS_TEST_TMPDIR/out"
	catches() {
		ferry --json signal -l "$child" |
			jq -es '.[] | select(.name == "USR1").caught' >/dev/null
	}
	until_true catches
	ferry send "signal:$child?signal=USR1" ''
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = caught ]
	start setsid sleep 100
	leads() { [ "$(ps -o pgid= -p "$child" | tr -d ' ')" = "$child" ]; }
	until_true leads
	ferry send "signal:-$child" ''
	run -143 wait "$child"
}

@test "a process is found by its name" {
	start ferry recv process:worker
	until_true ferry who process:worker
	ferry send signal:worker ''
	run -143 wait "$child"
	run -3 ferry send signal:worker ''
}

@test "errors are distinct" {
	run -3 --separate-stderr ferry send signal:4000000 ''
	is_one_error_line
	run -2 --separate-stderr ferry send signal:-1 ''
	is_one_error_line
	run -2 --separate-stderr ferry send 'signal:self?signal=CONT' hello
	is_one_error_line
	run -2 ferry recv signal:self
	run -2 ferry recv 'signal:self?signals=KILL'
	run -2 ferry recv 'signal:self?signals=SEGV'
	run -124 ferry recv -t 30ms 'signal:self?signals=USR1'
}

@test "signal -l lists them, and what a process does with each" {
	run -0 ferry signal -l
	[ "${#lines[@]}" -eq 63 ]
	[[ "$output" == *"9 "*"KILL"*"end"*"no"* ]]
	[[ "$output" == *"RTMIN+1"* ]]
	start bash -c 'trap "" HUP; trap : USR2; kill -STOP $$; sleep 9'
	stopped() { grep -q '^State:.T' "/proc/$child/status"; }
	until_true stopped
	kill -USR2 "$child"
	run -0 ferry --json signal -l "$child"
	[ "$(jq -r 'select(.ignored).name' <<<"$output" | grep -c '^HUP$')" = 1 ]
	[ "$(jq -r 'select(.caught).name' <<<"$output" | grep -c '^USR2$')" = 1 ]
	[ "$(jq -r 'select(.pending).name' <<<"$output")" = USR2 ]
	run -3 ferry signal -l 4000000
	run -2 ferry signal -l none
	run -2 ferry signal
}

@test "a value that is none ends the input there, and what was sent is said" {
	start ferry recv -C 2 'signal:self?signals=USR1' \
		>"$BATS_TEST_TMPDIR/out"
	until_true blocks "$child" 10
	run -2 --separate-stderr ferry send -l "signal:$child?signal=USR1" \
		<<<$'\nnone'
	is_one_error_line
	[[ "$stderr" == *"message 2 of standard input: "*"decimal"*"; 1 were sent before"* ]]
	run -2 --separate-stderr ferry send "signal:$child?signal=USR1" none
	is_one_error_line
	[[ "$stderr" == *"decimal"* ]]
	until_true test -s "$BATS_TEST_TMPDIR/out"
	ferry send "signal:$child?signal=USR1" ''
	wait "$child"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 2 ]
}

@test "with deliberate faults a signal is a line as well" {
	start ferry recv 'fault+signal:self?signals=USR1' >"$BATS_TEST_TMPDIR/out"
	until_true blocks "$child" 10
	ferry send "fault+signal:$child?signal=USR1" ''
	wait "$child"
	[[ "$(cat "$BATS_TEST_TMPDIR/out")" == "USR1 process pid "* ]]
}
