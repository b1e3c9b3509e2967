#!/bin/sh
# SPDX-License-Identifier: MIT
#
# headers.sh INCLUDE_DIR: every header compiles alone, twice in a row, in C11
# and in C++, strictly, with each compiler that is there.
set -eu

dir=$1
bad=0
strict="-fsyntax-only -Wall -Wextra -Wpedantic -Werror -I$dir"

# alone COMPILER LANGUAGE STANDARD HEADER
alone() {
	command -v "$1" >/dev/null || return 0
	# shellcheck disable=SC2086 # the flags are words
	printf '#include <%s>\n#include <%s>\n' "$4" "$4" |
		"$1" $strict -x "$2" -std="$3" - || {
		echo "$4 does not compile alone with $1 -std=$3"
		bad=1
	}
}

for header in $(cd "$dir" && find . -name '*.h' | sed 's|^\./||'); do
	alone gcc c c11 "$header"
	alone clang c c11 "$header"
	alone g++ c++ c++11 "$header"
	alone clang++ c++ c++11 "$header"
done
exit "$bad"
