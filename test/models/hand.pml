/* SPDX-License-Identifier: MIT */
/*
 * A channel without capacity: is a message taken or withdrawn, and do both sides
 * know which; and does anybody sleep for ever, whoever is killed, between any two
 * steps?
 *
 * Mirrors:
 *
 *	src/shm/ring.c            ferryi_ring_offer, ferryi_ring_withdraw,
 *	                          ferryi_ring_take_this, ferryi_ring_want_room,
 *	                          ferryi_ring_want_more, ferryi_ring_lower_room
 *	src/link/channel.c        want_messages, want_to_send, heard_the_end
 *	src/link/channel_send.c   offer, ferryi_channel_gave_up
 *	src/link/channel_recv.c   ferryi_channel_next, ferryi_channel_take_this
 *
 * What one side says that it sent the other one has, and no more, but for the last
 * of one who was killed before it learnt.
 *
 * A sender of MESSAGES messages, each of which it may give up at any time that it
 * looks, and a receiver.  A deadline passes when it likes.
 *
 * BREAK_WITHDRAW: the sender withdraws without asking whether it was taken.
 * BREAK_TAKE: the receiver takes what it has seen, without asking again.
 * BREAK_ROOM: the sender looks before it says that it sleeps.
 * BREAK_BELL: the receiver does not ring when it has taken.
 */
#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef KILLS
#define KILLS 1
#endif

mtype = { NOTHING, OFFERED, TAKEN };

mtype word = NOTHING;	 /* of the slot that both look at */
bool wants_more, wants_room;	 /* of struct ferryi_ring_shared */
bool more_bell, room_bell;	 /* an unread byte: for the receiver, the sender */
bool sender_gone, receiver_gone; /* what the kernel knows: a hang-up */
byte kills = KILLS;
byte accepted;			 /* sends that returned 0 */
byte taken;			 /* messages that the receiver has */

#define DIE                                                                    \
	:: kills > 0 -> kills--; goto gone

proctype sender()
{
	byte n;
	bool dead;

next:
	if
	:: n == MESSAGES -> goto gone
	:: n < MESSAGES && dead -> goto gone
	:: n < MESSAGES && !dead -> n++
	DIE
	fi;
	/* ferryi_ring_offer: the word */
	if
	:: word = OFFERED
	DIE
	fi;
	/* ferryi_channel_committed */
	if
	:: atomic { true ->
		if
		:: wants_more -> wants_more = false; more_bell = true
		:: else
		fi }
	DIE
	fi;
again:
	if
	:: word == TAKEN -> goto sent
	:: word == OFFERED && dead -> goto withdraw
	:: word == OFFERED -> goto withdraw /* the deadline, or NOWAIT */
	:: word == OFFERED && !dead -> skip
	DIE
	fi;
	/* want_to_send: read the bell, say so, look again, poll */
	if
	:: atomic { true -> room_bell = false; dead = receiver_gone }
	DIE
	fi;
#ifdef BREAK_ROOM
	if
	:: word == TAKEN -> goto sent
	:: else
	fi;
#endif
	if
	:: wants_room = true
	DIE
	fi;
#ifndef BREAK_ROOM
	if
	:: word == TAKEN -> goto sent
	:: dead -> goto again
	:: word != TAKEN && !dead -> skip
	DIE
	fi;
#endif
	if
	:: room_bell || receiver_gone -> goto again
	DIE
	fi;
withdraw:
#ifdef BREAK_WITHDRAW
	word = NOTHING;
	goto next;
#else
	if
	:: atomic { word == OFFERED -> word = NOTHING; goto next }
	:: word == TAKEN -> skip
	DIE
	fi;
#endif
sent:
	atomic {
		accepted++;
		assert(accepted <= taken);
		word = NOTHING; /* that of the next slot */
		goto next
	}
gone:
	sender_gone = true
}

proctype receiver()
{
	bool dead;

again:
	if
	:: word == OFFERED -> goto take
	:: word != OFFERED && dead -> goto gone
	:: word != OFFERED && !dead -> skip
	DIE
	fi;
	/* want_messages */
	if
	:: atomic { true -> more_bell = false; dead = sender_gone }
	DIE
	fi;
	if
	:: wants_more = true
	DIE
	fi;
	if
	:: word == OFFERED || dead -> goto again
	:: word != OFFERED && !dead -> skip
	DIE
	fi;
	if
	:: more_bell || sender_gone -> goto again
	DIE
	fi;
take:
	/* ferryi_ring_take_this */
#ifdef BREAK_TAKE
	atomic {
		word = TAKEN;
		taken++;
		assert(taken <= accepted + 1)
	}
#else
	if
	:: atomic { word == OFFERED -> word = TAKEN; taken++;
		assert(taken <= accepted + 1) }
	:: word != OFFERED -> goto again
	DIE
	fi;
#endif
	/* ferryi_channel_tell_room */
#ifdef BREAK_BELL
	wants_room = false;
#else
	if
	:: atomic { true ->
		if
		:: wants_room -> wants_room = false; room_bell = true
		:: else
		fi }
	DIE
	fi;
#endif
	goto again;
gone:
	receiver_gone = true
}

init
{
	atomic {
		run sender();
		run receiver()
	}
	sender_gone && receiver_gone;
	assert(kills < KILLS || accepted == taken)
}
