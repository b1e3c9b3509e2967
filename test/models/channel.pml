/* SPDX-License-Identifier: MIT */
/*
 * One direction of a channel: does anybody sleep for ever, or miss what was
 * accepted, whoever is killed, between any two steps?
 *
 * Mirrors:
 *
 *	src/shm/ring.c           ferryi_ring_commit, ferryi_ring_take, move_head,
 *	                         ferryi_ring_lower_more, ferryi_ring_lower_room,
 *	                         ferryi_ring_want_more, ferryi_ring_want_room
 *	src/link/channel.c       want_messages, want_to_send, heard_the_end,
 *	                         look_at_connection, ferryi_channel_end,
 *	                         ferryi_channel_gone
 *	src/link/channel_send.c  commit
 *	src/link/channel_recv.c  ferryi_channel_next, ferryi_channel_finish
 *	src/link/call.c          attempt_again
 *
 * A sender of MESSAGES messages and a receiver, with a ring of ROOM messages, and
 * the two sockets.  Each ends by closing, or is killed; its sockets hang up in the
 * same moment, as the kernel does it.  The slots of the ring are not here
 * (shm/ring_test.c): a message is there when `sent` has counted it.
 *
 * BREAK_MORE, BREAK_ROOM: who sleeps looks again before it says so.
 * BREAK_DRAIN: the bell is read after that instead of before.
 * BREAK_LOOK: after the hang-up nobody looks for what was sent before it.
 * BREAK_BELL: a sender does not ring.
 */
#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef ROOM
#define ROOM 1
#endif
#ifndef KILLS
#define KILLS 1
#endif

byte sent, head;	      /* words that were stored; shared->head */
bool wants_more, wants_room;  /* of struct ferryi_ring_shared */
bool more_bell, room_bell;    /* an unread byte: for the receiver, the sender */
bool sender_gone, receiver_gone; /* what the kernel knows: a hang-up */
byte kills = KILLS;

#define DIE                                                                    \
	:: kills > 0 -> kills--; goto gone

proctype sender()
{
	bool dead; /* struct ferryi_channel */

next:
	do
	:: sent == MESSAGES -> break
	:: else ->
		if
		:: dead -> goto gone /* -ECONNRESET */
		:: !dead && sent - head < ROOM -> goto send
		:: !dead && sent - head >= ROOM -> skip
		DIE
		fi;
		/* interest: read the bell, say so, look again, poll */
#ifndef BREAK_DRAIN
		if
		:: atomic { true -> room_bell = false; dead = receiver_gone }
		DIE
		fi;
		if
		:: dead -> goto next
		:: else
		fi;
#endif
#ifdef BREAK_ROOM
		if
		:: sent - head < ROOM -> goto next
		:: sent - head >= ROOM
		DIE
		fi;
#endif
		if
		:: wants_room = true
		DIE
		fi;
#ifndef BREAK_ROOM
		if
		:: sent - head < ROOM -> goto next
		:: sent - head >= ROOM
		DIE
		fi;
#endif
#ifdef BREAK_DRAIN
		if
		:: atomic { true -> room_bell = false; dead = receiver_gone }
		DIE
		fi;
#endif
		if
		:: room_bell || receiver_gone
		DIE
		fi
	od;
	goto gone;
send:
	if
	:: sent++ /* N2 */
	DIE
	fi;
	if
	:: atomic { wants_more -> wants_more = false }
	:: atomic { !wants_more -> goto next }
	DIE
	fi;
#ifndef BREAK_BELL
	if
	:: more_bell = true
	DIE
	fi;
#endif
	goto next;
gone:
	sender_gone = true
}

proctype receiver()
{
	byte got;
	bool dead;

next:
	if
	:: got < sent -> goto take
	:: got == sent
	DIE
	fi;
	/* ferryi_channel_end: the connection is looked at now and then; what it
	 * says is asked for before the second look */
	if
	:: dead = sender_gone
	:: skip
	DIE
	fi;
	if
#ifdef BREAK_LOOK
	:: dead -> goto end
#else
	:: dead -> goto last
#endif
	:: !dead
	DIE
	fi;
#ifndef BREAK_DRAIN
	if
	:: atomic { true -> more_bell = false; dead = sender_gone }
	DIE
	fi;
	if
	:: dead -> goto next
	:: else
	fi;
#endif
#ifdef BREAK_MORE
	if
	:: got < sent -> goto next
	:: got == sent
	DIE
	fi;
#endif
	if
	:: wants_more = true
	DIE
	fi;
#ifndef BREAK_MORE
	if
	:: got < sent -> goto next
	:: got == sent
	DIE
	fi;
#endif
#ifdef BREAK_DRAIN
	if
	:: atomic { true -> more_bell = false; dead = sender_gone }
	DIE
	fi;
#endif
	if
	:: more_bell || sender_gone
	DIE
	fi;
	goto next;
take:
	if
	:: got++ /* N3 */
	DIE
	fi;
	if
	:: head = got /* N4 */
	DIE
	fi;
	if
	:: atomic { wants_room -> wants_room = false }
	:: atomic { !wants_room -> goto next }
	DIE
	fi;
	if
	:: room_bell = true
	DIE
	fi;
	goto next;
last:
	if
	:: got < sent -> goto take
	:: got == sent -> goto end
	DIE
	fi;
end:
	/* it is told the end, and all that was accepted came before it */
	assert(got == sent);
gone:
	receiver_gone = true
}

init
{
	atomic {
		run sender();
		run receiver()
	}
}
