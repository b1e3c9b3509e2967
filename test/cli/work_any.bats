#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `ferry work` over anything that gives messages, and what it says where none of them
# can come back.

load helper

# works ADDRESS [OPTION...]: one command at a time writes what it gets to out.
works() {
	local address=$1
	shift
	# shellcheck disable=SC2016 # the command's shell expands it
	start ferry work -v "$@" "$address" -- sh -c 'echo "$1"' sh {} \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
}

# done_with TEXT: for until_true.
done_with() {
	grep -q "^$1\$" "$BATS_TEST_TMPDIR/out"
}

@test "a mailbox gives back, so nothing is said" {
	ferry mk jobs
	ferry send jobs x
	run --separate-stderr -0 ferry work --strict -n jobs -- cat
	[ "$output" = x ]
	[ -z "$stderr" ]
}

@test "what takes no message back is told at once, or refused" {
	q=mq:/work$$
	run -1 ferry recv -n "$q"
	ferry send -p 3 "$q" one
	run --separate-stderr -2 ferry work --strict -n "$q" -- cat
	is_one_error_line
	run --separate-stderr -2 ferry work --retries 3 -n "$q" -- cat
	is_one_error_line
	# shellcheck disable=SC2016 # the command's shell expands it
	run --separate-stderr -0 ferry work -n "$q" -- \
		sh -c 'echo "$1 $FERRY_PRIORITY"' sh {}
	[ "$output" = 'one 3' ]
	is_one_error_line
	[[ "$stderr" == *'not delivered again'* ]]
	ferry send "$q" two
	run --separate-stderr -0 ferry work -q -n "$q" -- cat
	[ "$output" = two ]
	[ -z "$stderr" ]
	ferry rm "$q"
}

@test "a failure is not delivered again, and told with its size and status" {
	q=sysv:$((0x7e000000 + $$))
	run -1 ferry recv -n "$q"
	ferry send "$q" one
	ferry send "$q" two
	run --separate-stderr -9 ferry work -C 2 "$q" -- \
		sh -c 'test "$1" = two || exit 9' sh {}
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ "${stderr_lines[1]}" == *'3 bytes: status 9'* ]]
	run -1 ferry recv -n "$q"
	ferry rm "$q"
}

@test "a queue keeps what no command could be run for" {
	q=mq:/work$$
	run -1 ferry recv -n "$q"
	ferry send "$q" x
	run -127 ferry work -q -n "$q" -- /nonexistent/{}
	run -0 ferry recv -n "$q"
	[ "$output" = x ]
	ferry rm "$q"
}

@test "a FIFO, a line each" {
	works "fifo:$BATS_TEST_TMPDIR/in" -l
	until_true test -p "$BATS_TEST_TMPDIR/in"
	printf 'one\ntwo words\n' >"$BATS_TEST_TMPDIR/in"
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = $'one\ntwo words' ]
	run --separate-stderr -2 ferry work "fifo:$BATS_TEST_TMPDIR/in" -- cat
	is_one_error_line
	[[ "$stderr" == *'-l, -0 or --len32'* ]]
	ferry mk jobs
	run -2 ferry work -l jobs -- cat
}

@test "datagrams, with the address of who sent them" {
	# shellcheck disable=SC2016 # the command's shell expands it
	start ferry work -q -C 1 "unix:$BATS_TEST_TMPDIR/in?type=dgram" -- \
		sh -c 'echo "$FERRY_FROM"' >"$BATS_TEST_TMPDIR/out"
	until_true test -S "$BATS_TEST_TMPDIR/in"
	ferry send "unix:$BATS_TEST_TMPDIR/in?type=dgram&bind=@from$$" x
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "unix:@from$$" ]
}

@test "a topic and a log, by several slots" {
	works topic:news -j 3 -C 20
	ferry pub --wait 1 news 1
	for i in $(seq 2 20); do ferry pub -t 5s news "$i"; done
	wait "$child"
	sort -n "$BATS_TEST_TMPDIR/out" | cmp - <(seq 20)
	seq 30 | ferry send -l "file:$BATS_TEST_TMPDIR/log"
	# shellcheck disable=SC2016 # the command's shell expands it
	ferry work -q -n -j 3 "file:$BATS_TEST_TMPDIR/log" -- \
		sh -c 'echo "$1"' sh {} |
		sort -n | cmp - <(seq 30)
}

@test "a process, a channel, a socket of packets" {
	works process:worker -C 1
	until_true test -S "$FERRY_REALM/.process.worker"
	ferry send process:worker hello
	wait "$child"
	done_with hello
	ferry mk jobs
	ferry send jobs 'through a channel'
	start ferry pipe -q -C 1 -L jobs channel:door
	until_true test -S "$FERRY_REALM/.channel.door"
	run -0 ferry work -q channel:door -- cat
	[ "$output" = 'through a channel' ]
	ferry send jobs 'through a socket'
	start ferry pipe -q -C 1 -L jobs "unix:$BATS_TEST_TMPDIR/s?type=seqpacket"
	until_true test -S "$BATS_TEST_TMPDIR/s"
	run -0 ferry work -q "unix:$BATS_TEST_TMPDIR/s?type=seqpacket" -- cat
	[ "$output" = 'through a socket' ]
}

@test "signals, as lines of text" {
	works 'signal:self?signals=USR1,USR2' -C 1
	until_true sends_signal
	wait "$child"
	grep -q '^USR2 process pid' "$BATS_TEST_TMPDIR/out"
}

# Blocked, so that it comes as a message.
sends_signal() {
	local mask
	mask=$(awk '/^SigBlk/ { print $2 }' "/proc/$child/status")
	(((0x$mask >> 11) & 1)) && kill -USR2 "$child"
}

@test "a signal ends it while it opens its address" {
	command -v python3 >/dev/null || skip "python3 is not there"
	cd "$BATS_TEST_TMPDIR"
	start python3 -c 'import socket, time
door = socket.socket(socket.AF_UNIX); door.bind("door"); door.listen(0)
clients = []
while True: # until its backlog is full
    c = socket.socket(socket.AF_UNIX); c.setblocking(False)
    try: c.connect("door")
    except BlockingIOError: break
    clients += [c]
open("full", "w").write("x"); time.sleep(60)'
	until_true test -s full
	start bash -c "exec ferry work -l -t 1h unix:door -- cat 2>err"
	until_true grep -q "^ferry" "/proc/$child/comm"
	until_true grep -q "^State:.S" "/proc/$child/status"
	is_ended_by_sigterm
}
