#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The kernel's message queues, and logs in files: beside programs without Ferry.

load helper

# A name or key of this test's own.
own() {
	echo "$1$$$BATS_TEST_NUMBER"
}

# python MESSAGE_OR_CODE: the C library's calls, as a program without Ferry has them.
libc() {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	python3 -c "import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
class Message(ctypes.Structure):
    _fields_ = [('type', ctypes.c_long), ('text', ctypes.c_char * 100)]
$1"
}

# --- mq: ---------------------------------------------------------------------

@test "mq: the highest priority comes first, and JSON shows it" {
	q=mq:/$(own ferry)
	run -3 ferry send "$q" early
	run -1 ferry recv -n "$q"
	ferry send "$q" low
	ferry send "$q" -p 7 high
	ferry send "$q" --priority 7 'high too'
	run -0 ferry recv --json "$q"
	[[ "$output" == *'"priority":7,'*'"data":"high"'* ]]
	run -0 ferry recv -C 2 -l "$q"
	[ "${lines[*]}" = 'high too low' ]
	ferry rm "$q"
	run -3 ferry rm "$q"
}

@test "mq: what JSON says is sent again with its priority" {
	a=mq:/$(own a) b=mq:/$(own b)
	run -1 ferry recv -n "$a"
	run -1 ferry recv -n "$b"
	ferry send "$a" -p 3 text
	ferry recv --json "$a" | ferry send --json "$b"
	run -0 ferry recv --json "$b"
	[[ "$output" == *'"priority":3,'* ]]
	ferry rm "$a" "$b"
}

@test "mq: limits and names are told in one line" {
	q=mq:/$(own ferry)
	run --separate-stderr -2 ferry recv -n "$q?capacity=1000000"
	is_one_error_line
	[[ "$stderr" == *fs.mqueue.msg_max* ]]
	run --separate-stderr -2 ferry recv -n mq:name
	is_one_error_line
	run -1 ferry recv -n "$q?capacity=1"
	ferry send "$q" one
	run --separate-stderr -1 ferry send -n "$q" two
	[[ "$stderr" == *'1 of 1'* ]]
	run --separate-stderr -2 ferry send "$q" -p 40000 x
	[[ "$stderr" == *32767* ]]
	ferry rm "$q"
}

@test "mq: nothing is lost when nobody reads the output" {
	q=mq:/$(own ferry)
	run -1 ferry recv -n "$q"
	ferry send "$q" precious
	# shellcheck disable=SC2016 # the inner shell expands it
	run ! bash -c 'ferry recv "$1" >/dev/full' - "$q"
	run -0 ferry recv -n "$q"
	[ "$output" = precious ]
	ferry rm "$q"
}

@test "a priority is refused where there is none" {
	ferry mk jobs
	run --separate-stderr -2 ferry send jobs -p 1 x
	is_one_error_line
	[[ "$stderr" == *priority* ]]
	run -1 ferry recv -n jobs
}

# --- sysv: ------------------------------------------------------------------

@test "sysv: msgsnd and msgrcv are at the other end" {
	key=$(own 1)
	run -1 ferry recv -n "sysv:$key"
	libc "id = libc.msgget($key, 0)
m = Message(5, b'from plain C')
sys.exit(libc.msgsnd(id, ctypes.byref(m), 12, 0))"
	run -0 ferry recv --json "sysv:$key?type=5"
	[[ "$output" == *'"type":5,'*'"data":"from plain C"'* ]]
	ferry send --type 9 "sysv:$key" 'to plain C'
	run -0 libc "m = Message()
n = libc.msgrcv(libc.msgget($key, 0), ctypes.byref(m), 100, 9, 0)
print(n, m.type, m.text.decode())"
	[ "$output" = '10 9 to plain C' ]
	ferry rm "sysv:$key"
	run -3 ferry send "sysv:$key" x
}

@test "sysv: a receiver that waits finds what comes, by type" {
	key=$(own 1)
	run -1 ferry recv -n "sysv:$key"
	ferry recv "sysv:$key?type=2" >"$BATS_TEST_TMPDIR/out" 3>&- &
	reader=$!
	ferry send --type 1 "sysv:$key" one
	ferry send --type 2 "sysv:$key" two
	wait "$reader"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = two ]
	run -0 ferry recv -n "sysv:$key"
	[ "$output" = one ]
	ferry rm "sysv:$key"
}

@test "sysv: a path names a queue for everybody" {
	q=sysv:$BATS_TEST_TMPDIR/queue
	run -3 ferry send "$q" x
	run -1 ferry recv -n "$q"
	ferry send "$q" hello
	grep -q '^key 0x[0-9a-f]*$' "$BATS_TEST_TMPDIR/queue"
	run -0 ferry recv -n "sysv:$(sed -n 's/^key //p' "$BATS_TEST_TMPDIR/queue")"
	[ "$output" = hello ]
	ferry rm "$q"
	[ ! -e "$BATS_TEST_TMPDIR/queue" ]
}

# --- file: ------------------------------------------------------------------

