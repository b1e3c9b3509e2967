#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Build and run the whole programs that stand in the manual, as examples/run.sh does
# with the examples: each must print what is in PAGE.out here.
#
#	test/manual/run.sh BUILD_DIR
#
# A program is what stands between .Bd -literal and .Ed, and has a main().
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT
trap 'exit 130' INT TERM

for page in "$top"/man/*.[37]; do
	name=$(basename "$page")
	awk '
		/^\.Bd -literal/ { inside = 1; text = ""; next }
		/^\.Ed/ {
			if (text ~ /\nint main\(/)
				printf "%s", text
			inside = 0
			next
		}
		inside {
			sub(/^\\&/, "")
			gsub(/\\e/, "\\")
			text = text $0 "\n"
		}' "$page" >"$programs/$name.c"
	[ -s "$programs/$name.c" ] || rm "$programs/$name.c"
done
for out in "$here"/*.out; do
	name=$(basename "$out" .out)
	[ -e "$programs/$name.c" ] || {
		echo "manual: no whole program stands in $name" >&2
		exit 1
	}
	cp "$out" "$programs"
done
"$top/examples/run.sh" "$1" "$programs"
