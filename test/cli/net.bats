#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Links past this process's kernel socket to anybody: other programs, other hosts.
# Ports are chosen by the system, and read from what the command says.

# shellcheck disable=SC2030,SC2031 # each test is a process, and sets its own

load helper

# listen [COMMAND-PREFIX...] -- ARGUMENTS...: `ferry pipe -lv`, in the background;
# $port is where, its output is in out, its status in status.
listen() {
	local before=()
	while [ "$1" != -- ]; do
		before+=("$1")
		shift
	done
	shift
	rm -f "$BATS_TEST_TMPDIR"/{out,err,status}
	{
		"${before[@]}" ferry -v pipe -l "$@" >"$BATS_TEST_TMPDIR/out" \
			2>"$BATS_TEST_TMPDIR/err" 3>&- && s=0 || s=$?
		echo "$s" >"$BATS_TEST_TMPDIR/status"
	} <&0 &
	children+=("$!")
	said "listening at"
}

# receive [COMMAND-PREFIX...] -- ARGUMENTS...: the same of `ferry recv -v`.
receive() {
	local before=()
	while [ "$1" != -- ]; do
		before+=("$1")
		shift
	done
	shift
	rm -f "$BATS_TEST_TMPDIR"/{out,err,status}
	{
		"${before[@]}" ferry -v recv "$@" >"$BATS_TEST_TMPDIR/out" \
			2>"$BATS_TEST_TMPDIR/err" 3>&- && s=0 || s=$?
		echo "$s" >"$BATS_TEST_TMPDIR/status"
	} &
	children+=("$!")
	said "receiving at"
}

# said WORDS: sets $port to the one behind them.
said() {
	until_true grep -q "$1" "$BATS_TEST_TMPDIR/err"
	port=$(sed -n "s/.*$1.*:\([0-9]*\)$/\1/p" "$BATS_TEST_TMPDIR/err")
}

# The status of what was started, once it is there.
ended() {
	until_true test -s "$BATS_TEST_TMPDIR/status"
	cat "$BATS_TEST_TMPDIR/status"
}

# Two name spaces of the network, 10.9.8.1 and 10.9.8.2, and an end of a cable each.
two_hosts() {
	command -v ip >/dev/null || skip "ip is not there"
	a=ferry-a-$$ b=ferry-b-$$
	ip netns add "$a" 2>/dev/null || skip "no name space may be made here"
	ip netns add "$b"
	ip link add "fa$$" netns "$a" type veth peer name "fb$$" netns "$b" ||
		skip "there is no veth"
	ip -n "$a" addr add 10.9.8.1/24 dev "fa$$"
	ip -n "$b" addr add 10.9.8.2/24 dev "fb$$"
	ip -n "$b" link set lo up
	ip -n "$a" link set "fa$$" up
	ip -n "$b" link set "fb$$" up
	in_a=(ip netns exec "$a") in_b=(ip netns exec "$b")
}

teardown() {
	for pid in "${children[@]}"; do
		pkill -KILL -P "$pid" || true
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	[ -z "${a:-}" ] || ip netns del "$a" || true
	[ -z "${b:-}" ] || ip netns del "$b" || true
	rm -rf "$FERRY_REALM"
}

# --- tcp ----------------------------------------------------------------------

@test "bytes go both ways over tcp, and each side hears the end of the other" {
	seq 1 50000 >"$BATS_TEST_TMPDIR/there"
	seq 50000 99999 >"$BATS_TEST_TMPDIR/back"
	listen -- tcp::0 <"$BATS_TEST_TMPDIR/back"
	ferry pipe "tcp:localhost:$port" <"$BATS_TEST_TMPDIR/there" \
		>"$BATS_TEST_TMPDIR/got"
	[ "$(ended)" = 0 ]
	cmp "$BATS_TEST_TMPDIR/back" "$BATS_TEST_TMPDIR/got"
	cmp "$BATS_TEST_TMPDIR/there" "$BATS_TEST_TMPDIR/out"
	grep -q "connected: tcp:127.0.0.1:" "$BATS_TEST_TMPDIR/err"
}

