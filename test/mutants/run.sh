#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [NUMBER...]: apply one deliberate fault at a time to a copy of the
# sources, and demand that the tests it names turn red, and no other.
# run.sh --apply: only see whether each patch still fits.
#
# NN-what-is-wrong.patch begins with the rule that it breaks, and then says
#
#	test: unit ROOM/NAME TEST	these must turn red, and nothing else in
#	test: fault CASE TEST		that program or case
#	test: conform CASE TEST
#	test: double KIND SCENARIO	the same, of 400 double kills
#	test: crash KIND SCENARIO	with a violation of that kind ("a|b": of
#					one of them), and nothing else in the
#					scenarios whose names contain this one
#	test: channel SCENARIO		a violation, of a kill after any
#					instruction of this scenario
#	perhaps: unit ROOM/NAME TEST	may turn red as well, by the timing of a
#					death (fault likewise)
#	green: unit ROOM/NAME		this must stay green besides
#	green: fault CASE
#	green: conform CASE
#	green: crash SCENARIO
#
# A patch that does not apply, a fault that does not build, and a test that is
# red without any fault are failures: then the patch must follow the code.
set -euo pipefail

here=$(realpath "$(dirname "$0")")
root=${here%/test/mutants}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tree=$tmp/tree
build=$tmp/build
most=60
bad=0

# A fault may make a test hang: their limits are a part of what they are, 12 s
# for most.
slow=${FERRY_TEST_SLOW:-1}
export CK_TIMEOUT_MULTIPLIER
CK_TIMEOUT_MULTIPLIER=$(awk "BEGIN { print $slow * 0.15 }")
unset FERRY_TEST_SLOW

copy() {
	mkdir "$tree"
	(
		cd "$root"
		cp -r meson.build meson_options.txt include src tools man \
			completion test examples bench "$tree"
	)
	meson setup "$build" "$tree" -Doptimization=1 -Dtests=enabled \
		>"$tmp/setup.log" 2>&1 || {
		cat "$tmp/setup.log"
		exit 1
	}
}

# target WHAT: the program of "unit ROOM/NAME", "fault CASE" or "crash ...".
target() {
	local kind name
	read -r kind name <<<"$1"
	case $kind in
	unit) printf 'test/%s_test' "${name//\//_}" ;;
	fault | conform | crash) printf 'test/%s/%s' "$kind" "$kind" ;;
	channel) printf 'test/crash/crash-channel' ;;
	double) printf 'test/crash/crash' ;;
	*)
		echo "no such kind of test: $1" >&2
		exit 1
		;;
	esac
}

make_it() {
	ninja -C "$build" test/runner "$(target "$1")" >"$tmp/ninja.log" 2>&1
}

# see WHAT: run it; its output in $tmp/out.  0, unless it could not be judged.
see() {
	local what=$1 kind name status=0 words=()
	read -r kind name <<<"$what"
	case $kind in
	fault | conform) words=(env "CK_RUN_CASE=$name") ;;
	esac
	words+=("$build/test/runner" -t 300 "$build/$(target "$what")")
	[ "$kind" != crash ] || words+=(--only "$name" --most "$most")
	[ "$kind" != channel ] || words+=(--only "$name")
	[ "$kind" != double ] || words+=(--only "$name" --double 400)
	"${words[@]}" >"$tmp/out" 2>&1 || status=$?
	if [ "$status" = 77 ]; then
		cat "$tmp/out"
		exit 77
	fi
	echo "$status" >"$tmp/status"
}

# What was red: a line a test or scenario (with the kind of its violation).
red() {
	sed -nE 's/^.*:[FE]:[^:]*:([a-z0-9_]+):[0-9]+: .*/\1/p
		s/^ *VIOLATION in "([^"]*)".*\[([a-z -]*)\].*/\2 \1/p
		s/^ *VIOLATION in "([^"]*)", (killed )?at .*/\1/p' \
		"$tmp/out" | sort -u
	if [ "$(cat "$tmp/status")" != 0 ] &&
		! grep -qE ':[FE]:|VIOLATION' "$tmp/out"; then
		echo "something without a name"
	fi
}

