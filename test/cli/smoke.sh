#!/bin/sh
# SPDX-License-Identifier: MIT
#
# smoke.sh FERRY [RUNNER]: the command once around, for builds that are not
# tested in full (static musl; aarch64 under qemu).  RUNNER stands in front of
# the binary, e.g. qemu-aarch64-static.
set -eu

ferry_binary=$1
runner=${2:-}
FERRY_REALM=$(mktemp -d "${TMPDIR:-/dev/shm}/ferry-smoke.XXXXXX")
export FERRY_REALM
trap 'rm -rf "$FERRY_REALM"' EXIT

ferry() {
	# shellcheck disable=SC2086
	$runner "$ferry_binary" "$@"
}

# is WHAT WANTED GOT
is() {
	if [ "$2" != "$3" ]; then
		printf 'smoke: %s: wanted "%s", got "%s"\n' "$@" >&2
		exit 1
	fi
}

status_of() {
	"$@" >/dev/null 2>&1 && echo 0 || echo $?
}

ferry version >/dev/null
ferry mk jobs --capacity 100 --max 64K --dead-letter jobs.dead
is "mk twice" 1 "$(status_of ferry mk jobs)"
ferry send jobs hello
is "recv" hello "$(ferry recv -t 10s jobs)"
is "recv -n" 1 "$(status_of ferry recv -n jobs)"
is "no such mailbox" 3 "$(status_of ferry send nothing x)"
printf '1\n2\n3\n' | ferry send -l jobs
is "ls" "jobs jobs.dead" "$(ferry ls --names | tr '\n' ' ' | sed 's/ $//')"
is "peek" 1 "$(ferry peek jobs)"
is "work" 6 "$(ferry work jobs --until-empty -- echo {} |
	awk '{ n += $1 } END { print n }')"
ferry send jobs poison
ferry work -q jobs --retries 1 --delay 1ms --until-empty -- false
is "dead letter" poison "$(ferry recv -n jobs.dead)"
is "who" 1 "$(status_of ferry who jobs)"
ferry rm jobs jobs.dead
is "rm" "" "$(ferry ls --names)"
echo "smoke: ok"
