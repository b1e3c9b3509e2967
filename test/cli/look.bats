#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ls, who, stat, rm, gc, doctor, transports, version, help.

load helper

@test "ls shows a mailbox with its figures" {
	ferry mk jobs --capacity 10
	seq 3 | ferry send -l jobs
	run -0 ferry ls
	[[ "${lines[0]}" == NAME*STATE*QUEUED/CAP*HELD*USERS*BYTES*AGE ]]
	[[ "${lines[1]}" =~ ^jobs\ +live\ +3/10\ +0\ +0 ]]
}

@test "ls of an empty realm prints nothing and is status 0" {
	run -0 ferry ls
	[ -z "$output" ]
}

@test "ls --names is what completion needs" {
	ferry mk b
	ferry mk a
	run -0 ferry ls --names
	[ "$output" = $'a\nb' ]
}

@test "ls --json has one object a line" {
	ferry mk jobs --full drop-old --max 64K
	run -0 ferry ls --json
	[ "${#lines[@]}" -eq 1 ]
	[[ "$output" == *'"name":"jobs","state":"live"'* ]]
	[[ "$output" == *'"message_max":65536'* ]]
	[[ "$output" == *'"full":"drop-old"'* ]]
}

@test "a file name with an escape sequence does not reach the terminal" {
	: >"$FERRY_REALM/"$'evil\033[31m'
	run -0 ferry ls
	[[ "$output" != *$'\033'* ]]
}

@test "no colour where there is no terminal" {
	ferry mk jobs
	run ferry doctor
	[[ "$output" != *$'\033'* ]]
}

@test "who shows who holds a message" {
	ferry mk jobs
	ferry send jobs x
	start ferry work jobs -- sleep 600
	until_true has jobs held 1
	run -0 ferry who jobs
	[[ "${lines[0]}" =~ PID.*NAME.*USER.*ALIVE.*HOLDS ]]
	[[ "$output" =~ $child\ +ferry\ +[a-z]+\ +yes\ +1 ]]
	run -0 ferry who --json jobs
	[[ "$output" == *"\"pid\":$child,"*'"alive":true'*'"holds":1'* ]]
}

@test "who of an unused mailbox is status 1" {
	ferry mk jobs
	run -1 ferry who jobs
}

@test "stat has every figure, in JSON too" {
	ferry mk jobs --capacity 7 --dead-letter dead --delivery at-most-once
	run -0 ferry stat jobs
	[[ "$output" =~ capacity\ +7 ]]
	[[ "$output" =~ delivery\ +at-most-once ]]
	[[ "$output" =~ dead\ letters\ +dead ]]
	run -0 ferry stat --json jobs
	[[ "$output" == *'"capacity":7'* ]]
}

@test "mk twice is status 1, with --if-missing it is 0" {
	ferry mk jobs
	run -1 --separate-stderr ferry mk jobs
	is_one_error_line
	ferry send jobs x
	run -0 ferry mk --if-missing jobs
	has jobs queued 1
}

@test "mk makes what outlives the command" {
	ferry mk jobs
	ferry send jobs x
	has jobs users 0
	has jobs queued 1
}

@test "mk with a mode and a group is what it says" {
	ferry mk jobs --mode 0660 --group 0
	run -0 ferry stat jobs
	[[ "$output" =~ trust\ +group ]]
	[[ "$output" =~ mode\ +0660 ]]
}

@test "rm removes, goes on after an error, and -f accepts its absence" {
	ferry mk a
	ferry mk b
	run -3 --separate-stderr ferry rm a nothing b
	is_one_error_line
	run -0 ferry ls --names
	[ -z "$output" ]
	run -0 ferry rm -f nothing
}

@test "gc is a dry run, and leaves what is used" {
	ferry mk jobs
	ferry send jobs x
	run -0 ferry gc
	run -0 ferry gc --apply
	has jobs queued 1
}

@test "doctor looks at the machine" {
	run ferry doctor
	[[ "$output" =~ \[(ok|note|warn|bad)\] ]]
	run ferry doctor --json
	[[ "${lines[0]}" == '{"health":'* ]]
}

@test "transports lists what there is" {
	run -0 ferry transports
	[[ "$output" == *mailbox:* ]]
	run -0 ferry transports --json
	[[ "$output" == *'"scheme":"mailbox"'*'"promises":['* ]]
}

@test "version names the library and the format" {
	run -0 ferry version
	[[ "$output" =~ ^ferry\ [0-9]+\.[0-9]+\.[0-9]+.*format\ [0-9]+ ]]
	run -0 ferry version --json
	[[ "$output" == '{"version":'* ]]
}

@test "help is there for every verb" {
	run -0 ferry help
	for verb in mk send recv work peek drain ls who stat rm gc doctor \
		transports version help; do
		[[ "$output" == *"  $verb "* ]]
		run -0 ferry "$verb" --help
		[[ "$output" == "usage: ferry $verb"* ]]
		run -0 ferry help
	done
}

@test "--realm goes before the environment" {
	mkdir -m 700 "$FERRY_REALM/other"
	ferry mk --realm "$FERRY_REALM/other" jobs
	run -3 ferry stat jobs
	run -0 ferry --realm "$FERRY_REALM/other" stat jobs
}

@test "a path is a name, too" {
	mkdir -m 700 "$FERRY_REALM/other"
	ferry mk "$FERRY_REALM/other/jobs"
	ferry send "$FERRY_REALM/other/jobs" x
	cd "$FERRY_REALM/other"
	run -0 ferry recv -n ./jobs
	[ "$output" = x ]
}