@test "file: cat, grep and tail read a log" {
	log=$BATS_TEST_TMPDIR/log
	seq 1 5 | ferry send -l "file:$log"
	ferry send "file:$log" 'an error: no such file'
	[ "$(head -n 1 "$log")" = '#ferry-log 1' ]
	[ "$(grep -vc '^#' "$log")" = 6 ]
	[ "$(grep -B 1 'an error' "$log" | head -n 1 | cut -d ' ' -f 2)" = 22 ]
	tail -n +1 -f "$log" >"$BATS_TEST_TMPDIR/tail" 3>&- &
	children+=("$!")
	ferry send "file:$log" 'and one more'
	until_true grep -q 'and one more' "$BATS_TEST_TMPDIR/tail"
}

@test "file: the checksums are those of zlib" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	log=$BATS_TEST_TMPDIR/log
	printf 'some\nlines' | ferry send "file:$log"
	python3 - "$log" <<-'END'
		import sys, zlib
		data = open(sys.argv[1], "rb").read()
		at = 13
		line = data[at:data.index(b"\n", at)].split(b" ")
		text = data[data.index(b"\n", at) + 1:][:int(line[1])]
		assert line[0] == b"#13" and text == b"some\nlines"
		assert int(line[4], 16) == zlib.crc32(text)
		assert int(line[5], 16) == zlib.crc32(b" ".join(line[:5]))
	END
}

@test "file: every reader has it all, and one goes on where it stopped" {
	log=file:$BATS_TEST_TMPDIR/log
	seq 1 10 | ferry send -l "$log"
	[ "$(ferry recv -f -n -l "$log" | wc -l)" = 10 ]
	[ "$(ferry recv -f -n -l "$log" | wc -l)" = 10 ]
	run -1 ferry recv -n "$log?from=end"
	next=$(ferry recv -C 4 --json "$log" | tail -n 1 | jq -r .id)
	run -0 ferry recv -n "$log?from=$next"
	[ "$output" = 5 ]
}

@test "file: a follower sees what two senders append, each record once" {
	log=file:$BATS_TEST_TMPDIR/log
	ferry send "$log" begin
	ferry recv -C 401 -l "$log" >"$BATS_TEST_TMPDIR/out" 3>&- &
	reader=$!
	seq 1 200 | ferry send -l "$log" 3>&- &
	first=$!
	seq 201 400 | ferry send -l "$log"
	wait "$first" "$reader"
	[ "$(sort -n "$BATS_TEST_TMPDIR/out" | uniq | wc -l)" = 401 ]
}

@test "file: a torn end is cut off, and damage is told" {
	log=$BATS_TEST_TMPDIR/log
	printf 'one\ntwo\nthree\n' | ferry send -l "file:$log"
	truncate -s -3 "$log"
	ferry send "file:$log" four
	run -0 ferry recv -C 3 -l "file:$log"
	[ "${lines[*]}" = 'one two four' ]
	sed -i 's/^two$/tow/' "$log"
	run --separate-stderr -6 ferry recv -C 3 -l "file:$log"
	is_one_error_line
	[[ "$stderr" == *'damaged at'* ]]
}

@test "file: a link is not removed in place of its log" {
	cd "$BATS_TEST_TMPDIR"
	ferry send file:log x
	ln -s log link
	run --separate-stderr -2 ferry rm file:link
	is_one_error_line
	[[ "$stderr" == *'symbolic link'* ]]
	[ -L link ]
	ferry send file:link y
	[ "$(ferry recv -C 2 -l file:link | tr '\n' ' ')" = 'x y ' ]
	ln -sf nothing link
	run --separate-stderr -1 ferry send file:link x
	is_one_error_line
	[[ "$stderr" == *'leads to nothing'* ]]
	run -2 ferry rm file:link
	[ -L link ]
}

@test "file: a key that is not known removes nothing" {
	ferry send "file:$BATS_TEST_TMPDIR/log" x
	run --separate-stderr -2 ferry rm "file:$BATS_TEST_TMPDIR/log?duplex"
	is_one_error_line
	[[ "$stderr" == *"no key 'duplex'"* ]]
	[ -s "$BATS_TEST_TMPDIR/log" ]
	ferry rm "file:$BATS_TEST_TMPDIR/log?sync&mode=0660"
}

@test "file: what is no log is left alone" {
	echo text >"$BATS_TEST_TMPDIR/text"
	run --separate-stderr -6 ferry send "file:$BATS_TEST_TMPDIR/text" x
	is_one_error_line
	run -6 ferry rm "file:$BATS_TEST_TMPDIR/text"
	[ "$(cat "$BATS_TEST_TMPDIR/text")" = text ]
	mkdir "$BATS_TEST_TMPDIR/directory"
	run -2 ferry rm "file:$BATS_TEST_TMPDIR/directory"
	ferry send "file:$BATS_TEST_TMPDIR/log" x
	ferry rm "file:$BATS_TEST_TMPDIR/log"
	[ ! -e "$BATS_TEST_TMPDIR/log" ]
}
