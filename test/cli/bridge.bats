#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Two links joined: what goes through, what is refused, what is told, what is lost.

load helper

# bridge ARGUMENT...: ferry pipe in the background; its pid in $child.
bridge() {
	start ferry pipe "$@" 2>"$BATS_TEST_TMPDIR/err"
}

# The status of what bridge() has started.
bridged() {
	local status=0
	wait "$child" || status=$?
	echo "$status" >"$BATS_TEST_TMPDIR/status"
}

mq() {
	echo "mq:/bridge$$$BATS_TEST_NUMBER"
}

# --- messages to messages --------------------------------------------------------

@test "messages keep their boundaries and their types, and nothing is said" {
	ferry mk a
	ferry mk b
	printf 'one\ntwo\n\nfour\n' | ferry send -l --type 7 a
	run --separate-stderr -0 ferry pipe -n a b
	[ -z "$stderr" ]
	[ "$(ferry recv -C 4 --json b | jq -c '[.type, .data]' | tr -d '\n')" = \
		'[7,"one"][7,"two"][7,""][7,"four"]' ]
	run -1 ferry pipe -n a b
	run -124 ferry pipe -t 20ms a b
}

@test "what the target cannot carry is told once, or refused" {
	ferry mk jobs
	run -1 ferry recv -n "$(mq)"
	ferry send -p 5 "$(mq)" one
	ferry send -p 5 "$(mq)" two
	run --separate-stderr -2 ferry pipe --strict -n "$(mq)" jobs
	is_one_error_line
	[[ "$stderr" == *"$(mq): priorities"*jobs* ]]
	[ "$(figure jobs queued)" = 0 ]
	run --separate-stderr -0 ferry pipe -n "$(mq)" jobs
	is_one_error_line
	[[ "$stderr" == *"$(mq): priorities are lost in jobs"* ]]
	[ "$(figure jobs queued)" = 2 ]
	run --separate-stderr -0 ferry pipe -q -C 1 jobs "$(mq)"
	[ -z "$stderr" ]
	ferry rm "$(mq)"
}

@test "priorities go from queue to queue" {
	run -1 ferry recv -n "$(mq)a"
	run -1 ferry recv -n "$(mq)b"
	ferry send -p 5 "$(mq)a" high
	run --separate-stderr -0 ferry pipe -n "$(mq)a" "$(mq)b"
	[ -z "$stderr" ]
	[ "$(ferry recv --json "$(mq)b" | jq .priority)" = 5 ]
	ferry rm "$(mq)a" "$(mq)b"
}

@test "what is larger than the target can carry is told with size and limit, and stays" {
	ferry mk jobs
	run -1 ferry recv -n "$(mq)?max=100"
	head -c 101 /dev/zero | ferry send jobs
	run --separate-stderr -2 ferry pipe -q -n jobs "$(mq)"
	run --separate-stderr -2 ferry pipe -n jobs "$(mq)"
	[[ "$stderr" == *101*100* ]]
	[ "$(ferry stat jobs | awk '/^(queued|returned)/ { n += $2 } END { print n }')" = 1 ]
	ferry rm "$(mq)"
}

@test "what cannot be given back and does not fit is lost, and told with its size" {
	run -1 ferry recv -n "$(mq)?max=4"
	start ferry pipe -C 1 'unix:@bridge'$$'?type=dgram' "$(mq)" \
		2>"$BATS_TEST_TMPDIR/err"
	until_true ferry send "unix:@bridge$$?type=dgram" 'too long'
	bridged
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 2 ]
	grep -q '8 bytes.*lost' "$BATS_TEST_TMPDIR/err"
	ferry rm "$(mq)"
}

@test "a count that is reached ends both ways, in good order" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	start python3 -c "import socket
a, b = (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in 'ab')
a.bind('$BATS_TEST_TMPDIR/a'); b.bind('$BATS_TEST_TMPDIR/b'); a.listen(); b.listen()
open('$BATS_TEST_TMPDIR/ready', 'w').write('x')
x, y = a.accept()[0], b.accept()[0]
y.send(b'not counted'); x.recv(100)
x.send(b'one'); x.send(b'two'); y.recv(100); y.recv(100)
x.recv(100)"
	until_true test -s "$BATS_TEST_TMPDIR/ready"
	run -0 timeout 10 ferry pipe -q -C 2 \
		"unix:$BATS_TEST_TMPDIR/a?type=seqpacket" \
		"unix:$BATS_TEST_TMPDIR/b?type=seqpacket"
}

