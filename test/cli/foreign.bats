#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Objects of other mechanisms: who has them open, and which may be removed.

load helper

# who ADDRESS: the pids, sorted.
who() {
	ferry who --json "$1" 2>"$BATS_TEST_TMPDIR/err" | jq .pid | sort -n |
		tr '\n' ' '
}

@test "who has a FIFO, a log, a queue open" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	start sh -c 'exec 4<>"$1"; echo >"$2"; exec sleep 60' sh \
		"$BATS_TEST_TMPDIR/fifo" "$BATS_TEST_TMPDIR/ready"
	until_true test -s "$BATS_TEST_TMPDIR/ready"
	[ "$(who "fifo:$BATS_TEST_TMPDIR/fifo")" = "$child " ]
	ferry send "file:$BATS_TEST_TMPDIR/log" x
	run -1 ferry who "file:$BATS_TEST_TMPDIR/log"
	start ferry recv -f "file:$BATS_TEST_TMPDIR/log" >"$BATS_TEST_TMPDIR/out"
	until_true test -s "$BATS_TEST_TMPDIR/out"
	[ "$(who "file:$BATS_TEST_TMPDIR/log")" = "$child " ]
	run -1 ferry recv -n "mq:/who$$"
	start ferry recv "mq:/who$$"
	until_true who_is "mq:/who$$" "$child "
	ferry rm "mq:/who$$"
}

# who_is ADDRESS PIDS: for until_true.
who_is() {
	[ "$(who "$1")" = "$2" ]
}

# holds ADDRESS PID...: they are among those who use it.
holds() {
	local address=$1 all pid
	shift
	all=" $(who "$address")"
	for pid in "$@"; do
		[[ "$all" == *" $pid "* ]] || return 1
	done
}

# python PROGRAM WORD...: starts it; it says when it is ready, and sleeps.
python() {
	start python3 -c "$1
import time
open('$BATS_TEST_TMPDIR/ready', 'w').write('x')
time.sleep(60)" "${@:2}"
	until_true test -s "$BATS_TEST_TMPDIR/ready"
	rm "$BATS_TEST_TMPDIR/ready"
}

@test "who listens at a UNIX socket, and who is connected" {
	for name in "$BATS_TEST_TMPDIR/socket" "@ferry-who-$$"; do
		python 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1].replace("@", "\0", 1))
s.listen()' "$name"
		server=$child
		[ "$(who "unix:$name")" = "$server " ]
		python 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1].replace("@", "\0", 1))' "$name"
		[ "$(who "unix:$name")" = \
			"$(printf '%s\n' "$server" "$child" | sort -n | tr '\n' ' ')" ]
		kill -KILL "$child" "$server"
		wait "$child" "$server" || true
		run --separate-stderr -3 ferry who "unix:$name"
		is_one_error_line
	done
	run --separate-stderr -2 ferry who "unix:$BATS_TEST_TMPDIR"
	is_one_error_line
}

@test "a socket is known by its file, not by how its path was written" {
	python 'import socket, os, sys
os.chdir(sys.argv[1])
a = socket.socket(socket.AF_UNIX)
a.bind("a")
a.listen()
b = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
b.bind("b")
c = socket.socket(socket.AF_UNIX)
c.bind(sys.argv[1] + "/c")
os.rename("c", "d")' "$BATS_TEST_TMPDIR"
	for file in a b d; do
		[ "$(who "unix:$BATS_TEST_TMPDIR/$file")" = "$child " ]
	done
	run -3 ferry who "unix:$BATS_TEST_TMPDIR/c"
}