@test "a Python client talks to a tcp door" {
	command -v python3 >/dev/null || skip "python3 is not there"
	listen -- tcp::0 <<<"from ferry"
	run -0 python3 - "$port" <<-'END'
		import socket, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		s.sendall(b"from python")
		s.shutdown(socket.SHUT_WR)
		print(s.makefile().read(), end="")
	END
	[ "$output" = "from ferry" ]
	[ "$(ended)" = 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "from python" ]
}

@test "a Python server is talked to, a message a line" {
	command -v python3 >/dev/null || skip "python3 is not there"
	mkfifo "$BATS_TEST_TMPDIR/port"
	start python3 -c 'import socket, sys
s = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1], "w").write(str(s.getsockname()[1]))
heard = s.accept()[0].makefile().read()
open(sys.argv[2], "w").write(heard)' "$BATS_TEST_TMPDIR/port" "$BATS_TEST_TMPDIR/heard"
	port=$(cat "$BATS_TEST_TMPDIR/port")
	seq 3 | ferry send -l "tcp:127.0.0.1:$port?framing=line"
	wait "$child"
	[ "$(cat "$BATS_TEST_TMPDIR/heard")" = $'1\n2\n3' ]
}

@test "nc and socat talk to a tcp door" {
	command -v nc >/dev/null || command -v socat >/dev/null ||
		skip "neither nc nor socat is there"
	if command -v nc >/dev/null; then
		listen -- -r tcp::0
		echo "from nc" | nc -w 5 127.0.0.1 "$port"
		[ "$(ended)" = 0 ]
		[ "$(cat "$BATS_TEST_TMPDIR/out")" = "from nc" ]
	fi
	if command -v socat >/dev/null; then
		listen -- -r tcp::0
		echo "from socat" | socat - "tcp:127.0.0.1:$port"
		[ "$(ended)" = 0 ]
		[ "$(cat "$BATS_TEST_TMPDIR/out")" = "from socat" ]
	fi
}

@test "nobody there, a port in use and a bad address are told apart" {
	listen -- -r tcp::0
	run -1 --separate-stderr ferry pipe -l "tcp::$port" </dev/null
	is_one_error_line
	[[ "$stderr" == *"in use"* ]]
	ferry pipe "tcp::$port" </dev/null
	[ "$(ended)" = 0 ]
	run -3 --separate-stderr ferry pipe "tcp::$port" </dev/null
	is_one_error_line
	run -2 --separate-stderr ferry pipe tcp:localhost </dev/null
	[[ "$stderr" == *"HOST:PORT"* ]]
	run -124 ferry pipe -l -t 50ms tcp::0 </dev/null
}

# --- datagrams ----------------------------------------------------------------

@test "a datagram says from where it came, and is answered there" {
	receive -- --json udp::0
	run -0 ferry send "udp::$port" hello
	[ "$(ended)" = 0 ]
	run -0 jq -r '.data, .from' "$BATS_TEST_TMPDIR/out"
	[ "${lines[0]}" = hello ]
	[[ "${lines[1]}" == udp:127.0.0.1:* ]]
	receive -- "udp::${lines[1]##*:}"
	run -0 ferry send --to "${lines[1]}" udp: answer
	[ "$(ended)" = 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = answer ]
}

@test "each of many lines has the destination that was given" {
	receive -- -l -C 3 udp::0
	seq 3 | ferry send -l --to "udp:127.0.0.1:$port" 'udp:?bind=:0'
	[ "$(ended)" = 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = $'1\n2\n3' ]
	run -2 ferry send --to udp:somewhere:7 udp: x
	ferry mk jobs
	run -2 ferry send --to udp::7 jobs x
	run -2 ferry send --to udp::7 --type 3 udp: x
}