@test "descriptors go from socket to socket" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	cat >"$BATS_TEST_TMPDIR/ends.py" <<-'END'
		import array, os, socket, sys
		a, b = (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in "ab")
		for s, name in (a, sys.argv[1]), (b, sys.argv[2]):
		    s.bind(name); s.listen()
		print(flush=True)
		x = a.accept()[0]; y = b.accept()[0]
		socket.send_fds(x, [b"here"], [os.open("/dev/null", os.O_RDONLY)])
		data, fds, _, _ = socket.recv_fds(y, 100, 4)
		assert data == b"here" and len(fds) == 1
		y.send(b"back")
		assert x.recv(100) == b"back"
	END
	cd "$BATS_TEST_TMPDIR"
	start python3 ends.py "$PWD/a" "$PWD/b" >ready
	ends=$child
	until_true test -s ready
	bridge "unix:$PWD/a?type=seqpacket" "unix:$PWD/b?type=seqpacket"
	wait "$ends"
	bridged
	[ ! -s err ]
}

@test "a log is copied, a topic is, signals are lines of text" {
	printf 'x\ny\n' | ferry send -l "file:$BATS_TEST_TMPDIR/log"
	ferry mk jobs
	ferry pipe -q -n "file:$BATS_TEST_TMPDIR/log" jobs
	[ "$(ferry recv -f -n -l jobs | tr '\n' ' ')" = 'x y ' ]
	bridge -C 1 topic:news jobs
	ferry pub --wait 1 news breaking
	bridged
	run -0 ferry recv -n jobs
	[ "$output" = breaking ]
	bridge -C 1 'signal:self?signals=USR1' jobs
	until_true grep -q '^SigBlk:.*[2367abef]..$' "/proc/$child/status"
	kill -USR1 "$child"
	bridged
	run -0 ferry recv -n jobs
	[[ "$output" == 'USR1 process pid '* ]]
}

@test "a mailbox is not filled from itself" {
	ferry mk jobs
	run --separate-stderr -2 timeout 10 ferry pipe jobs jobs
	is_one_error_line
}

@test "nor by another spelling of its name, nor a log or a queue" {
	cd "$BATS_TEST_TMPDIR"
	ferry mk jobs
	ferry mk ./jobs
	ferry send jobs x
	ferry send file:log x
	ln -s log link
	for pair in 'jobs mailbox:jobs' "jobs $FERRY_REALM/jobs" \
		'mailbox:j%6fbs jobs' 'fault+mailbox:jobs?seed=1 jobs' \
		'file:log file:./log' "file:log file:$PWD/link" \
		"$(mq) $(mq)?mode=0600"; do
		# shellcheck disable=SC2086
		run --separate-stderr -2 timeout -k 1 5 ferry pipe -q -n $pair
		# shellcheck disable=SC2086
		run --separate-stderr -2 timeout -k 1 5 ferry pipe -n $pair
		is_one_error_line
		[[ "$stderr" == *'from itself for ever'* ]]
	done
	ferry rm "$(mq)"
	[ "$(figure jobs queued)" = 1 ]
	ferry pipe -n jobs ./jobs
	ferry pipe -q -n file:log file:copy
}

# --- bytes -----------------------------------------------------------------------

@test "stream to stream: all of it, both ways, and each end is passed on" {
	seq 1 30000 >"$BATS_TEST_TMPDIR/there"
	seq 30000 59999 >"$BATS_TEST_TMPDIR/back"
	{
		ferry pipe -l channel:far <"$BATS_TEST_TMPDIR/back" \
			>"$BATS_TEST_TMPDIR/out" 3>&-
	} &
	far=$!
	until_true test -S "$FERRY_REALM/.channel.far"
	bridge -l "unix:$BATS_TEST_TMPDIR/near" 'channel:far?framing=stream'
	until_true test -S "$BATS_TEST_TMPDIR/near"
	ferry pipe "unix:$BATS_TEST_TMPDIR/near" <"$BATS_TEST_TMPDIR/there" \
		>"$BATS_TEST_TMPDIR/got"
	wait "$far"
	bridged
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 0 ]
	cmp "$BATS_TEST_TMPDIR/there" "$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/back" "$BATS_TEST_TMPDIR/got"
}

