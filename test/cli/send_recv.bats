#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Messages go in and come out, by every framing, and are acknowledged late.

load helper

@test "a message that was sent as an argument is received" {
	ferry mk jobs
	ferry send jobs hello
	run -0 ferry recv jobs
	[ "$output" = hello ]
}

@test "standard input is one message, to the byte" {
	ferry mk jobs
	head -c 70000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	ferry send jobs <"$BATS_TEST_TMPDIR/in"
	ferry recv jobs >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "an empty message is a message" {
	ferry mk jobs
	ferry send jobs </dev/null
	run -0 ferry recv --json jobs
	[[ "$output" == *'"size":0,"data":""'* ]]
}

@test "with -l each line is a message, the last one needs no newline" {
	ferry mk jobs
	printf 'one\n\nthree' | ferry send -l jobs
	run -0 ferry recv -C 3 -l jobs
	[ "$output" = $'one\n\nthree' ]
	run -1 ferry recv -n jobs
}

@test "with -0 messages may hold newlines" {
	ferry mk jobs
	printf 'a\nb\0c\0' | ferry send -0 jobs
	ferry recv -C 2 -0 jobs >"$BATS_TEST_TMPDIR/out"
	printf 'a\nb\0c\0' | cmp - "$BATS_TEST_TMPDIR/out"
}

@test "with --len32 any bytes come back as they were" {
	ferry mk jobs
	printf '\3\0\0\0a\n\0\0\0\0\0\1\0\0\0z' >"$BATS_TEST_TMPDIR/in"
	ferry send --len32 jobs <"$BATS_TEST_TMPDIR/in"
	ferry recv -C 3 --len32 jobs >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "what recv --json writes, send --json takes" {
	ferry mk jobs
	ferry mk copy
	printf '\377\376' | ferry send jobs
	ferry send --type 7 jobs 'text "quoted" é'
	ferry recv -C 2 --json jobs | ferry send --json copy
	run -0 ferry recv --json copy
	[[ "$output" == *'"data_b64":"//4="'* ]]
	run -0 ferry recv --json copy
	[[ "$output" == *'"type":7,'* ]]
	[[ "$output" == *'"data":"text \"quoted\" é"'* ]]
}

@test "a message in JSON has every field" {
	ferry mk jobs
	ferry send jobs x
	run -0 ferry recv --json jobs
	for field in mailbox seq id type sender pid uid name since sent_at \
		redelivered deliveries size data; do
		[[ "$output" == *"\"$field\":"* ]]
	done
	[[ "$output" =~ \"sent_at\":\"20..-..-..T..:..:..\.......Z\" ]]
}

@test "messages come in the order they were sent" {
	ferry mk jobs
	seq 500 | ferry send -l jobs
	ferry recv -C 500 -l jobs | cmp - <(seq 500)
}

@test "recv waits until a message comes" {
	ferry mk jobs
	start ferry recv -t 10s jobs
	receiver=$child
	until_true has jobs waiting receivers
	ferry send jobs late
	wait "$receiver"
}

@test "recv -f ends with status 0 when it timed out after a message" {
	ferry mk jobs
	ferry send jobs one
	run -0 ferry recv -f -l -t 50ms jobs
	[ "$output" = one ]
	run -124 ferry recv -f -t 50ms jobs
}

@test "an empty mailbox is status 1 with -n and 124 with -t" {
	ferry mk jobs
	run -1 --separate-stderr ferry recv -n jobs
	[ -z "$output$stderr" ]
	run -124 --separate-stderr ferry recv -t 20ms jobs
	[ -z "$output$stderr" ]
}

@test "a message whose output nobody reads is not lost" {
	ferry mk jobs
	ferry send jobs precious
	run bash -c 'ferry recv jobs >/dev/full'
	[ "$status" -ne 0 ]
	run -0 ferry recv -n jobs
	[ "$output" = precious ]
}

@test "a reader that goes away ends recv -f quietly" {
	ferry mk jobs
	seq 1000 | ferry send -l jobs
	run -0 --separate-stderr bash -c 'ferry recv -f -l -t 5s jobs | head -n 3'
	[ "$output" = $'1\n2\n3' ]
	[ -z "$stderr" ]
	until_true has jobs held 0
}

@test "SIGTERM ends recv quietly while nobody reads its output, and the message is back" {
	cd "$BATS_TEST_TMPDIR"
	ferry mk jobs
	head -c 200000 /dev/zero | ferry send jobs
	for framing in -l --json --len32; do
		mkfifo "slow$framing"
		exec 4<>"slow$framing"
		start bash -c "exec ferry recv $framing jobs >slow$framing 2>err" 4>&-
		head -c 1 <&4 >/dev/null # it writes
		is_ended_by_sigterm
		[ "$(figure jobs held)" = 0 ]
		exec 4>&-
	done
	ferry recv -n jobs | cmp - <(head -c 200000 /dev/zero)
}

@test "SIGTERM ends a waiting recv with 128+15 and leaves nothing held" {
	ferry mk jobs
	start ferry recv -f jobs
	until_true has jobs waiting receivers
	kill -TERM "$child"
	status=0
	wait "$child" || status=$?
	[ "$status" -eq 143 ]
	has jobs users 0
}

@test "a receiver that was killed has left its message to the next one" {
	ferry mk jobs
	ferry send jobs precious
	start ferry work jobs -- sleep 60
	until_true has jobs held 1
	kill -KILL "$child"
	run -0 ferry recv -t 10s --json jobs
	[[ "$output" == *'"redelivered":true'* ]]
	[[ "$output" == *'"data":"precious"'* ]]
}

@test "peek shows and leaves" {
	ferry mk jobs
	seq 5 | ferry send -l jobs
	run -0 ferry peek -C 2 -l jobs
	[ "$output" = $'1\n2' ]
	run -0 ferry peek -a -l jobs
	[ "${#lines[@]}" -eq 5 ]
	has jobs queued 5
	ferry drain -q jobs
	run -1 ferry peek jobs
}

@test "peek shows a message larger than its first buffer" {
	ferry mk jobs
	ferry send jobs 12345
	head -c 300000 /dev/zero | tr '\0' x | ferry send jobs
	[ "$(ferry peek -a jobs | tail -c +6 | tr -d x | wc -c)" -eq 0 ]
	[ "$(ferry peek -a jobs | wc -c)" -eq 300005 ]
}

@test "drain empties and says how many" {
	ferry mk jobs
	seq 5 | ferry send -l jobs
	run -0 ferry drain -C 2 jobs
	[ "$output" = "2 messages drained" ]
	run -0 ferry drain --json jobs
	[ "$output" = '{"drained":3}' ]
	has jobs queued 0
}

@test "a full mailbox blocks, fails, or drops as it was made" {
	ferry mk block --capacity 2
	ferry mk fail --capacity 2 --full fail
	ferry mk new --capacity 2 --full drop-new
	ferry mk old --capacity 2 --full drop-old
	for m in block fail new old; do
		seq 2 | ferry send -l "$m"
	done
	run -1 ferry send -n block 3
	run -124 ferry send -t 20ms block 3
	run -5 ferry send fail 3
	run -0 ferry send new 3
	run -0 ferry send old 3
	for m in block fail new; do
		[ "$(ferry recv -C 2 -l "$m")" = $'1\n2' ]
	done
	[ "$(ferry recv -C 2 -l old)" = $'2\n3' ]
	has new dropped 1
	has old dropped 1
}

@test "a sender that waits for room goes on when there is some" {
	ferry mk jobs --capacity 1
	ferry send jobs 1
	start ferry send -t 10s jobs 2
	sender=$child
	until_true has jobs waiting senders
	ferry recv jobs
	wait "$sender"
	[ "$(ferry recv -n jobs)" = 2 ]
}

# on_terminal COMMAND: its output as a terminal gets it.
on_terminal() {
	command -v script >/dev/null || skip "script(1) is not there"
	script -qec "$1" /dev/null </dev/null
}

@test "a newline goes behind a message on a terminal only" {
	ferry mk jobs
	ferry send jobs x
	ferry send jobs x
	[ "$(ferry recv jobs | wc -c)" -eq 1 ]
	[ "$(on_terminal 'ferry recv jobs' | tr -d '\r' | wc -l)" -eq 1 ]
}

@test "long work shows its progress on a terminal and leaves no trace of it" {
	ferry mk jobs --full drop-old
	run -0 on_terminal "timeout 1 yes | ferry send -l jobs"
	[[ "$output" =~ [0-9]+\ sent,\ [0-9]+/s ]]
	[[ "$output" == *$'\r\033[K' ]]
	run -0 --separate-stderr bash -c 'seq 100000 | ferry send -l jobs'
	[ -z "$stderr" ]
}
