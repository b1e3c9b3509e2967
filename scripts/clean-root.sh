#!/bin/bash
# SPDX-License-Identifier: MIT
#
# clean-root.sh [COMMAND...]: the proof of the fresh machine.
#
# Makes a minimal Debian 12 that has nothing but git, clones what is committed
# here into it, and runs the commands there: by default `./run demo` and
# `./run test quick`.  Needs root and debootstrap.  This machine's apt sources,
# proxy and certificates are borrowed so that apt works.
set -euo pipefail

repo=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || set -- './run demo' './run test quick'
[ "$(id -u)" = 0 ] || {
	echo "clean-root: must be root" >&2
	exit 1
}
command -v debootstrap >/dev/null ||
	apt-get install -y -q --no-install-recommends debootstrap

# shellcheck disable=SC2016 # expanded inside
root=$(mktemp -d "${TMPDIR:-/var/tmp}/ferry-clean-root.XXXXXX")
chmod 755 "$root" # it becomes /
inside() {
	unshare --mount --pid --fork --kill-child bash -euc '
		mount -t tmpfs none "$0/dev/shm"
		mkdir -p "$0/dev/pts"
		mount -t devpts -o newinstance,ptmxmode=0666 none "$0/dev/pts"
		ln -sf pts/ptmx "$0/dev/ptmx"
		mount --bind /dev/null "$0/dev/null"
		mount -t proc none "$0/proc"
		exec chroot "$0" env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			bash -euc "$1"' "$root" "$1"
}
trap 'rm -rf --one-file-system "$root"' EXIT

debootstrap --variant=minbase \
	bookworm "$root" >"$root.log" 2>&1 || {
	tail "$root.log" >&2
	exit 1
}
rm "$root.log"
cp -L /etc/resolv.conf "$root/etc/"
rm -rf "$root/etc/apt/sources.list"
cp -a /etc/apt/. "$root/etc/apt/"
cp -a /usr/share/keyrings/. "$root/usr/share/keyrings/"
mkdir -p "$root/etc/ssl/certs"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" || :
git clone -q --bare "$repo" "$root/srv/ferry.git"

inside 'apt-get update -q && apt-get install -q -y --no-install-recommends git
	git clone -q file:///srv/ferry.git /srv/ferry' >"$root/setup.log" 2>&1 || {
	tail "$root/setup.log" >&2
	exit 1
}
for command; do
	echo "clean-root: $command"
	start=$SECONDS
	inside "cd /srv/ferry && $command"
	echo "clean-root: $command: done in $((SECONDS - start)) s"
done
