# SPDX-License-Identifier: MIT
#
# Completion of ferry(1) for fish: verbs, options and the names of objects.

set -l verbs mk send recv work peek drain pipe tap pub sub clip ls who stat rm gc \
	signal doctor probe transports version help

# The options of a verb, from its own help text, so they are never out of date.
function __ferry_options
	set -l words (commandline -opc)
	test (count $words) -ge 2; or return
	ferry help $words[2] 2>/dev/null | string replace -rf \
		'^  (?:-.,)? *(--[a-z0-9-]+)(?: [A-Z]+)? +(.*)$' '$1\t$2'
end

function __ferry_verbs
	ferry help 2>/dev/null | string replace -rf \
		'^  ([a-z]+) +(.*)$' '$1\t$2'
end

complete -c ferry -f
complete -c ferry -n "not __fish_seen_subcommand_from $verbs" -a '(__ferry_verbs)'
complete -c ferry -n '__fish_seen_subcommand_from help' -a '(__ferry_verbs)'
complete -c ferry -n '__fish_seen_subcommand_from send recv work peek drain pipe tap pub sub who stat rm; and not string match -q -- "-*" (commandline -ct)' \
	-a '(ferry ls --names 2>/dev/null)'
complete -c ferry -n "__fish_seen_subcommand_from $verbs; and string match -q -- '-*' (commandline -ct)" \
	-a '(__ferry_options)'
complete -c ferry -n '__fish_seen_subcommand_from mk' -l full -x \
	-a 'block fail drop-new drop-old'
complete -c ferry -n '__fish_seen_subcommand_from mk' -l delivery -x \
	-a 'at-least-once at-most-once'
complete -c ferry -n '__fish_seen_subcommand_from ls' \
	-a 'mq: sysv: unix: tcp: udp:'
complete -c ferry -n '__fish_seen_subcommand_from clip' \
	-a 'copy paste watch history'
complete -c ferry -n '__fish_seen_subcommand_from sub' -l policy -x \
	-a 'block drop-old latest disconnect'
complete -c ferry -n '__fish_seen_subcommand_from sub' -l from -x \
	-a 'now last oldest'
complete -c ferry -n '__fish_seen_subcommand_from mk pub sub' -l persist -x \
	-a 'kernel process'
complete -c ferry -n '__fish_seen_subcommand_from tap' -s o -l output -r -F
complete -c ferry -l realm -x -a '(__fish_complete_directories)'
