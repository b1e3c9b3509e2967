#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a link loses, doubles, reorders or damages: as much as was injected.

load helper

# probe ADDRESS [OPTION...]: its JSON in $json, its status in $status.
probe() {
	run --separate-stderr ferry probe --json "$@"
	json=$output
}

# Does the report say so?  is FILTER
is() {
	jq -e "$1" <<<"$json" >/dev/null || {
		echo "not $1: $json $stderr"
		return 1
	}
}

# What arrived is what was injected.
is_as_injected() {
	is '.lost == .injected.dropped'
	is '.doubled == .injected.doubled'
	is '.reordered == .injected.reordered'
	is '.damaged == .injected.damaged'
	is '.received == .sent - .lost + .doubled'
	is '.foreign == 0'
}

@test "what is reliable loses nothing, whatever it is" {
	ferry mk box
	for address in pipe: unix: 'unix:?type=seqpacket' channel: \
		"unix:$BATS_TEST_TMPDIR/s" \
		"unix:$BATS_TEST_TMPDIR/p?type=seqpacket" \
		channel:line process:name mailbox:box box; do
		probe -C 500 -s 200 "$address"
		[ "$status" -eq 0 ] || {
			echo "$address: $json $stderr"
			false
		}
		is '.sent == 500 and .received == 500 and .rate > 0'
		is '.lost + .doubled + .reordered + .damaged + .foreign == 0'
		is '.latency_us.p50 <= .latency_us.p99'
		is '.latency_us.p99 <= .latency_us.max'
		is 'has("injected") | not'
	done
}

@test "each fault is seen, for every seed" {
	for seed in 1 2 3 4 5; do
		for fault in drop dup reorder damage; do
			probe -C 1000 "fault+unix:?type=seqpacket&seed=$seed&$fault=10%"
			[ "$status" -eq 1 ]
			is_as_injected
			is '[.lost, .doubled, .reordered, .damaged] | map(select(. > 0)) | length == 1'
		done
	done
}

@test "all faults together are told apart, for every seed" {
	for seed in 11 12 13 14 15 16 17 18; do
		probe -C 1000 "fault+unix:?type=seqpacket&seed=$seed&drop=0.1&dup=0.1&reorder=0.1&damage=0.1"
		[ "$status" -eq 1 ]
		is_as_injected
		is '[.lost, .doubled, .reordered, .damaged] | min > 0'
	done
}

@test "the same seed is the same run" {
	local address='fault+channel:x?seed=5&drop=0.1&dup=0.1&reorder=0.1'
	probe -C 1000 "$address"
	local first
	first=$(jq -c .injected <<<"$json")
	probe -C 1000 "$address"
	[ "$(jq -c .injected <<<"$json")" = "$first" ]
	probe -C 1000 "${address/seed=5/seed=6}"
	[ "$(jq -c .injected <<<"$json")" != "$first" ]
}

@test "faults are found on the way through a mailbox and a process" {
	ferry mk box
	for address in fault+mailbox:box fault+process:name; do
		probe -C 1000 "$address?drop=5%&damage=5%"
		[ "$status" -eq 1 ]
		is_as_injected
		is '.lost > 0 and .damaged > 0'
	done
	[ "$(ferry stat --json box | jq .queued)" -le 4 ] # last words
}

@test "a cut ends the run" {
	probe -C 1000 'fault+unix:?type=seqpacket&cut=100'
	[ "$status" -eq 1 ]
	is '.sent == 100 and .received == 100 and .injected.cut'
}

@test "the two ends can be apart" {
	local address="unix:$BATS_TEST_TMPDIR/s?type=seqpacket"
	start ferry probe --json --recv -C 300 "$address" \
		>"$BATS_TEST_TMPDIR/got"
	until_true test -S "$BATS_TEST_TMPDIR/s"
	probe --send -C 300 "fault+$address&drop=0.1"
	[ "$status" -eq 0 ]
	is '.sent == 300 and (has("received") | not)'
	local dropped
	dropped=$(jq .injected.dropped <<<"$json")
	wait "$child" && s=0 || s=$?
	[ "$s" -eq 1 ]
	json=$(cat "$BATS_TEST_TMPDIR/got")
	is ".lost == $dropped and (has(\"sent\") | not)"
}

@test "what others send is foreign" {
	ferry mk box
	echo hello | ferry send box
	probe -C 10 box
	[ "$status" -eq 1 ]
	is '.foreign == 1 and .lost == 0 and .received == 10'
}

@test "people get a table, and what makes no sense is refused" {
	run ferry probe -C 10 pipe:
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == 'sent       10' ]]
	[[ ${lines[2]} == 'lost       0' ]]
	for wrong in '-s 63 pipe:' '-C 0 pipe:' '--send --recv pipe:' \
		'--send pipe:' 'nothing:x' '' 'fault+fault+fd:3'; do
		# shellcheck disable=SC2086
		run ferry probe $wrong
		[ "$status" -eq 2 ] || {
			echo "$wrong: $status $output"
			false
		}
	done
	run ferry probe 'fault+pipe:?drop=10%'
	[ "$status" -ne 0 ]
	[[ $output == *stream* ]]
	run ferry probe box
	[ "$status" -eq 3 ]
}

@test "SIGTERM ends both ends quietly" {
	for address in unix: "unix:$BATS_TEST_TMPDIR/s" channel:line; do
		start ferry probe -C 100000000 "$address" 2>"$BATS_TEST_TMPDIR/err"
		until_true grep -q . "/proc/$child/task/$child/children"
		receiver=$(tr -d ' ' <"/proc/$child/task/$child/children")
		is_ended_by_sigterm
		until_true test ! -e "/proc/$receiver"
	done
}

# has_worked: for until_true: what start() has started has used 0.1 s of a CPU.
has_worked() {
	[ "$(awk '{ print $14 + $15 }' "/proc/$child/stat")" -ge 10 ]
}

@test "a signal ends a probe that never waits" {
	ferry mk jobs
	start bash -c "exec ferry probe --send -C 100000000 'fault+mailbox:jobs?drop=1' \
		>/dev/null 2>$BATS_TEST_TMPDIR/err"
	until_true has_worked
	is_ended_by_sigterm
}
