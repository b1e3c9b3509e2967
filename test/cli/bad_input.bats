#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each mistake is one line that says what to do, has its status, and loses
# nothing.

load helper

# refused STATUS COMMAND...: it fails so, with one line.
refused() {
	local wanted=$1
	shift
	run --separate-stderr "$@"
	echo "status $status: $stderr"
	[ "$status" -eq "$wanted" ]
	is_one_error_line
}

@test "a name that is empty" {
	refused 2 ferry mk ''
	refused 2 ferry send '' x
}

@test "a name of 300 bytes" {
	refused 2 ferry mk "$(printf 'x%.0s' $(seq 300))"
}

@test "a name with characters that are not allowed" {
	refused 2 ferry mk .hidden
	refused 2 ferry mk $'new\nline'
}

@test "a malformed address" {
	refused 2 ferry send 'nosuchscheme:jobs' x
	refused 2 ferry send 'mailbox:jobs?timeout=soon' x
	refused 2 ferry send 'mailbox:jobs?colour=red' x
}

@test "a mailbox that is not there is status 3" {
	refused 3 ferry send nothing x
	refused 3 ferry recv nothing
	refused 3 ferry stat nothing
	refused 3 ferry rm nothing
	refused 3 ferry peek nothing
	refused 3 ferry drain nothing
	refused 3 ferry who nothing
	refused 3 ferry work nothing -- true
}

@test "a directory that is not there is status 3" {
	refused 3 ferry mk "$FERRY_REALM/no/such/jobs"
}

@test "a message larger than the limit is refused whole" {
	ferry mk jobs --max 10
	refused 2 ferry send jobs 12345678901
	has jobs queued 0
	run -0 ferry send jobs 1234567890
}

@test "the lines before the one that is too large were sent, and it says so" {
	ferry mk jobs --max 10
	run -2 --separate-stderr bash -c \
		"printf '1\n2\n12345678901\n4\n' | ferry send -l jobs"
	[[ "$stderr" == *"2 messages were sent before"* ]]
	has jobs queued 2
}

@test "options out of range name their limits" {
	refused 2 ferry mk jobs --capacity 0
	refused 2 ferry mk jobs --capacity 99999999999
	refused 2 ferry mk jobs --max 2G
	[ -z "$(ls "$FERRY_REALM")" ] || [ -z "$(ferry ls --names)" ]
}

@test "options that are no number, size, duration, mode or choice" {
	refused 2 ferry mk jobs --capacity many
	refused 2 ferry mk jobs --max 64Q
	refused 2 ferry mk jobs --mode 0999
	refused 2 ferry mk jobs --full sometimes
	refused 2 ferry mk jobs --group no-such-group
	refused 2 ferry recv jobs -t soon
	refused 2 ferry recv jobs -C -1
	refused 2 ferry recv jobs --nosuch
	refused 2 ferry recv jobs -t
	refused 2 ferry recv --follow=yes jobs
}

@test "operands that are missing or too many" {
	refused 2 ferry mk
	refused 2 ferry mk a b
	refused 2 ferry send
	refused 2 ferry send jobs two words
	refused 2 ferry work jobs
	refused 2 ferry rm
}

@test "a verb that is not there, with a guess" {
	refused 2 ferry sned jobs x
	[[ "$stderr" == *"send"* ]]
}

@test "JSON lines that are none" {
	ferry mk jobs
	for line in '{' '[]' '{"data":1}' '{"data":"a"} b' '{"data":"\ud800"}' \
		'{"type":-1,"data":""}' '{"data_b64":"a"}' '{}' \
		'{"data":"a","data":"b"}' $'{"data":"\xff"}' \
		'{"data":"a","type":4294967296}' '{"data":"a","x":01}'; do
		run -2 bash -c 'printf "%s\n" "$1" | ferry send --json jobs' \
			sh "$line"
	done
	has jobs queued 0
}

@test "a message that ends in its middle is not sent" {
	ferry mk jobs
	run -2 bash -c "printf '\5\0\0\0abc' | ferry send --len32 jobs"
	has jobs queued 0
}

