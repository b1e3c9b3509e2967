#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Build every example against an installed copy, as a stranger would, run it
# and compare what it prints with the .out file beside it.
#
#	examples/run.sh BUILD_DIR [PROGRAMS]
#
# PROGRAMS is another directory of such files.  The copy is installed from BUILD_DIR into a temporary directory, and the
# mailboxes live in a realm of their own there; both are removed.  $CC compiles, and
# $EMULATOR runs what a cross compiler has made.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: examples/run.sh BUILD_DIR [PROGRAMS]}
programs=${2:-$here}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

meson install -C "$build" --no-rebuild --quiet --destdir "$tmp/copy" \
	>"$tmp/install.log" 2>&1 || {
	cat "$tmp/install.log" >&2
	exit 1
}
pc=$(find "$tmp/copy" -name ferry.pc | head -n 1)
[ -n "$pc" ] || {
	echo "examples: no ferry.pc was installed" >&2
	exit 1
}
PKG_CONFIG_PATH=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$tmp/copy
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
flags=$(pkg-config --cflags --libs ferry)

LD_LIBRARY_PATH=$(pkg-config --variable=libdir ferry)
case $LD_LIBRARY_PATH in
"$tmp"/*) ;;
*) LD_LIBRARY_PATH=$tmp/copy$LD_LIBRARY_PATH ;;
esac
FERRY_REALM=$tmp/realm
export LD_LIBRARY_PATH FERRY_REALM
mkdir -m 700 "$FERRY_REALM"

passed=0 failed=0
for source in "$programs"/*.c; do
	name=$(basename "$source" .c)
	case ${EMULATOR:-}/$name in
	qemu*/15-* | qemu*/ferry_signal.7)
		# it does not pass on real-time signals through a pidfd
		echo "skipped under $EMULATOR: $name" >&2
		continue
		;;
	esac
	# shellcheck disable=SC2086 # the flags are words
	if ${CC:-cc} -Wall -Wextra -Werror -pthread -o "$tmp/$name" \
		"$source" $flags &&
		timeout 30 ${EMULATOR:-} "$tmp/$name" >"$tmp/$name.out" &&
		diff -u "$programs/$name.out" "$tmp/$name.out"; then
		passed=$((passed + 1))
	else
		echo "examples: $name failed" >&2
		failed=$((failed + 1))
	fi
done
echo "examples: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
