#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo_test.sh [RUNS [SEED]]: the demonstration, again and again on a small
# folder with awkward names, with kills at random moments.  The seed of a run
# that failed is printed: demo_test.sh 1 SEED repeats it.
#
# Needs ferry and ferry-demo on the PATH.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
runs=${1:-20}
seed=${2:-$(date +%s)}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A hundred files: empty, without a last newline, binary, with odd names.
make_files() {
	mkdir -p "$tmp/in/with space/new
line"
	: >"$tmp/in/empty"
	printf 'no newline' >"$tmp/in/-dash"
	printf 'caf\303\251 \001 x\001y \377\n' >"$tmp/in/with space/bytes"
	head -c 100000 /dev/urandom >"$tmp/in/random"
	i=0
	while [ "$i" -lt 100 ]; do
		i=$((i + 1))
		awk -v n="$i" 'BEGIN { for (i = 0; i < n; i++)
			printf "%d words  in\tline %s\n", n, i }' \
			>"$tmp/in/with space/new
line/$i"
	done
}

make_files
failed=0
last=$((seed + runs))
while [ "$seed" -lt "$last" ]; do
	if ! DEMO_SEED=$seed DEMO_SECONDS=0.4 timeout 60 \
		"$here/../../tools/demo/demo.sh" "$tmp/in" >"$tmp/out" 2>&1; then
		failed=$((failed + 1))
		echo "seed $seed failed:"
		cat "$tmp/out"
	fi
	seed=$((seed + 1))
done
echo "demo: $((runs - failed)) of $runs runs were equal"
[ "$failed" -eq 0 ]
