#!/bin/sh
# SPDX-License-Identifier: MIT
#
# versions.sh [TREE [LIBRARY]]: three numbers, each written in one place.
#
#   interface   FERRY_API_* in include/ferry/base.h, and meson's project version
#   soname      soname in src/meson.build, and in the library
#   format      FERRYI_FORMAT in src/shm/layout.h
set -eu
cd "${1:-$(dirname "$0")/..}"

bad=0
complain() {
	echo "versions: $*"
	bad=1
}
part() {
	sed -n "s/^#define FERRY_API_$1[[:space:]]*\([0-9][0-9]*\)\$/\1/p" \
		include/ferry/base.h
}
api=$(part MAJOR).$(part MINOR).$(part PATCH)
project=$(sed -n "s/^ *version: '\([^']*\)'.*/\1/p" meson.build)
soname=$(sed -n "s/^soname = '\([0-9]*\)'\$/\1/p" src/meson.build)
format=$(sed -n 's/^#define FERRYI_FORMAT[[:space:]]*\([0-9]*\)u*.*/\1/p' \
	src/shm/layout.h)

[ "$api" = "$project" ] ||
	complain "the interface is $api in base.h, $project in meson.build"
[ -n "$soname" ] || complain "src/meson.build has no line soname = 'N'"
[ -n "$format" ] || complain "src/shm/layout.h has no plain FERRYI_FORMAT"
if [ $# -gt 1 ]; then
	readelf -d "$2" | grep -qF "soname: [libferry.so.$soname]" ||
		complain "$2 has not the soname libferry.so.$soname"
fi
exit "$bad"
