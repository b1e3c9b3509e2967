#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The other side is nc or socat: every kind of socket, a FIFO, a terminal and a log,
# once with the stranger as the active side and once as the passive one.

# shellcheck disable=SC2030,SC2031 # each test is a process, and sets its own

load helper

tmp() {
	printf '%s/%s' "$BATS_TEST_TMPDIR" "$1"
}

# in_background COMMAND...: its output is in out, its errors in err.
in_background() {
	rm -f "$(tmp out)" "$(tmp err)"
	"$@" <&0 >"$(tmp out)" 2>"$(tmp err)" 3>&- &
	child=$!
	children+=("$child")
}

# At the door of one client, whom it sends a line; $port is what the system chose.
ferry_listens() {
	in_background ferry -v pipe -l "$1" < <(echo "from ferry")
	until_true grep -q "listening at" "$(tmp err)"
	port=$(sed -n 's/.*listening at.*:\([0-9]*\)$/\1/p' "$(tmp err)")
}

ferry_receives() {
	in_background ferry -v recv "$@"
	until_true grep -q "receiving at" "$(tmp err)"
	port=$(sed -n 's/.*receiving at.*:\([0-9]*\)$/\1/p' "$(tmp err)")
}

# What was started ended well, and has read that.
has_read() {
	wait "$child"
	[ "$(cat "$(tmp out)")" = "$1" ]
}

is_written() {
	[ "$(cat "$(tmp out)")" = "$1" ]
}

# free_port: one that nobody had a moment ago, for those who cannot say which they got.
free_port() {
	python3 -c 'import socket, sys
s = socket.socket(type=getattr(socket, sys.argv[1]))
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])' "$1"
}

listens_tcp() {
	ss -ltnH "sport = :$1" | grep -q .
}

has_udp() {
	ss -lunH "sport = :$1" | grep -q .
}

needs() {
	local what
	for what; do
		command -v "$what" >/dev/null || skip "$what is not there"
	done
}

# --- tcp ----------------------------------------------------------------------

@test "nc and socat come to a tcp door, and both sides are heard" {
	needs nc socat
	ferry_listens tcp::0
	[ "$(echo "from nc" | nc -N -w 5 127.0.0.1 "$port")" = "from ferry" ]
	has_read "from nc"
	ferry_listens 'tcp:[::1]:0'
	[ "$(echo "from socat" | socat -t 5 - "tcp6:[::1]:$port")" = "from ferry" ]
	has_read "from socat"
}

@test "nc and socat are tcp doors" {
	needs nc socat ss python3
	port=$(free_port SOCK_STREAM)
	in_background nc -N -l 127.0.0.1 "$port" < <(echo "from nc")
	until_true listens_tcp "$port"
	run -0 ferry pipe "tcp:127.0.0.1:$port" <<<"from ferry"
	[ "$output" = "from nc" ]
	has_read "from ferry"
	port=$(free_port SOCK_STREAM)
	in_background socat -t 5 - "tcp-listen:$port,bind=127.0.0.1" < <(echo "from socat")
	until_true listens_tcp "$port"
	run -0 ferry pipe "tcp:127.0.0.1:$port" <<<"from ferry"
	[ "$output" = "from socat" ]
	has_read "from ferry"
}

@test "a line of nc's is a message" {
	needs nc
	ferry mk jobs
	in_background ferry -v pipe -l 'tcp::0?framing=line' jobs
	until_true grep -q "listening at" "$(tmp err)"
	port=$(sed -n 's/.*listening at.*:\([0-9]*\).*/\1/p' "$(tmp err)")
	printf 'a b\nc\n' | nc -N -w 5 127.0.0.1 "$port"
	wait "$child"
	run -0 ferry recv -l -C 2 jobs
	[ "$output" = $'a b\nc' ]
}

# --- unix ---------------------------------------------------------------------

@test "nc and socat come to a unix door, a path and an abstract name" {
	needs nc socat
	ferry_listens "unix:$(tmp door)"
	[ "$(echo "from nc" | nc -N -w 5 -U "$(tmp door)")" = "from ferry" ]
	has_read "from nc"
	ferry_listens "unix:@strangers$$"
	[ "$(echo "from socat" | socat -t 5 - "abstract:strangers$$")" = "from ferry" ]
	has_read "from socat"
}