@test "the end of one side is told to the other, which may still answer" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	start python3 -c "import socket
s = socket.socket(socket.AF_UNIX)
s.bind('$BATS_TEST_TMPDIR/far'); s.listen(); c = s.accept()[0]
data = b''
while piece := c.recv(100): data += piece
c.sendall(data[::-1])"
	until_true test -S "$BATS_TEST_TMPDIR/far"
	bridge -l "unix:$BATS_TEST_TMPDIR/near" "unix:$BATS_TEST_TMPDIR/far"
	until_true test -S "$BATS_TEST_TMPDIR/near"
	run -0 timeout 10 ferry pipe "unix:$BATS_TEST_TMPDIR/near" <<<'abc'
	[ "$output" = $'\ncba' ]
	bridged
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 0 ]
}

@test "stream and messages do not mix, unless it is said how they stand in it" {
	ferry mk jobs
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	printf 'a b\nc\n' | ferry send -l jobs
	exec 4<>"$BATS_TEST_TMPDIR/fifo"
	run --separate-stderr -2 ferry pipe -q -n jobs "fifo:$BATS_TEST_TMPDIR/fifo"
	run --separate-stderr -2 ferry pipe -n jobs "fifo:$BATS_TEST_TMPDIR/fifo"
	is_one_error_line
	[[ "$stderr" == *'carries bytes'*--line* ]]
	[ "$(figure jobs queued)" = 2 ]
	ferry pipe -q -n --line jobs "fifo:$BATS_TEST_TMPDIR/fifo"
	read -r first <&4
	read -r second <&4
	[ "$first/$second" = 'a b/c' ]
	start ferry pipe -q -C 2 "fifo:$BATS_TEST_TMPDIR/fifo?framing=nul" jobs
	printf 'x\ny\0z\0' >&4
	bridged
	exec 4>&-
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 0 ]
	[ "$(ferry recv -C 2 --json jobs | jq -c .data | tr -d '\n')" = '"x\ny""z"' ]
	run --separate-stderr -2 ferry pipe --line jobs topic:news
	run --separate-stderr -2 ferry pipe -0 --line jobs "fifo:$BATS_TEST_TMPDIR/fifo"
}

@test "standard input is a link, too" {
	ferry mk jobs
	printf 'one\ntwo\n' | ferry pipe -q 'fd:0?framing=line' jobs
	[ "$(ferry pipe -q -n jobs 'fd:1?framing=line')" = $'one\ntwo' ]
}

# --- deaths ------------------------------------------------------------------------

@test "kill -9 of the bridge loses nothing of a mailbox" {
	ferry mk jobs
	ferry mk full --capacity 1
	ferry send full x
	seq 1 20 | ferry send -l jobs
	bridge jobs full
	until_true has jobs held 1
	kill -KILL "$child"
	wait "$child" || true
	ferry recv full
	for _ in $(seq 5); do
		bridge jobs full
		ferry recv -C 3 -l full >>"$BATS_TEST_TMPDIR/got"
		until_true has jobs held 1
		kill -KILL "$child"
		wait "$child" || true
	done
	ferry recv -f -n -l full >>"$BATS_TEST_TMPDIR/got" || true
	ferry recv -f -n -l jobs >>"$BATS_TEST_TMPDIR/got"
	sort -nu "$BATS_TEST_TMPDIR/got" | cmp - <(seq 1 20)
}

@test "SIGTERM ends it quietly, and what it held is back" {
	ferry mk jobs
	ferry mk full --capacity 1
	ferry send full x
	ferry send jobs precious
	bridge jobs full
	until_true has jobs held 1
	kill -TERM "$child"
	bridged
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 143 ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	run -0 ferry recv -n jobs
	[ "$output" = precious ]
}

@test "SIGTERM ends it while bytes flow, or messages, that never keep it waiting" {
	start bash -c 'exec ferry pipe fd:0 fd:1 </dev/zero >/dev/null'
	until_true grep -q '^wchar: [0-9]\{7\}' "/proc/$child/io"
	kill -TERM "$child"
	until_true has_ended
	bridged
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 143 ]
	ferry mk jobs --full drop-old
	start bash -c "exec ferry pipe -q 'fd:0?framing=len32' jobs </dev/zero"
	until_true ferry recv -n jobs
	kill -TERM "$child"
	until_true has_ended
	bridged
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 143 ]
}