@test "a Python socket sends a datagram, and its process is named" {
	command -v python3 >/dev/null || skip "python3 is not there"
	receive -- --json "unix:$BATS_TEST_TMPDIR/d?type=dgram"
	run -0 python3 - "$BATS_TEST_TMPDIR" <<-'END'
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1] + "/own")
		s.sendto(b"hello", sys.argv[1] + "/d")
		print(os.getpid())
	END
	[ "$(ended)" = 0 ]
	[ "$(jq .sender.pid "$BATS_TEST_TMPDIR/out")" = "$output" ]
	[ "$(jq -r .from "$BATS_TEST_TMPDIR/out")" = "unix:$BATS_TEST_TMPDIR/own" ]
	[ ! -e "$BATS_TEST_TMPDIR/d" ]
}

# --- two hosts ----------------------------------------------------------------

@test "a stream and datagrams go from one host to another" {
	two_hosts
	seq 1 50000 >"$BATS_TEST_TMPDIR/in"
	listen "${in_b[@]}" -- -r "tcp:*:0"
	"${in_a[@]}" ferry pipe "tcp:10.9.8.2:$port" <"$BATS_TEST_TMPDIR/in"
	[ "$(ended)" = 0 ]
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	grep -q "connected: tcp:10.9.8.1:" "$BATS_TEST_TMPDIR/err"
	receive "${in_b[@]}" -- --json udp:10.9.8.2:0
	"${in_a[@]}" ferry send "udp:10.9.8.2:$port?bind=*:0" hello
	[ "$(ended)" = 0 ]
	[[ "$(jq -r .from "$BATS_TEST_TMPDIR/out")" == udp:10.9.8.1:* ]]
}

@test "who names no host is not heard by another one" {
	two_hosts
	listen "${in_b[@]}" -- -r tcp::0
	run -3 "${in_a[@]}" ferry pipe "tcp:10.9.8.2:$port" </dev/null
	run -3 --separate-stderr "${in_a[@]}" ferry pipe tcp:10.7.7.7:7 </dev/null
	[[ "$stderr" == *"no way leads there"* ]]
}

@test "a host that is gone is noticed with keepalive" {
	two_hosts
	listen "${in_b[@]}" -- -r 'tcp:*:0?keepalive=1s'
	mkfifo "$BATS_TEST_TMPDIR/in"
	"${in_a[@]}" ferry pipe "tcp:10.9.8.2:$port" <"$BATS_TEST_TMPDIR/in" 3>&- &
	children+=("$!")
	exec 4>"$BATS_TEST_TMPDIR/in"
	echo alive >&4
	until_true grep -q alive "$BATS_TEST_TMPDIR/out"
	ip -n "$a" link set "fa$$" down
	[ "$(ended)" = 6 ]
	grep -q "no longer be reached" "$BATS_TEST_TMPDIR/err"
	exec 4>&-
}

@test "a stream is whole though the network loses and reorders" {
	two_hosts
	command -v tc >/dev/null || skip "tc is not there"
	"${in_a[@]}" tc qdisc add dev "fa$$" root netem delay 2ms 2ms loss 3% \
		reorder 20% 2>/dev/null || skip "there is no netem"
	head -c 2000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	listen "${in_b[@]}" -- -r "tcp:*:0"
	"${in_a[@]}" ferry pipe "tcp:10.9.8.2:$port" <"$BATS_TEST_TMPDIR/in"
	[ "$(ended)" = 0 ]
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "a name is looked up, and all of its addresses are tried" {
	command -v unshare >/dev/null || skip "unshare is not there"
	two_hosts
	local hosts=$BATS_TEST_TMPDIR/hosts
	# Nobody has the first one, and so nothing answers there.
	printf '%s both.test\n' 10.9.8.9 10.9.8.2 >"$hosts"
	local named=(unshare -m sh -c
		'mount --bind "$0" /etc/hosts && exec "$@"' "$hosts")
	"${in_a[@]}" "${named[@]}" true || skip "nothing may be mounted here"
	listen "${in_b[@]}" -- -r "tcp:*:0"
	echo found | "${in_a[@]}" "${named[@]}" ferry pipe "tcp:both.test:$port"
	[ "$(ended)" = 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = found ]
	run -3 --separate-stderr "${in_a[@]}" "${named[@]}" \
		env RES_OPTIONS="timeout:1 attempts:1" ferry pipe tcp:nobody.test:7
	[[ "$stderr" == *name* ]]
}