@test "nc and socat are unix doors" {
	needs nc socat
	in_background nc -N -l -U "$(tmp door)" < <(echo "from nc")
	until_true test -S "$(tmp door)"
	[ "$(ferry pipe "unix:$(tmp door)" <<<"from ferry")" = "from nc" ]
	has_read "from ferry"
	in_background socat -t 5 - "unix-listen:$(tmp other)" < <(echo "from socat")
	until_true test -S "$(tmp other)"
	[ "$(ferry pipe "unix:$(tmp other)" <<<"from ferry")" = "from socat" ]
	has_read "from ferry"
}

@test "a packet of socat's is a message, and a message is a packet" {
	needs socat
	ferry mk jobs
	in_background ferry pipe -l "unix:$(tmp door)?type=seqpacket" jobs
	until_true test -S "$(tmp door)"
	printf 'a packet\nof two lines' | socat -u - "unix-connect:$(tmp door),socktype=5"
	wait "$child"
	run -0 ferry recv -n jobs
	[ "$output" = $'a packet\nof two lines' ]
	in_background socat -u "unix-listen:$(tmp back),socktype=5" -
	until_true test -S "$(tmp back)"
	ferry send "unix:$(tmp back)?type=seqpacket" "a message"
	has_read "a message"
}

@test "datagrams go from nc and socat, and to them" {
	needs nc socat
	ferry_receives "unix:$(tmp in)?type=dgram"
	echo -n "from nc" | nc -u -U -w 1 "$(tmp in)"
	has_read "from nc"
	ferry_receives "unix:$(tmp in)?type=dgram"
	echo -n "from socat" | socat -u - "unix-sendto:$(tmp in)"
	has_read "from socat"
	in_background socat -u "unix-recv:$(tmp out.sock)" -
	until_true test -S "$(tmp out.sock)"
	ferry send "unix:$(tmp out.sock)?type=dgram" "from ferry"
	until_true is_written "from ferry"
}

# --- udp ----------------------------------------------------------------------

@test "datagrams over udp go from nc and socat, and to them" {
	needs nc socat ss python3
	ferry_receives udp::0
	echo -n "from nc" | nc -u -w 1 127.0.0.1 "$port"
	has_read "from nc"
	ferry_receives 'udp:[::1]:0'
	echo -n "from socat" | socat -u - "udp6-sendto:[::1]:$port"
	has_read "from socat"
	port=$(free_port SOCK_DGRAM)
	in_background nc -u -l 127.0.0.1 "$port" </dev/null
	until_true has_udp "$port"
	ferry send "udp:127.0.0.1:$port" "to nc"
	until_true is_written "to nc"
	port=$(free_port SOCK_DGRAM)
	in_background socat -u "udp-recv:$port,bind=127.0.0.1" -
	until_true has_udp "$port"
	ferry send "udp:127.0.0.1:$port" "to socat"
	until_true is_written "to socat"
}

# --- files --------------------------------------------------------------------

@test "socat and a shell's redirection at a FIFO" {
	needs socat
	in_background ferry recv -l -C 2 "fifo:$(tmp fifo)?keep"
	until_true test -p "$(tmp fifo)"
	echo "from socat" | socat -u - "pipe:$(tmp fifo)"
	echo "from a shell" >"$(tmp fifo)"
	has_read $'from socat\nfrom a shell'
	rm -f "$(tmp fifo)"
	mkfifo "$(tmp fifo)"
	in_background socat -u "open:$(tmp fifo),rdonly" -
	ferry send -l "fifo:$(tmp fifo)" "from ferry"
	has_read "from ferry"
}

@test "socat's terminal is a link" {
	needs socat
	in_background socat "pty,link=$(tmp tty),raw,echo=0" - < <(
		echo "from socat"
		until_true test -e "$(tmp over)"
	)
	until_true test -c "$(tmp tty)"
	[ "$(ferry recv -l 'fd:0?framing=line' <"$(tmp tty)")" = "from socat" ]
	ferry send 'fd:1?framing=line' "from ferry" >"$(tmp tty)"
	until_true is_written "from ferry"
	: >"$(tmp over)"
	wait "$child"
}
