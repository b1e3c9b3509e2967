# SPDX-License-Identifier: MIT
#
# What the tests of the command share: a realm for each test, waiting for
# conditions, and the end, after which nothing may be left.
#
# `ferry` is found on the PATH, or named by $FERRY.

bats_require_minimum_version 1.5.0

setup() {
	if [ -n "${FERRY:-}" ]; then
		PATH=$(dirname "$FERRY"):$PATH
	fi
	FERRY_REALM=$(mktemp -d /dev/shm/ferry-cli.XXXXXX)
	export FERRY_REALM
	unset NO_COLOR
	children=()
}

teardown() {
	for pid in "${children[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	chmod 700 "$FERRY_REALM" || true
	rm -rf "$FERRY_REALM"
}

# Start a command in the background; its pid is in $child.
start() {
	"$@" 3>&- &
	child=$!
	children+=("$child")
}

# has_ended: for until_true: what start() has started has.
has_ended() {
	[ ! -e "/proc/$child" ] || grep -q ') Z ' "/proc/$child/stat"
}

# is_ended_by_sigterm: kill what start() has started; it says nothing more in the file err.
is_ended_by_sigterm() {
	local status=0
	kill -TERM "$child"
	until_true has_ended
	wait "$child" || status=$?
	[ "$status" -eq 143 ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
}

# until_true COMMAND...: wait for a condition, at most ten seconds.
until_true() {
	local end=$((SECONDS + 10))
	while ! "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || {
			echo "never became true: $*"
			return 1
		}
		sleep 0.02
	done
}

# figure NAME FIELD: a figure of `ferry stat`.
figure() {
	ferry stat "$1" | awk -v f="$2" '$1 == f { print $2 }'
}

# has NAME FIELD VALUE: for until_true.
has() {
	[ "$(figure "$1" "$2")" = "$3" ]
}

# The last error is one line "ferry: ...: what (what to do)".
is_one_error_line() {
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ "$stderr" == "ferry: "* ]]
}
