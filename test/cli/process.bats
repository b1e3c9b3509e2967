#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Processes with names: who sends, who has a name, and what the dead leave.

load helper

# Receive as logger in the background, into $BATS_TEST_TMPDIR/log.
start_logger() {
	start sh -c 'exec ferry recv "$@" >"$0"' "$BATS_TEST_TMPDIR/log" \
		process:logger "$@"
	until_true ferry who process:logger
}

logged() {
	grep -qx "$1" "$BATS_TEST_TMPDIR/log"
}

@test "a message goes to the process that has the name" {
	start_logger -f -l
	ferry send process:logger rotate
	until_true logged rotate
	printf 'one\ntwo\n' | ferry send -l process:logger
	until_true logged two
}

@test "nobody has the name: status 3" {
	run -3 --separate-stderr ferry send process:nobody x
	is_one_error_line
	[[ "$stderr" == *"no process has the name nobody"* ]]
}

@test "the sender is named, though it has ended" {
	start_logger --json
	ferry send --as app process:logger hello
	until_true test -s "$BATS_TEST_TMPDIR/log"
	run -0 cat "$BATS_TEST_TMPDIR/log"
	[[ "$output" == *'"from":"process:app"'* ]]
	[[ "$output" == *'"data":"hello"'* ]]
}

@test "--from leaves what others send" {
	start_logger -l --from app
	ferry send process:logger mine
	ferry send --as other process:logger its
	ferry send --as app process:logger hello
	wait "$child"
	run -0 cat "$BATS_TEST_TMPDIR/log"
	[ "$output" = hello ]
}

@test "a name is had by one, and who it is can be asked" {
	start_logger -f -l
	run -1 --separate-stderr ferry recv -n process:logger
	is_one_error_line
	[[ "$stderr" == *"pid $child "* ]]
	run -0 ferry who --json process:logger
	[[ "$output" == *"\"pid\":$child,"* ]]
	[[ "$output" == *'"since":'* ]]
	run -3 ferry who process:nobody
}

@test "who is connected there is told" {
	start_logger -f -l
	mkfifo "$BATS_TEST_TMPDIR/in"
	start sh -c 'exec ferry send -l process:logger <"$0"' \
		"$BATS_TEST_TMPDIR/in"
	exec 4>"$BATS_TEST_TMPDIR/in"
	echo line >&4
	until_true logged line
	run -0 ferry who --json process:logger
	[ "${#lines[@]}" -eq 2 ]
	[[ "${lines[1]}" == *"\"pid\":$child,"* ]]
	exec 4>&-
}

@test "ls shows it, rm leaves it alone while it lives" {
	start_logger -f -l
	run -0 ferry ls
	[[ "$output" == *"process:logger"*live* ]]
	run -0 ferry ls --names
	[ "$output" = process:logger ]
	run -0 ferry stat process:logger
	[[ "$output" == *process* ]]
	run -1 --separate-stderr ferry rm process:logger
	is_one_error_line
	[[ "$stderr" == *"pid $child "* ]]
	ferry send process:logger still
	until_true logged still
}

@test "what a killed one leaves is abandoned, and removed or taken over" {
	start_logger -f -l
	kill -KILL "$child"
	wait "$child" || true
	run -0 ferry ls
	[ -z "$output" ]
	run -0 ferry ls --all
	[[ "$output" == *"process:logger"*abandoned* ]]
	run -3 ferry send process:logger x
	run -0 ferry gc
	[[ "$output" == *.process.logger* ]]
	ferry gc --apply
	[ ! -e "$FERRY_REALM/.process.logger" ]
	start_logger -f -l
	kill -KILL "$child"
	wait "$child" || true
	ferry rm process:logger
	[ ! -e "$FERRY_REALM/.process.logger" ]
	run -3 ferry rm process:logger
	start_logger -f -l
	kill -KILL "$child"
	wait "$child" || true
	start_logger -f -l
	ferry send process:logger again
	until_true logged again
}

@test "what cannot be written and not be given back is told" {
	start sh -c 'ferry recv process:rvp >/dev/full 2>"$1"' - "$BATS_TEST_TMPDIR/err"
	until_true ferry send process:rvp hello
	status=0
	wait "$child" || status=$?
	[ "$status" -eq 5 ]
	grep 'a message of 5 bytes had been taken .*: it is lost' "$BATS_TEST_TMPDIR/err"
	grep 'standard output: ' "$BATS_TEST_TMPDIR/err"
	ferry mk jobs
	ferry send jobs hello
	run -5 --separate-stderr sh -c 'ferry recv jobs >/dev/full'
	is_one_error_line
}
