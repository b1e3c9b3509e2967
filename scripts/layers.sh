#!/bin/sh
# SPDX-License-Identifier: MIT
#
# layers.sh [TREE]: an include points down, never up.
#
# Each room lists the rooms that it may include.  Proofs (x_test.[ch]) may look
# anywhere.  What stands on the library (tools, examples, bench, bindings) sees
# the installed headers, the system's, and its own folder.
set -eu
cd "${1:-$(dirname "$0")/..}"

find src include tools examples bench bindings -name '*.[ch]' \
	! -name '*_test.[ch]' 2>/dev/null | sort | while read -r file; do
	sed -n "s|^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<\"][^>\"]*\).*|$file \1|p" "$file"
done | awk '
BEGIN {
	below["base"] = " base "
	below["sys"] = " base sys "
	below["wire"] = " base wire "
	below["shm"] = " base wire shm "
	below["realm"] = " base sys wire shm realm "
	below["wait"] = " base sys wire shm realm wait "
	below["link"] = " base sys wire shm realm wait link "
	below["inspect"] = " base sys wire shm realm wait link inspect "
}
function wrong(why) {
	print $1 ": includes " substr($2, 2) ": " why
	bad = 1
}
function exists(path) {
	return system("test -e " path) == 0
}
{
	n = split($1, from, "/")
	name = substr($2, 2)
	quoted = substr($2, 1, 1) == "\""
	split(name, to, "/")
}
from[1] == "include" {
	if (quoted)
		wrong("an installed header is named <ferry/...>")
	next
}
from[1] != "src" {
	folder = $1
	sub(/[^\/]*$/, "", folder)
	if (quoted && !exists(folder name) && !exists(folder name ".in"))
		wrong("only installed headers are seen from here")
	next
}
!(from[2] in below) {
	wrong("the room " from[2] " has no line in scripts/layers.sh")
	next
}
quoted && !index(below[from[2]], " " to[1] " ") {
	wrong(from[2] "/ may not see " to[1] "/, or it is not written ROOM/x.h")
}
!quoted && to[1] == "ferry.h" {
	wrong("a room includes the part it needs, <ferry/x.h>")
}
END { exit bad }'