@test "with --json an error is an object" {
	run -3 --separate-stderr ferry recv --json nothing
	[[ "$stderr" == '{"error":"ENOENT","status":3,"name":"nothing",'* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "with -q there is only the status" {
	run -3 --separate-stderr ferry recv -q nothing
	[ -z "$output$stderr" ]
}

@test "message calls on a stream are the wrong pair" {
	exec 9<>"$(f=$BATS_TEST_TMPDIR/fifo; mkfifo "$f"; echo "$f")"
	refused 2 ferry send fd:9 x
	run -0 ferry send 'fd:9?framing=line' x
	exec 9>&-
}

@test "a descriptor that is not open" {
	refused 2 ferry send fd:97 x || refused 3 ferry send fd:97 x
}

@test "a socket where nobody listens is status 3" {
	refused 3 ferry send -l "unix:$BATS_TEST_TMPDIR/socket" x
}

@test "a foreign file in the realm is named, and left alone" {
	ferry mk jobs
	echo "mine" >"$FERRY_REALM/foreign"
	refused 6 ferry send foreign x
	refused 6 ferry recv -n foreign
	run -0 ferry ls
	[[ "$output" =~ foreign\ +foreign ]]
	run -0 ferry gc --apply
	[ "$(cat "$FERRY_REALM/foreign")" = mine ]
	run -0 ferry send jobs x
}

@test "a truncated segment is an error, and no SIGBUS" {
	ferry mk jobs
	seq 10 | ferry send -l jobs
	for size in 4096 100 0; do
		truncate -s "$size" "$FERRY_REALM/jobs"
		refused 6 ferry recv -n jobs
		refused 6 ferry send -n jobs x
		run -0 ferry ls
	done
}

@test "a segment of another version is refused, and both are named" {
	ferry mk jobs
	# The version stands behind the magic of eight bytes.
	printf '\377' | dd of="$FERRY_REALM/jobs" bs=1 seek=8 conv=notrunc \
		status=none
	refused 6 ferry send jobs x
	[[ "$stderr" == *255* ]]
	run -0 ferry ls
	[[ "$output" =~ jobs\ +other-version ]]
}

@test "a realm that is a symbolic link is refused" {
	ln -s "$FERRY_REALM" "$BATS_TEST_TMPDIR/link"
	refused 4 ferry mk --realm "$BATS_TEST_TMPDIR/link" jobs
}

@test "a default realm that somebody else has taken is refused" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	command -v setpriv >/dev/null || skip "needs setpriv"
	uid=$((50000 + RANDOM % 10000))
	mkdir "/dev/shm/ferry-$uid"
	run --separate-stderr env -u FERRY_REALM \
		setpriv --reuid "$uid" --regid "$uid" --clear-groups \
		"$(command -v ferry)" mk jobs
	rmdir "/dev/shm/ferry-$uid"
	[ "$status" -eq 4 ]
	is_one_error_line
}

@test "a realm that others can write is refused" {
	chmod 777 "$FERRY_REALM"
	refused 4 ferry mk jobs
}

@test "another user is refused with status 4" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	command -v setpriv >/dev/null || skip "needs setpriv"
	ferry mk jobs
	refused 4 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$(command -v ferry)" send "$FERRY_REALM/jobs" x
	has jobs queued 0
}

@test "umask 0777 changes nothing" {
	(umask 0777 && ferry mk jobs && ferry send jobs x)
	run -0 ferry recv -n jobs
	[ "$output" = x ]
	[ "$(stat -c %a "$FERRY_REALM/jobs")" = 600 ]
}

@test "a realm on a tmpfs of 1 MiB answers with status 5, and no SIGBUS" {
	unshare -m true 2>/dev/null || skip "unshare -m is not permitted"
	run unshare -m bash -c '
		mount -t tmpfs -o size=1m,mode=700 none "$FERRY_REALM" || exit 77
		ferry mk jobs --capacity 64 --max 256K || exit 2
		sent=0
		while head -c 200000 /dev/zero | ferry send -n jobs; do
			sent=$((sent + 1))
		done 2>"$1"
		head -c 200000 /dev/zero | ferry send -n jobs
		[ $? -eq 5 ] || exit 3
		got=0
		while [ "$(ferry recv -n jobs | wc -c)" -eq 200000 ]; do
			got=$((got + 1))
		done
		echo "sent $sent got $got"
		[ "$sent" -gt 0 ] && [ "$sent" -eq "$got" ]
	' bash "$BATS_TEST_TMPDIR/err"
	[ "$status" -ne 77 ] || skip "mount is not permitted"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "closed standard descriptors: a message goes nowhere else, and it is told" {
	ferry mk jobs
	ferry send jobs hello
	for verb in recv peek stat; do
		run -1 --separate-stderr sh -c "ferry $verb jobs <&- >&-"
		is_one_error_line
		[[ "$stderr" == *"standard output: "* ]]
	done
	run -1 sh -c 'ferry recv jobs <&- >&- 2>&-'
	run -1 --separate-stderr sh -c 'ferry send jobs <&-'
	[[ "$stderr" == *"standard input: "* ]]
	run -0 ferry recv -n jobs
	[ "$output" = hello ]
	run -0 ferry gc
}

@test "closed standard descriptors: a command of work has /dev/null there" {
	ferry mk jobs
	ferry send jobs hello
	run -0 sh -c 'ferry work -C 1 jobs -- sh -c "cat && echo said" <&- >&- 2>&-'
	has jobs queued 0
}

@test "a type in the input does not go with --to, and is not dropped" {
	local at="unix:$BATS_TEST_TMPDIR/d" key
	start ferry recv -C 2 -l "$at?type=dgram" >"$BATS_TEST_TMPDIR/out"
	until_true test -S "$BATS_TEST_TMPDIR/d"
	for key in type priority; do
		run -2 --separate-stderr bash -c "printf '%s\n' '{\"data\":\"one\"}' \
			'{\"data\":\"two\",\"$key\":7}' |
			ferry --json send --to '$at' 'unix:?type=dgram'"
		[[ "$stderr" == *"message 2 of standard input: "*"--to"*"1 were sent before"* ]]
	done
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "one
one" ]
}
