#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# FIFOs and inherited pipes, with Ferry on one side and the shell on the other.

load helper

is_fifo() {
	[ -p "$1" ]
}

# serve ADDRESS ANSWER: one client, in the background; what it says is in asked.
serve() {
	{
		ferry pipe -l "$1" <<<"$2" >"$BATS_TEST_TMPDIR/asked" 3>&-
	} &
	child=$!
	children+=("$child")
}

@test "a shell writes, and ferry receives a message a line to the end" {
	start ferry recv -f -l "fifo:$BATS_TEST_TMPDIR/f?framing=line" \
		>"$BATS_TEST_TMPDIR/out"
	until_true is_fifo "$BATS_TEST_TMPDIR/f"
	printf 'one\ntwo\nthree\n' >"$BATS_TEST_TMPDIR/f"
	wait "$child"
	printf 'one\ntwo\nthree\n' | cmp - "$BATS_TEST_TMPDIR/out"
	[ ! -e "$BATS_TEST_TMPDIR/f" ]
}

@test "ferry sends, and cat reads from what mkfifo made" {
	mkfifo "$BATS_TEST_TMPDIR/f"
	start cat "$BATS_TEST_TMPDIR/f" >"$BATS_TEST_TMPDIR/out"
	seq 1 2000 | ferry send -l "fifo:$BATS_TEST_TMPDIR/f?framing=line"
	wait "$child"
	seq 1 2000 | cmp - "$BATS_TEST_TMPDIR/out"
	[ -p "$BATS_TEST_TMPDIR/f" ]
	ferry rm "fifo:$BATS_TEST_TMPDIR/f"
	[ ! -e "$BATS_TEST_TMPDIR/f" ]
}

@test "of bytes the options say what a message is, and without one it is asked for" {
	start ferry recv -f -l "fifo:$BATS_TEST_TMPDIR/f" >"$BATS_TEST_TMPDIR/out"
	until_true is_fifo "$BATS_TEST_TMPDIR/f"
	ferry send -l "fifo:$BATS_TEST_TMPDIR/f" 'one line'
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = 'one line' ]
	for verb in 'recv' 'send'; do
		run -2 --separate-stderr ferry "$verb" "fifo:$BATS_TEST_TMPDIR/f" </dev/null
		is_one_error_line
		[[ "$stderr" == *"carries bytes"*"-l, -0 or --len32"* ]]
	done
	run -2 ferry send -l jobs 'one line'
}

@test "a log collector goes on from writer to writer" {
	start ferry recv -C 3 -l "fifo:$BATS_TEST_TMPDIR/log?framing=line&keep" \
		>"$BATS_TEST_TMPDIR/out"
	until_true is_fifo "$BATS_TEST_TMPDIR/log"
	for who in app db web; do
		echo "$who: started" >"$BATS_TEST_TMPDIR/log"
	done
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "app: started
db: started
web: started" ]
}

@test "a server answers its clients, each on FIFOs of its own" {
	for who in app db web; do
		serve "fifo:$BATS_TEST_TMPDIR/door" "answer $who"
		run -0 ferry pipe "fifo:$BATS_TEST_TMPDIR/door" <<<"question $who"
		[ "$output" = "answer $who" ]
		wait "$child"
		[ "$(cat "$BATS_TEST_TMPDIR/asked")" = "question $who" ]
		[ -z "$(find "$BATS_TEST_TMPDIR" -type p)" ]
	done
}

@test "a shell is the client of two FIFOs under one name" {
	serve "fifo:$BATS_TEST_TMPDIR/d?duplex" answer
	until_true is_fifo "$BATS_TEST_TMPDIR/d.back"
	exec 5>"$BATS_TEST_TMPDIR/d" 6<"$BATS_TEST_TMPDIR/d.back"
	echo question >&5
	exec 5>&-
	[ "$(cat <&6)" = answer ]
	exec 6<&-
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/asked")" = question ]
	[ -z "$(find "$BATS_TEST_TMPDIR" -type p)" ]
}

@test "python reads what ferry sends" {
	command -v python3 >/dev/null || skip "python3 is not installed"
	mkfifo "$BATS_TEST_TMPDIR/f"
	start python3 -c "
import struct, sys
f = open(sys.argv[1], 'rb')
n = struct.unpack('<I', f.read(4))[0]
open(sys.argv[2], 'wb').write(f.read(n))" \
		"$BATS_TEST_TMPDIR/f" "$BATS_TEST_TMPDIR/out"
	ferry send "fifo:$BATS_TEST_TMPDIR/f?framing=len32" "hello, snake"
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "hello, snake" ]
}

