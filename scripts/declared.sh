#!/bin/sh
# SPDX-License-Identifier: MIT
#
# declared.sh HEADER...: the names of the functions declared FERRY_API, sorted.
set -eu
export LC_ALL=C

cat "$@" | grep -v '^#' | tr '\n\t' '  ' | tr ';' '\n' |
	sed -n 's/.*FERRY_API \([^(]*\)(.*/\1/p' | sed 's/.*[ *]//' | sort -u
