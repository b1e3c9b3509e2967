#!/bin/sh
# SPDX-License-Identifier: MIT
#
# paths.sh [TREE]: no tracked file names a place of the machine that it is
# checked on: the home of the user, or a folder above the tree that is not one
# of every system.
set -eu
cd "${1:-$(dirname "$0")/..}"

places=$(
	[ "${HOME:-/}" = / ] || echo "$HOME"
	place=$(pwd -P)
	while [ "$place" != / ]; do
		echo "$place"
		place=$(dirname "$place")
	done
)
bad=0
for place in $places; do
	case $place in
	/home | /mnt | /opt | /run | /run/user | /srv | /tmp | /usr | /usr/src |\
		/var | /var/tmp | /dev/shm | /dev | /builds | /build) ;;
	*)
		if git grep -nF -- "$place/"; then
			echo "^ a path of this machine: $place/"
			bad=1
		fi
		;;
	esac
done
exit "$bad"