# Once for each program: it is green as the sources are.
declare -A known
is_green_as_it_is() {
	[ -z "${known[$1]:-}" ] || return 0
	make_it "$1" || {
		echo "DOES NOT BUILD, without any fault: $1"
		tail -n 20 "$tmp/ninja.log"
		return 1
	}
	see "$1"
	[ "$(cat "$tmp/status")" = 0 ] || {
		echo "RED WITHOUT ANY FAULT: $1"
		grep -E ':[FE]:|VIOLATION|runner:' "$tmp/out" || :
		return 1
	}
	known[$1]=1
}

# field NAME PATCH
field() {
	sed -n "/^--- /q; s/^$1: //p" "$2"
}

# What a `test:` line runs, and what it then expects in red().
runs() {
	awk '$1 ~ /^(unit|fault|conform)$/ { print $1, $2 }
		$1 == "channel" { print }
		$1 ~ /^(crash|double)$/ { $2 = ""; sub("  ", " "); print }' | sort -u
}

expected() { # PROGRAM PATCH KIND
	field "$3" "$2" | awk -v program="$1" '
		$1 ~ /^(unit|fault|conform)$/ && $1 " " $2 == program {
			print $3
		}
		$0 == program { sub("^channel ", ""); print }
		$1 ~ /^(crash|double)$/ {
			how = $1; kind = $2; $1 = $2 = ""; sub("^  ", "")
			if (index(program, how " ") == 1 &&
			    index($0, substr(program, length(how) + 2)))
				print "(" kind ") " $0
		}'
}

# judge PROGRAM PATCH: compare; says what is wrong, or nothing.  (grep -q would
# end before printf, whose SIGPIPE then counts as "not found".)
judge() {
	local want line found perhaps
	mapfile -t found < <(red)
	mapfile -t want < <(expected "$1" "$2" test)
	mapfile -t perhaps < <(expected "$1" "$2" perhaps)
	for line in "${want[@]}"; do
		printf '%s\n' "${found[@]}" |
			grep -xE -- "$line" >/dev/null ||
			echo "NOT CAUGHT by ${line#(*) }"
	done
	for line in "${found[@]}"; do
		printf '%s\n' "$line" |
			grep -xE -f <(printf '%s\n' "${want[@]}" \
				"${perhaps[@]}" 'never') >/dev/null ||
			echo "ALSO RED: $line"
	done
}

undo() {
	patch -d "$tree" -p1 -R --fuzz=0 -s <"$1"
}

mutant() {
	local patch=$1 name program programs wrong began=$SECONDS
	name=$(basename "$patch" .patch)
	mapfile -t programs < <({
		field test "$patch" | runs
		field green "$patch"
	} | sort -u)
	[ -n "$(field test "$patch")" ] || {
		echo "NAMES NO TEST: $name"
		return 1
	}
	if ! patch -d "$tree" -p1 --fuzz=0 --dry-run -s <"$patch" \
		>"$tmp/out" 2>&1; then
		echo "DOES NOT APPLY: $name"
		cat "$tmp/out"
		return 1
	fi
	[ -z "$only_apply" ] || return 0
	for program in "${programs[@]}"; do
		is_green_as_it_is "$program" || return 1
	done
	patch -d "$tree" -p1 --fuzz=0 -s <"$patch"
	for program in "${programs[@]}"; do
		if ! make_it "$program"; then
			echo "DOES NOT BUILD: $name"
			tail -n 20 "$tmp/ninja.log"
			undo "$patch"
			return 1
		fi
		see "$program"
		wrong=$(judge "$program" "$patch")
		if [ -n "$wrong" ]; then
			printf '%s\n' "$wrong" | sed "s|\$| ($name, $program)|"
			undo "$patch"
			return 1
		fi
	done
	undo "$patch"
	echo "caught: $name by $(field test "$patch" | paste -sd ';' |
		sed 's/;/; /g') ($((SECONDS - began)) s)"
}

only_apply=
if [ "${1:-}" = --apply ]; then
	only_apply=1
	tree=$root
	shift
else
	copy
fi
n=0
for patch in "$here"/[0-9]*.patch; do
	number=$(basename "$patch" | grep -oE '^[0-9]+')
	[ $# -eq 0 ] || [[ " $* " == *" $number "* ]] || continue
	n=$((n + 1))
	mutant "$patch" || bad=$((bad + 1))
done
if [ -n "$only_apply" ]; then
	echo "$n patches, $((n - bad)) fit"
else
	echo "$n faults, $((n - bad)) caught"
fi
[ "$n" -gt 0 ] && [ "$bad" -eq 0 ]
