# SPDX-License-Identifier: MIT
#
# Completion of ferry(1) for bash: verbs, options and the names of objects.

# The options of a verb, from its own help text, so they are never out of date.
_ferry_options() {
	ferry help "$1" 2>/dev/null |
		sed -n 's/^  \(-.,\)\{0,1\} *\(--[a-z0-9-]*\).*/\2/p'
}

# Where the words after a verb are a command's: the index of its first one.
_ferry_command_at() {
	local i names=0
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--) echo $((i + 1)); return ;;
		-[jCt] | --count | --jobs | --timeout | --retries | \
			--delay | --max-delay | --realm) ((i++)) ;;
		-*) ;;
		*) ((++names == 2)) && { echo "$i"; return; } ;;
		esac
	done
	[ "$names" -eq 1 ] && echo "$COMP_CWORD"
}

_ferry() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verbs='mk send recv work peek drain pipe tap pub sub clip ls who stat
		rm gc signal doctor probe transports version help'
	local verb=${COMP_WORDS[1]} at words
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ] || [ "$verb" = help ]; then
		words=$verbs
	elif [ "$verb" = work ] && [[ $cur != -* ]] &&
		at=$(_ferry_command_at) && [ -n "$at" ]; then
		if [ "$at" -eq "$COMP_CWORD" ]; then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		return
	elif [ "$prev" = --full ]; then
		words='block fail drop-new drop-old'
	elif [ "$prev" = --delivery ]; then
		words='at-least-once at-most-once'
	elif [ "$prev" = --persist ]; then
		words='kernel process'
	elif [ "$prev" = --policy ]; then
		words='block drop-old latest disconnect'
	elif [ "$prev" = --from ]; then
		words='now last oldest'
	elif [ "$verb" = ls ] && [[ $cur != -* ]]; then
		words='mq: sysv: unix: tcp: udp:'
	elif [ "$verb" = clip ] && [[ $cur != -* ]]; then
		words='copy paste watch history'
	elif [ "$prev" = --output ] || [ "$prev" = -o ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	elif [ "$prev" = --realm ]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
	elif [[ $cur == -* ]]; then
		words=$(_ferry_options "$verb")
	else
		case $verb in
		mk | gc | signal | doctor | transports | version) return ;;
		esac
		# A name may hold blanks, so not by -W.
		while IFS= read -r words; do
			[[ $words == "$cur"* ]] &&
				COMPREPLY+=("$(printf '%q' "$words")")
		done < <(ferry ls --names 2>/dev/null)
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _ferry ferry
