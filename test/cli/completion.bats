#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Completion knows verbs, options and the names of objects.

load helper

# complete_bash WORD...: what bash offers for the last word.
complete_bash() {
	bash -c '. "$0/../../completion/ferry.bash"
		COMP_WORDS=(ferry "$@") COMP_CWORD=$#
		_ferry
		printf "%s\n" "${COMPREPLY[@]}"' "$BATS_TEST_DIRNAME" "$@"
}

@test "bash completes a verb" {
	run -0 complete_bash re
	[ "$output" = recv ]
}

@test "bash completes the names of objects" {
	ferry mk jobs
	ferry mk others
	run -0 complete_bash recv j
	[ "$output" = jobs ]
	run -0 complete_bash rm others ''
	[ "$output" = $'jobs\nothers' ]
}

@test "bash completes the options of a verb" {
	run -0 complete_bash work --until
	[ "$output" = --until-empty ]
	run -0 complete_bash mk --full drop-
	[ "$output" = $'drop-new\ndrop-old' ]
}

@test "bash completes the mechanisms that can be listed" {
	run -0 complete_bash ls u
	[ "$output" = $'unix:\nudp:' ]
}

@test "bash completes the command of work" {
	run -0 complete_bash work jobs -- bas
	[[ $'\n'$output$'\n' == *$'\n'bash$'\n'* ]]
}

@test "zsh can read its completion" {
	command -v zsh >/dev/null || skip "zsh is not there"
	run -0 zsh -n "$BATS_TEST_DIRNAME/../../completion/_ferry"
}

@test "fish completes verbs, names and options" {
	command -v fish >/dev/null || skip "fish is not there"
	HOME=$BATS_TEST_TMPDIR
	export HOME
	ferry mk jobs
	offers() {
		fish -c ". $BATS_TEST_DIRNAME/../../completion/ferry.fish
			complete -C '$1'"
	}
	run -0 offers 'ferry re'
	[[ "$output" == recv* ]]
	run -0 offers 'ferry recv j'
	[[ "$output" == jobs* ]]
	run -0 offers 'ferry work --until'
	[[ "$output" == --until-empty* ]]
}