@test "who has a port: its address, all addresses, IPv4 within IPv6" {
	python 'import socket, sys
kept = []
for kind, name in (socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp"):
	for family, host in ((socket.AF_INET, "127.0.0.1"),
		(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::ffff:127.0.0.1")):
		try:
			s = socket.socket(family, kind)
			if family == socket.AF_INET6:
				s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
			s.bind((host, 0))
		except OSError:
			if family == socket.AF_INET:
				raise
			continue # this machine has no IPv6
		if name == "tcp":
			s.listen()
		kept.append(s)
		print(name, s.getsockname()[1], flush=True)
' >"$BATS_TEST_TMPDIR/ports"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/ports")" -ge 4 ]
	while read -r scheme port; do
		[ "$(who "$scheme:127.0.0.1:$port")" = "$child " ]
		[ "$(who "$scheme::$port")" = "$child " ]
		[ "$(who "$scheme:localhost:$port")" = "$child " ]
		[ "$(who "$scheme:*:$port")" = "$child " ]
		run -3 ferry who "$scheme:[fe80::1]:$port"
	done <"$BATS_TEST_TMPDIR/ports"
}

@test "who sent last to a System V queue, and who received last" {
	key=0x$(printf %x $((0x40000000 + $$)))
	run -1 ferry recv -n "sysv:$key"
	run --separate-stderr -1 ferry who "sysv:$key"
	ferry send "sysv:$key" gone # who has ended is not named
	run --separate-stderr -1 ferry who "sysv:$key"
	start ferry recv -f "sysv:$key" >"$BATS_TEST_TMPDIR/out"
	until_true test -s "$BATS_TEST_TMPDIR/out"
	[ "$(who "sysv:$key")" = "$child " ]
	ferry rm "sysv:$key"
	run --separate-stderr -3 ferry who "sysv:$key"
	is_one_error_line
	run -1 ferry recv -n "sysv:$BATS_TEST_TMPDIR/queue"
	run --separate-stderr -1 ferry who "sysv:$BATS_TEST_TMPDIR/queue"
	ferry rm "sysv:$BATS_TEST_TMPDIR/queue"
	run --separate-stderr -3 ferry who "sysv:$BATS_TEST_TMPDIR/queue"
	is_one_error_line
}

@test "who gets a signal" {
	start sleep 60
	[ "$(who "signal:$child")" = "$child " ]
	start ferry recv "process:who$$"
	until_true holds "signal:who$$" "$child"
	for nobody in 4194304 "nobody$$"; do
		run --separate-stderr -3 ferry who "signal:$nobody"
		is_one_error_line
	done
}

@test "who says when there may be others that cannot be looked into" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
	name=@ferry-who-hidden-$$
	start ferry pipe -l "unix:$name"
	until_true holds "unix:$name" "$child"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 \
		--clear-groups "$(command -v ferry)" who "unix:$name"
	[ "$status" -eq 1 ]
	[[ "$stderr" == *'cannot be looked into'* ]]
}

@test "stat of queues of the kernel" {
	run -1 ferry recv -n "mq:/stat$$?capacity=4&max=100"
	ferry send "mq:/stat$$" one
	[ "$(figure "mq:/stat$$" capacity)" -eq 4 ]
	[ "$(figure "mq:/stat$$" queued)" -eq 1 ]
	[ "$(ferry stat --json "mq:/stat$$" | jq .message_max)" -eq 100 ]
	ferry rm "mq:/stat$$"
	run --separate-stderr -3 ferry stat "mq:/stat$$"
	is_one_error_line
	key=0x$(printf %x $((0x40000000 + $$)))
	run -1 ferry recv -n "sysv:$key?capacity=1000"
	[ "$(ferry stat --json "sysv:$key" | jq -c 'del(.name)')" = \
		'{"queued":0,"bytes":0,"bytes_max":1000}' ]
	start ferry send "sysv:$key" four
	wait "$child"
	[ "$(ferry stat --json "sysv:$key" | jq .bytes)" -eq 4 ]
	[ "$(ferry stat --json "sysv:$key" | jq .last_sender)" -eq "$child" ]
	ferry stat --json "sysv:$key" | jq -e '.last_sent' >/dev/null
	ferry rm "sysv:$key"
	run --separate-stderr -3 ferry stat "sysv:$key"
	is_one_error_line
}

@test "ls of other mechanisms: each object once, with what stat tells of it" {
	dir=$BATS_TEST_TMPDIR
	key=0x$(printf %x $((0x50000000 + $$)))
	run -1 ferry recv -n "sysv:$key?capacity=1000"
	[ "$(ferry ls --names sysv: | grep -c "^sysv:$key$")" -eq 1 ]
	[ "$(ferry ls --json sysv: | jq -c "select(.name == \"sysv:$key\")")" = \
		"$(ferry stat --json "sysv:$key")" ]
	python 'import socket, sys
many = []
for name in "@a b?c" + sys.argv[2], sys.argv[1] + "/stream":
    s = socket.socket(socket.AF_UNIX); s.bind(name.replace("@", "\0", 1)); s.listen(7)
    many += [s]
c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1] + "/stream"); many += [c, s.accept()]
for kind, host in (1, "127.0.0.1"), (2, "127.0.0.1"), (1, "0.0.0.0"), (1, "::1"):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    s.bind((host, 0)); many += [s]
    if kind == 1: s.listen()
    print(s.getsockname()[1], file=open(sys.argv[1] + "/ports", "a"))' "$dir" $$
	[ "$(ferry ls --names unix: | grep -c "^unix:$dir/stream$")" -eq 1 ]
	ferry ls --names unix: | grep -qx "unix:@a%20b%3Fc$$"
	ferry stat "$(ferry ls --names unix: | grep "^unix:@a.*$$$")" | grep -q '^backlog *7'
	mapfile -t ports <"$dir/ports"
	ferry ls --names tcp: >"$dir/tcp"
	grep -qx "tcp:127.0.0.1:${ports[0]}" "$dir/tcp"
	grep -qx "tcp:\*:${ports[2]}" "$dir/tcp"
	grep -qx "tcp:\[::1\]:${ports[3]}" "$dir/tcp"
	run ! grep ":${ports[1]}$" "$dir/tcp"
	ferry ls udp: | grep -q "^udp:127.0.0.1:${ports[1]} .*1 "
	ferry ls tcp: sysv: >"$dir/both"
	[ "$(grep -c '^ADDRESS' "$dir/both")" -eq 2 ]
	ferry rm "sysv:$key"
}

@test "ls of queues of POSIX, where they are mounted" {
	run -1 ferry recv -n "mq:/ls$$?capacity=3"
	ferry ls mq: >"$BATS_TEST_TMPDIR/out" 2>&1 || {
		grep -q 'mount -t mqueue' "$BATS_TEST_TMPDIR/out"
		ferry rm "mq:/ls$$"
		skip "the queues are not mounted"
	}
	[ "$(awk -v n="mq:/ls$$" '$1 == n { print $2, $NF }' "$BATS_TEST_TMPDIR/out")" = "3 0" ]
	ferry rm "mq:/ls$$"
	run ! grep "mq:/ls$$" <(ferry ls --names mq:)
}

@test "ls says what it cannot list" {
	run --separate-stderr -2 ferry ls fifo:
	is_one_error_line
	[[ "$stderr" == *find* ]]
	run --separate-stderr -2 ferry ls nothing:
	is_one_error_line
	run --separate-stderr -2 ferry ls jobs
	is_one_error_line
	[ "$(ferry ls --names --json tcp: | jq -r 'select(.name == null)')" = "" ]
	run --separate-stderr -2 ferry ls -l mq:
	is_one_error_line
}

@test "stat of a log: its records, and a torn one" {
	log=$BATS_TEST_TMPDIR/log
	for word in one two three; do
		ferry send "file:$log" "$word"
	done
	[ "$(figure "file:$log" records)" -eq 3 ]
	[ "$(figure "file:$log" torn)" -eq 0 ]
	truncate -s -2 "$log"
	[ "$(figure "file:$log" records)" -eq 2 ]
	[ "$(figure "file:$log" torn)" -gt 2 ]
	echo "something else" >"$log"
	[ "$(figure "file:$log" log)" = no ]
	[ "$(figure "file:$log" bytes)" -eq 15 ]
	run --separate-stderr -3 ferry stat "file:$log.none"
	is_one_error_line
	run --separate-stderr -2 ferry stat "file:$BATS_TEST_TMPDIR"
	is_one_error_line
}

@test "stat of a FIFO opens nothing for anybody" {
	fifo=$BATS_TEST_TMPDIR/fifo
	mkfifo "$fifo"
	[ "$(figure "fifo:$fifo" readers)" -eq 0 ]
	start sh -c 'echo >"$1.about"; exec 3<"$1"; echo >"$1.open"
		exec sleep 60' sh "$fifo"
	until_true test -s "$fifo.about"
	ferry stat "fifo:$fifo"
	[ ! -e "$fifo.open" ]
	start sh -c 'exec 3<>"$1"; echo >"$1.both"; exec sleep 60' sh "$fifo"
	until_true test -s "$fifo.both"
	until_true test -s "$fifo.open"
	[ "$(figure "fifo:$fifo" readers)" -eq 2 ]
	[ "$(figure "fifo:$fifo" writers)" -eq 1 ]
}

@test "stat of sockets" {
	python 'import socket, sys
kept = []
for family, name in ((socket.AF_UNIX, sys.argv[1]),
	(socket.AF_INET, ("127.0.0.1", 0))):
	door = socket.socket(family)
	door.bind(name)
	door.listen(7)
	for i in range(2):
		s = socket.socket(family)
		s.connect(door.getsockname())
		s.send(b"12345")
		kept += [s, door]
	kept.append(door.accept())
	print(door.getsockname()[1], flush=True)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
kept.append(s)
print(s.getsockname()[1], flush=True)' "$BATS_TEST_TMPDIR/s" \
		>"$BATS_TEST_TMPDIR/ports"
	a=unix:$BATS_TEST_TMPDIR/s
	[ "$(ferry stat --json "$a" | jq -c 'del(.name)')" = \
		'{"listening":true,"at_the_door":1,"backlog":7,"connections":1,"bytes":5}' ]
	a=tcp:localhost:$(sed -n 2p "$BATS_TEST_TMPDIR/ports")
	[ "$(ferry stat --json "$a" | jq -c '[.listening, .at_the_door, .bytes]')" = \
		'[true,1,5]' ]
	a=udp:localhost:$(sed -n 3p "$BATS_TEST_TMPDIR/ports")
	[ "$(ferry stat --json "$a" | jq -c '[.sockets, .listening, .bytes]')" = \
		'[1,false,0]' ]
	for a in "unix:@nobody$$" tcp:localhost:1 udp:localhost:1; do
		run --separate-stderr -3 ferry stat "$a"
		is_one_error_line
	done
}

@test "what cannot be told, or is not there, is an error of its own" {
	run --separate-stderr -3 ferry who "fifo:$BATS_TEST_TMPDIR/nothing"
	is_one_error_line
	run --separate-stderr -3 ferry who "mq:/nothing$$"
	is_one_error_line
	for address in signal:self signal:-2 pipe: fd:0; do
		run --separate-stderr -2 ferry who "$address"
		is_one_error_line
		[[ "$stderr" == *'cannot be told'* ]]
	done
	for address in tcp:localhost:1 udp:127.0.0.1:1 "unix:@nobody$$"; do
		run --separate-stderr -3 ferry who "$address"
		is_one_error_line
		[[ "$stderr" == *'nobody listens'* ]]
	done
	for address in tcp:localhost udp:127.0.0.1:0 unix: sysv:x; do
		run --separate-stderr -2 ferry who "$address"
		is_one_error_line
	done
	ln -s fifo "$BATS_TEST_TMPDIR/link"
	run --separate-stderr -2 ferry who "fifo:$BATS_TEST_TMPDIR/link"
	is_one_error_line
}

@test "rm takes what a dead listener has left, and nothing that lives" {
	s=$BATS_TEST_TMPDIR/socket
	start ferry pipe -l "unix:$s"
	until_true test -S "$s"
	run --separate-stderr -1 ferry rm "unix:$s"
	is_one_error_line
	[ -S "$s" ]
	kill -KILL "$child"
	wait "$child" || true
	[ -S "$s" ]
	ferry rm "unix:$s"
	[ ! -e "$s" ]
	run -3 ferry rm "unix:$s"
	ferry rm -f "unix:$s"
	for address in tcp:localhost:1 udp:localhost:1 signal:self pipe: fd:0 \
		unix:@x channel:x; do
		run --separate-stderr -2 ferry rm "$address"
		is_one_error_line
	done
}
