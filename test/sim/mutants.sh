#!/bin/bash
# SPDX-License-Identifier: MIT
#
# mutants.sh SOURCE-TREE: small faults in a copy of the library, each of which
# the simulation must find within a bounded number of seeds, as what it is.  A
# fault whose place is no longer in the code is a failure, too: then this file
# must follow the code.
set -euo pipefail

tree=$1
most=${2:-40000}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
caught=0

cp -r "$tree/src" "$tree/include" "$tree/test/sim" "$tmp"
cd "$tmp"
flags=(-std=c11 -D_GNU_SOURCE -O2 -w -Isim/seam -Iinclude -Isrc)
mapfile -t wraps < <(sed -nE \
	's/^[a-z].*[ *]__wrap_([a-z_]+)\(.*/-Wl,--wrap=\1/p' sim/kernel.c |
	sort -u)

# object SOURCE: compile one file.
object() {
	"${CC:-cc}" "${flags[@]}" -c "$1" -o "obj/$(tr / _ <<<"$1").o"
}

link() {
	"${CC:-cc}" obj/*.o -pthread "${wraps[@]}" -o simulation
}

# caught RULES NAME FILE FROM TO: the text, once, in the copy.
caught() {
	local status=0 found
	cp "src/$3" kept.c
	FROM=$4 TO=$5 perl -0pi -e '
		$n = s/\Q$ENV{FROM}\E/$ENV{TO}/; END { exit !$n }' "src/$3" || {
		echo "no such place in $3: $4"
		bad=1
		return
	}
	object "src/$3"
	link
	./simulation --seeds "$most" >out || status=$?
	mv kept.c "src/$3"
	object "src/$3"
	found=$(sed -nE 's/^seed ([0-9]+): \[([a-z-]+)\].*/\2/p' out)
	if [ "$status" = 1 ] && [[ $found =~ ^($1)$ ]]; then
		caught=$((caught + 1))
		echo "caught: $2: $(head -n 1 out)"
	else
		echo "not caught as $1: $2"
		head -n 3 out
		bad=1
	fi
}

mkdir obj
export -f object
mapfile -t sources < <(find src sim -name '*.c' ! -name '*_test.c')
for ((i = 0; i < ${#sources[@]}; i += 2)); do
	object "${sources[i]}" &
	[ $((i + 1)) -ge ${#sources[@]} ] || object "${sources[i + 1]}"
	wait $!
done
link
./simulation --seeds 2000 || {
	echo "without a fault it fails, too"
	exit 1
}

# --- the transfer -------------------------------------------------------------

caught lost 'repair frees a loan without a look into the ring' \
	shm/recover.c 'ferryi_is_published(q, index, word) ?' '0 ?'
caught 'lost|leak|asleep' 'repair leaves what the dead held' shm/recover.c \
	'(state != FERRYI_LOAN && state != FERRYI_HELD)' \
	'(state != FERRYI_LOAN)'
caught duplicate 'repair forgets how often a message was delivered' \
	shm/recover.c 'ferryi_word_deliveries(word));' '0);'
caught at-most-once 'repair returns what is delivered at most once' \
	shm/recover.c 'if (q->at_most_once)' 'if (0)'
caught early 'repair signs what somebody else has taken meanwhile' \
	shm/recover.c 'if (ferryi_load(&rec->word) != word)' 'if (0)'
caught 'lost|order|leak|asleep|full|refused' \
	'an old hint jumps a lap too far' shm/queue.c \
	'(uint64_t)laps * ring + 1' '(uint64_t)(laps + 1) * ring + 1'
caught 'unsent|after-ack|duplicate|held-twice|lost|damaged' \
	'a release keeps the generation' shm/queue.c \
	'return ferryi_cas(word, c->word, ferryi_word_ended(c->word))' \
	'return ferryi_cas(word, c->word, ferryi_word(ferryi_word_gen(c->word), 0, 0, 0))'
caught 'marked|duplicate' 'a redelivery is not counted' shm/returned.c \
	'ferryi_word_deliveries(s.word) + 1' 'ferryi_word_deliveries(s.word)'
caught early 'what is returned is not held back' shm/returned.c \
	'if (due > now)' 'if (0)'
caught order 'what is returned waits behind what is queued' shm/queue.c \
	$'\tif (ferryi_queue_needs_now(q)) {' \
	$'\tif (ferryi_queue_needs_now(q) && (r = take_from_ring(q, owner, max, out, out_len)) != -EAGAIN)\n\t\treturn r;\n\tif (ferryi_queue_needs_now(q)) {'
caught after-end 'a send does not look whether it was shut down' \
	shm/queue.c 'return withdraw_if_closed(q, c);' 'return 0;'
caught 'damaged|lost' 'a place is written after it was published' \
	link/mailbox_send.c 'ferryi_put(&rec->len, (uint32_t)len);' ';'
caught full 'memory that others reserve is not seen' shm/chunks.c \
	'if (grow->from > had &&' 'if (0 &&'

# --- the waiting --------------------------------------------------------------

caught 'asleep|lost|leak' 'repair does not announce what it returned' \
	shm/recover.c 'if (returned)' 'if (0)'
caught 'asleep|lost|leak' 'a death before the announcement is not seen' \
	shm/recover.c '*out_returned |= state == FERRYI_RETURNED;' ';'
caught 'asleep|lost|order' 'a late announcement is not seen' shm/returned.c \
	'ferryi_returned_version(old) + 1' 'ferryi_returned_version(old)'
caught asleep 'a repair is not told' realm/repair.c \
	'if (job.complete || job.changed)' 'if (0)'
caught unnoticed 'no death rings' realm/join.c \
	'ferryi_token_arm(&r->registry.control->death);' ';'
caught 'asleep|endless' 'a sleeper does not raise its gate' link/mailbox.c \
	'ferryi_gate_raise(gate);' ';'
caught asleep 'a wake-up is not handed on' link/mailbox.c \
	$'b = l->state;\n\n\thand_on(b->segment, w->gate);' 'b = 0;'
caught unnoticed 'who dies slowly is looked for in vain' wait/wait.c \
	$'\treturn ending;' $'\treturn false && ending;'
caught asleep 'a sender waits although memory can be reserved' shm/watch.c \
	'k > 0 && sizes++ < 2' '0'
caught asleep 'the last release is slept through' link/mailbox.c \
	'want == FERRYI_WANT_RECV && has_ended(b, w)' '0'
caught endless 'a loan waits at a mailbox that is shut down' \
	link/mailbox_send.c \
	$'FERRYI_CLOSED)\n\t\treturn closed(l);\n\tr = claim(l, len, &c);\n\tif (r < 0)\n\t\treturn r;\n\t*m' \
	$'0)\n\t\treturn closed(l);\n\tr = claim(l, len, &c);\n\tif (r < 0)\n\t\treturn r;\n\t*m'

echo "$caught faults caught"
exit $bad
