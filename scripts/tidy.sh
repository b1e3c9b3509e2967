#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tidy.sh BUILD_DIR FILE...: clang-tidy, with the flags of that build, finds
# no pattern of a bug in the files that the build compiles.
set -eu

build=$1
shift
for file; do
	! grep -qF "/$(basename "$file")\"" "$build/compile_commands.json" ||
		echo "$file"
done | xargs -r -n 4 -P "$(nproc)" clang-tidy --quiet -p "$build" 2>/dev/null
