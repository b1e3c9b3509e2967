#!/bin/sh
# SPDX-License-Identifier: MIT
#
# format.sh FILE...: the C files look as .clang-format says.
# `./run format` makes them so.
set -eu
clang-format --style=file --dry-run -Werror "$@" 2>&1 |
	sed -n 's/^\([^:]*\):.*code should be clang-formatted.*/\1/p' |
	sort | uniq -c | awk '
	{ print $2 ": " $1 " places are not formatted"; bad = 1 }
	END { exit bad }'
