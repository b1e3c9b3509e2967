#!/bin/sh
# SPDX-License-Identifier: MIT
#
# calls.sh OBJECT...: what the rooms may call, seen in their objects.
#
#   base, shm, wire   are pure: bytes and strings only, and each other
#   sys               calls the kernel, as the only one
#   the others        also have memory, mutexes and the environment
#   wait              is the only one that sleeps
#
# Objects are named as meson names them, ROOM_file.c.o, and built without
# sanitizers.  A new name in a list needs a reason.
set -eu
export LC_ALL=C

nm -A -P "$@" | awk '
function list(into, words,	i, n, w) {
	n = split(words, w, " ")
	for (i = 1; i <= n; i++)
		into[w[i]] = 1
}
function room_of(path) {
	sub(/:$/, "", path)
	sub(/\[.*\]$/, "", path)
	sub(/.*\//, "", path)
	sub(/_.*/, "", path)
	return path
}
BEGIN {
	list(is_pure, "base wire shm")
	list(pure, "memchr memcmp memcpy memmove memrchr memset qsort bsearch")
	list(pure, "snprintf vsnprintf __popcountdi2 __tls_get_addr")
	list(pure, "_GLOBAL_OFFSET_TABLE_ __stack_chk_fail __assert_fail")
	list(other, "malloc calloc realloc free getenv")
	list(other, "pthread_once pthread_atfork pthread_self")
	list(sleeps, "ferryi_futex_wait ferryi_poll")
}
{ room = room_of($1) }
$3 != "U" && $2 ~ /^ferry/ { home[$2] = room }
$3 == "U" { used[room, $2] = $1 }
END {
	for (key in used) {
		split(key, k, SUBSEP)
		room = k[1]; name = k[2]
		why = ""
		if (room == "sys")
			;
		else if (name in sleeps && room != "wait")
			why = "only wait/ sleeps"
		else if (name ~ /^ferryi?_/) {
			if (room in is_pure && !(home[name] in is_pure))
				why = "not pure: it lives in " home[name] "/"
		} else if (name in pure || name ~ /^(__isoc[0-9]+_)?(str|sscanf$)/)
			;
		else if (room in is_pure)
			why = "not pure"
		else if (!(name in other) && name !~ /^pthread_mutex_/)
			why = "only sys/ calls the system"
		if (why) {
			print used[key] " calls " name ": " why
			bad = 1
		}
	}
	exit bad
}'
