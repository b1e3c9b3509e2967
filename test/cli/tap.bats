#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A copy of what passes: nothing is taken, nothing is hidden.

# shellcheck disable=SC2030,SC2031 # each test is a process, and sets its own

load helper

# tap ARGUMENT...: in the background, its lines in out and what it says in err.
tap() {
	start ferry tap "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
}

# The status of what tap() has started.
tapped() {
	status=0
	wait "$child" || status=$?
}

# shown TEXT: for until_true.
shown() {
	grep -q "$1" "$BATS_TEST_TMPDIR/out"
}

@test "a mailbox: what passes is shown, and still there for its receiver" {
	ferry mk jobs
	ferry send jobs before
	tap -v jobs
	until_true grep -q watching "$BATS_TEST_TMPDIR/err"
	until_true has jobs users 1
	ferry send jobs one
	until_true shown ' > 3 one$'
	ferry send jobs $'two\nlines \\ \x01\xc2\x9b\xc3\xa4'
	until_true shown ' > 17 two\\nlines \\\\ \\x01\\xc2\\x9bä$'
	kill -TERM "$child"
	tapped
	[ "$status" = 143 ]
	run ! shown before
	[ "$(figure jobs taken)" = 0 ]
	run -0 ferry recv -C 2 -l jobs
	[ "${lines[*]}" = 'before one' ]
}

@test "a mailbox: what passed unseen is counted" {
	ferry mk jobs
	tap -v --every 1h jobs
	until_true grep -q watching "$BATS_TEST_TMPDIR/err"
	until_true grep -q '^[0-9]* (ferry) S' "/proc/$child/stat"
	ferry send jobs one
	ferry send jobs two
	ferry drain jobs
	kill -TERM "$child"
	tapped
	grep -q 'jobs: 2 messages passed unseen' "$BATS_TEST_TMPDIR/err"
}

@test "a mailbox: what is there, as JSON and in hexadecimal" {
	ferry mk jobs
	run -1 ferry tap -n -a jobs
	ferry send --type 5 jobs text
	printf '\377\0' | ferry send jobs
	[ "$(ferry tap -n -a --json jobs | jq -c '[.way, .from, .type, .size, .data // .data_b64]' | tr -d '\n')" = \
		'[">","jobs",5,4,"text"][">","jobs",0,2,"/wA="]' ]
	run -0 ferry tap -n -a -x jobs
	[ "${lines[3]}" = "00000000  ff 00$(printf '%42s' '')  |..|" ]
	ferry tap -n -a -o "$BATS_TEST_TMPDIR/file" jobs
	ferry tap -n -a -o "$BATS_TEST_TMPDIR/file" jobs
	[ "$(wc -l <"$BATS_TEST_TMPDIR/file")" = 4 ]
	run -2 ferry tap -x --json jobs
	run -4 ferry tap -n -a -o /proc/none jobs || [ "$status" = 3 ]
}

@test "a mailbox: its end is the end, and its removal an error" {
	ferry mk jobs
	tap jobs
	until_true has jobs users 1
	ferry rm jobs
	tapped
	[ "$status" = 3 ]
	run -124 ferry tap -t 10ms topic:news
	run -3 ferry tap nothing
}

@test "a topic: no publisher waits for the tap" {
	tap topic:news
	ferry pub --wait 1 news first
	until_true shown ' first$'
	kill -STOP "$child"
	for i in $(seq 200); do
		ferry pub -t 5s news "$i"
	done
	kill -CONT "$child"
	until_true shown ' 200$'
	kill -TERM "$child"
	tapped
	grep -q 'topic:news: [0-9]* messages passed unseen' "$BATS_TEST_TMPDIR/err"
}

@test "a log: every record that is appended from now on" {
	ferry send "file:$BATS_TEST_TMPDIR/log" before
	tap -v "file:$BATS_TEST_TMPDIR/log"
	until_true grep -q watching "$BATS_TEST_TMPDIR/err"
	ferry send "file:$BATS_TEST_TMPDIR/log" after
	until_true shown ' 5 after$'
	run ! shown before
}

@test "what shows its messages only to who takes them is refused" {
	run -1 ferry recv -n "mq:/tap$$"
	ferry send "mq:/tap$$" x
	for address in "mq:/tap$$" unix:@x fifo:./x tcp:localhost:1; do
		run --separate-stderr -2 ferry tap "$address"
		is_one_error_line
		[[ "$stderr" == *"ferry tap $address B"* ]]
	done
	run -0 ferry recv -n "mq:/tap$$"
	ferry rm "mq:/tap$$"
}

@test "between two: everything goes through, both ways, and is shown" {
	ferry pipe -l "unix:$BATS_TEST_TMPDIR/server" <<<'answer' \
		>"$BATS_TEST_TMPDIR/server.out" 3>&- &
	children+=("$!")
	until_true test -S "$BATS_TEST_TMPDIR/server"
	tap -l "unix:$BATS_TEST_TMPDIR/watched" "unix:$BATS_TEST_TMPDIR/server"
	until_true test -S "$BATS_TEST_TMPDIR/watched"
	run -0 ferry pipe "unix:$BATS_TEST_TMPDIR/watched" <<<'question'
	[ "$output" = answer ]
	tapped
	[ "$status" = 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/server.out")" = question ]
	shown ' > 9 question\\n$'
	shown ' < 7 answer\\n$'
}

@test "between two queues: the copy is of what was delivered" {
	ferry mk jobs
	run -1 ferry recv -n "mq:/tap$$"
	ferry send -p 3 "mq:/tap$$" x
	[ "$(ferry tap -q -n --json "mq:/tap$$" jobs | jq -c '[.from, .to, .priority, .data]')" = \
		"[\"mq:/tap$$\",\"jobs\",3,\"x\"]" ]
	run -0 ferry recv -n jobs
	ferry mk full --capacity 1
	ferry send full x
	ferry send "mq:/tap$$" y
	run --separate-stderr -1 ferry tap -q -n "mq:/tap$$" full
	[ -z "$output" ]
	ferry rm "mq:/tap$$"
}

@test "between two: SIGTERM ends it quietly while nobody reads the copy" {
	cd "$BATS_TEST_TMPDIR"
	mkfifo slow
	exec 4<>slow
	ferry pipe -l "unix:$PWD/b" </dev/zero >/dev/null 2>&1 3>&- 4>&- &
	children+=("$!")
	bash -c "exec ferry pipe -l unix:$PWD/a </dev/zero >/dev/null 2>&1" 3>&- 4>&- &
	children+=("$!")
	until_true test -S a
	until_true test -S b
	start bash -c "exec ferry tap unix:$PWD/b unix:$PWD/a >slow 2>err"
	head -c 1 <&4 >/dev/null
	kill -TERM "$child"
	until_true has_ended
	tapped
	[ "$status" = 143 ]
	exec 4>&-
}

@test "a signal ends a tap whose file takes nothing" {
	cd "$BATS_TEST_TMPDIR"
	mkfifo slow
	exec 4<>slow
	ferry mk jobs
	head -c 300000 /dev/zero | ferry send jobs
	start bash -c 'exec ferry tap -a -o slow jobs 2>err' 4>&-
	head -c 1 <&4 >/dev/null
	is_ended_by_sigterm
	exec 4>&-
}