@test "SIGTERM when both ways find no room: what they deliver yet is their last" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	cat >"$BATS_TEST_TMPDIR/ends.py" <<-'END'
		import glob, re, socket, subprocess, sys, time
		doors = [socket.socket(socket.AF_UNIX) for _ in "ab"]
		for door, name in zip(doors, "ab"):
		    door.bind(name)
		    door.listen()
		p = subprocess.Popen(["ferry", "pipe", "unix:a", "unix:b"])
		ends = [door.accept()[0] for door in doors]
		until = time.monotonic() + 20
		def each(of_end):
		    n = 0
		    for end in ends:
		        try:
		            while k := of_end(end):
		                n += k
		        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
		            pass
		    return n
		def slept(name):
		    text = open(name).read()
		    return (re.search(r"State:\s(\w)", text)[1],
		            int(re.search(r"\nvoluntary\S*\s(\d+)", text)[1]))
		def tasks():
		    return [slept(t) for t in sorted(glob.glob(f"/proc/{p.pid}/task/*/status"))]
		for end in ends:
		    end.setblocking(False)
		before = None # both ways, asleep, and nothing moves
		while each(lambda end: end.send(b"x" * 65536)) or before != tasks() or \
		        len(before) != 2 or {state for state, _ in before} != {"S"}:
		    assert time.monotonic() < until
		    before = tasks()
		    time.sleep(0.01)
		p.terminate()
		# Each has heard of it, and sleeps again: its last chance.
		while p.poll() is None and not all(s == "S" and n > m for (s, n), (_, m)
		                                   in zip(tasks(), before)):
		    assert time.monotonic() < until
		while p.poll() is None and time.monotonic() < until:
		    each(lambda end: len(end.recv(1 << 20)))
		p.kill()
		sys.exit(p.wait() != -15)
	END
	cd "$BATS_TEST_TMPDIR"
	run -0 python3 ends.py
}

@test "SIGTERM and a full target: what cannot be given back is told" {
	ferry mk full --capacity 1
	ferry send full x
	bridge "unix:@term$$?type=dgram" full
	until_true ferry send "unix:@term$$?type=dgram" lost
	until_true has full waiting senders
	kill -TERM "$child"
	bridged
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 143 ]
	grep -q 'a message of 4 bytes.*lost' "$BATS_TEST_TMPDIR/err"
}

@test "a full target is waited for as long as was said" {
	ferry mk jobs
	ferry mk full --capacity 1
	ferry send full x
	ferry send jobs y
	run --separate-stderr -124 ferry pipe -t 20ms jobs full
	is_one_error_line
	[[ "$stderr" == 'ferry: full: '* ]]
	run -1 ferry pipe -n jobs full
	run -0 ferry recv -n jobs
}

@test "the target goes: its death is the status, and the message is back" {
	ferry mk jobs
	ferry mk full --capacity 1
	ferry send full x
	ferry send jobs one
	bridge jobs full
	until_true has jobs held 1
	ferry rm full
	bridged
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 3 ]
	grep -q '^ferry: full: ' "$BATS_TEST_TMPDIR/err"
	run -0 ferry recv -n jobs
	run -3 ferry pipe jobs nothing
	run -3 ferry pipe nothing jobs
	run -2 ferry pipe nonsense:x jobs
}

@test "a peer that is killed is status 6, and what it had sent has gone through" {
	ferry mk jobs
	bridge -l channel:source jobs
	until_true test -S "$FERRY_REALM/.channel.source"
	mkfifo "$BATS_TEST_TMPDIR/in"
	exec 4<>"$BATS_TEST_TMPDIR/in"
	ferry send -l channel:source <&4 3>&- &
	sender=$!
	seq 1 100 >&4
	until_true has jobs sent 100
	kill -KILL "$sender"
	bridged
	exec 4>&-
	[ "$(cat "$BATS_TEST_TMPDIR/status")" = 6 ]
	grep -q '^ferry: channel:source: ' "$BATS_TEST_TMPDIR/err"
}

@test "-C 0 takes nothing" {
	ferry mk a
	ferry mk b
	ferry send a one
	run -0 ferry pipe -C 0 a b
	run -0 ferry tap -C 0 a b
	run -0 ferry tap -C 0 -a a
	[ -z "$output" ]
	run -0 ferry recv -C 0 a
	run -0 ferry work -C 0 a -- false
	has a queued 1
	has b queued 0
}
