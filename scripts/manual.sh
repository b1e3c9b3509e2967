#!/bin/sh
# SPDX-License-Identifier: MIT
#
# manual.sh MAN_DIR HEADER...: every exported function stands in a page of
# section 3, as .Fn or .Fo in its synopsis.
set -eu

man=$1
shift
bad=0
for name in $("$(dirname "$0")/declared.sh" "$@"); do
	grep -qE "^\.F[no] \"?$name( |\"|\$)" "$man"/*.3 || {
		echo "$name has no .Fn or .Fo in $man/*.3"
		bad=1
	}
done
exit "$bad"