@test "nobody there, no FIFO, and a place that is taken" {
	run -3 --separate-stderr ferry send \
		"fifo:$BATS_TEST_TMPDIR/f?framing=line&timeout=20ms" x
	is_one_error_line
	mkfifo "$BATS_TEST_TMPDIR/f"
	run -124 --separate-stderr ferry send \
		"fifo:$BATS_TEST_TMPDIR/f?framing=line&timeout=20ms" x
	is_one_error_line
	start ferry recv "fifo:$BATS_TEST_TMPDIR/f?framing=line&keep"
	until_true ferry send "fifo:$BATS_TEST_TMPDIR/f?framing=line" ""
	: >"$BATS_TEST_TMPDIR/file"
	run -2 --separate-stderr ferry recv "fifo:$BATS_TEST_TMPDIR/file"
	is_one_error_line
	run -2 ferry rm "fifo:$BATS_TEST_TMPDIR/file"
	[ -e "$BATS_TEST_TMPDIR/file" ]
	run -3 ferry rm "fifo:$BATS_TEST_TMPDIR/none"
}

@test "a redirection of the shell is a link, fd:N" {
	run -0 ferry recv -f -l 'fd:3?framing=line' 3< <(printf 'a\nb\n')
	[ "$output" = "a
b" ]
	ferry send -l 'fd:4?framing=line' 4>"$BATS_TEST_TMPDIR/out" <<<"written"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = written ]
	run -0 bash -c "ferry send 'fd:1?framing=line' piped | ferry recv 'fd:0?framing=line'"
	[ "$output" = piped ]
}

# bounded STATUS OPTION...: so an opening that would wait ends, of each verb.
bounded() {
	local wanted=$1 at=fifo:$BATS_TEST_TMPDIR/none verb words
	shift
	for verb in "send -l $at x" "send -l fault+$at x" "pipe $at" \
		"pipe --line jobs $at" "tap --line jobs $at"; do
		read -ra words <<<"$verb"
		run "-$wanted" --separate-stderr ferry "${words[@]}" "$@" </dev/null
		is_one_error_line
		[[ "$stderr" == *"does not exist"* ]]
	done
}

@test "-n and -t bound the opening, unless the address says how long" {
	ferry mk jobs
	bounded 1 -n
	bounded 124 -t 1ms
	mkfifo "$BATS_TEST_TMPDIR/f"
	run -1 ferry send -n -l "fifo:$BATS_TEST_TMPDIR/f" x
	run -124 ferry send -t 1ms -l "fifo:$BATS_TEST_TMPDIR/f" x
	run -3 ferry send -n -l "fifo:$BATS_TEST_TMPDIR/none?timeout=1ms" x
	run -3 ferry send -n process:none x
}

@test "-n does not forbid a connection that is there for the asking" {
	local address
	for address in "unix:$BATS_TEST_TMPDIR/u" "channel:$BATS_TEST_TMPDIR/c" \
		"tcp:127.0.0.1:0"; do
		start ferry pipe -v -l "$address" </dev/null >"$BATS_TEST_TMPDIR/out" \
			2>"$BATS_TEST_TMPDIR/err"
		until_true grep -q 'listening at' "$BATS_TEST_TMPDIR/err"
		address=$(sed -n 's/.*listening at //p' "$BATS_TEST_TMPDIR/err")
		echo hello | ferry pipe -n "$address"
		wait "$child"
		[ "$(cat "$BATS_TEST_TMPDIR/out")" = hello ]
	done
}

@test "a signal ends what has a connection and waits for the other address" {
	local at="fifo:$BATS_TEST_TMPDIR/none?timeout=1h"
	start ferry pipe -v -l --line "unix:$BATS_TEST_TMPDIR/u" "$at" \
		2>"$BATS_TEST_TMPDIR/err"
	local relay=$child
	until_true grep -q 'listening at' "$BATS_TEST_TMPDIR/err"
	start ferry pipe -r "unix:$BATS_TEST_TMPDIR/u"
	until_true grep -q 'connected:' "$BATS_TEST_TMPDIR/err"
	kill -TERM "$relay"
	status=0
	wait "$relay" || status=$?
	[ "$status" -eq 143 ]
}
