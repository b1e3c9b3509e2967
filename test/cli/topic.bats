#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Topics: who hears what is published, and a clipboard.

load helper

# Nothing is sent before all of them are there.
listen() {
	local out=$1
	shift
	start ferry sub "$@" >"$BATS_TEST_TMPDIR/$out"
}

@test "every subscriber gets every message" {
	listen a -l -C 3 temp
	listen b -l -C 3 temp
	seq 3 | ferry pub -l -w 2 -t 10s temp
	wait "${children[@]}"
	run -0 cat "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	[ "$output" = $'1\n2\n3\n1\n2\n3' ]
	[ -z "$(ferry ls --names)" ]
}

@test "pub prints nothing, and with -v how many were reached" {
	run -0 --separate-stderr ferry pub temp 21.5
	[ -z "$output$stderr" ]
	run -0 --separate-stderr ferry pub -v temp 21.5
	[ -z "$output" ]
	[[ "$stderr" == *"reached: 0"* ]]
}

@test "pub waits for subscribers no longer than it is told to" {
	run -124 ferry pub -w 1 -t 50ms temp x
	[[ "$output" == *"0 subscribers"* ]]
	run -1 ferry pub -w 1 -n temp x
	run -2 ferry pub -w 257 temp x
}

@test "who comes late gets the last message, or all that are kept" {
	printf 'a\nb\nc\n' | ferry pub -l --persist kernel --capacity 2 temp
	run -0 ferry sub --last -C 1 temp
	[ "$output" = c ]
	run -0 ferry sub --from oldest -n -l temp
	[ "$output" = $'b\nc' ]
	run -1 ferry sub -n temp
	ferry rm temp
	run -3 ferry rm temp
}

@test "a subscriber that may miss some stops no publisher, one that blocks does" {
	start ferry sub --policy drop-old temp
	until_true has topic:temp subscribers 1
	kill -STOP "$child"
	seq 200 | ferry pub -l -t 10s --capacity 64 temp
	kill -KILL "$child"
	start ferry sub temp
	until_true has topic:temp blocking 1
	kill -STOP "$child"
	run -124 --separate-stderr bash -c 'seq 200 | ferry pub -l -t 100ms temp'
	[[ "$stderr" == *"pid $child blocks"* ]]
	kill -KILL "$child"
	seq 200 | ferry pub -l -t 10s temp
}

@test "sub --json says who published what, and pub takes it" {
	listen a --json -C 2 temp
	printf '{"data":"x"}\n{"data_b64":"//4="}\n' |
		ferry pub --json -w 1 -t 10s temp
	wait "$child"
	[ "$(jq -r 'select(.data) | [.topic, .seq, .data] | join(" ")' \
		"$BATS_TEST_TMPDIR/a")" = "temp 0 x" ]
	grep -q '"data_b64":"//4="' "$BATS_TEST_TMPDIR/a"
}

@test "sub ends when no more can come" {
	listen a -l temp
	until_true has topic:temp subscribers 1
	ferry pub temp x
	until_true has topic:temp published 1
	ferry rm temp
	status=0
	wait "$child" || status=$?
	[ "$status" -ne 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/a")" = x ]
}

@test "a bare name is whatever has it, and two of a name are told apart" {
	ferry pub --persist kernel temp x
	run -0 ferry stat temp
	[[ "$output" == *topic* ]]
	ferry mk temp
	run -2 --separate-stderr ferry rm temp
	[[ "$stderr" == *"topic:temp"* ]]
	ferry rm mailbox:temp
	run -0 ferry ls --names
	[ "$output" = topic:temp ]
	ferry rm topic:temp
}

@test "a policy that is none, or wishes that do not fit, are refused" {
	run -2 ferry sub --policy drop-new temp
	run -2 ferry sub -C 1 -f temp
	run -2 ferry pub temp a b
	run -2 ferry pub -l temp a
	start ferry sub temp
	until_true has topic:temp subscribers 1
	run -1 --separate-stderr ferry pub --capacity 9 temp x
	[[ "$stderr" == *"capacity=64"* ]]
}

@test "what was copied is pasted, to the byte, and what was before it" {
	run -1 ferry clip paste
	[ -z "$(ferry ls --names)" ]
	head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	ferry clip copy <"$BATS_TEST_TMPDIR/in"
	ferry clip copy second
	run -0 ferry clip paste
	[ "$output" = second ]
	ferry clip paste 1 >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	run -1 ferry clip paste 2
	for i in $(seq 9); do ferry clip copy "n$i"; done
	run -0 ferry clip history
	[ "${#lines[@]}" -eq 8 ]
	[[ "${lines[1]}" == *n9 ]]
	[[ "${lines[7]}" == *n3 ]]
	[ "$(ferry clip history --json | jq -r .data | head -n 1)" = n9 ]
}

@test "the clipboard can be watched" {
	ferry clip copy one
	start ferry clip watch -l >"$BATS_TEST_TMPDIR/out"
	until_true grep -q one "$BATS_TEST_TMPDIR/out"
	ferry clip copy two
	until_true grep -q two "$BATS_TEST_TMPDIR/out"
	run -2 ferry clip
	run -2 ferry clip eat
	run -2 ferry clip watch it
}
