/* SPDX-License-Identifier: MIT */
/*
 * Words that are stored without a fence, on a processor with store buffers: does
 * anybody sleep for ever?
 *
 * Mirrors:
 *
 *	src/shm/ring.c      publish, ferryi_ring_lower_more, ferryi_ring_lower_room,
 *	                    ferryi_ring_ask_more, ferryi_ring_has_more,
 *	                    ferryi_ring_ask_room, ferryi_ring_has_room
 *	src/link/channel.c  want_messages, want_to_send, make_barrier
 *
 * A sender of MESSAGES messages and a receiver, with a ring of ROOM messages.  The
 * sender's stores of `sent` wait in its buffer, the receiver's of `head` in the
 * other one, and reach the memory one after the other at any time.  A store with a
 * fence empties the own buffer.  Before it sleeps, a side that has declared that
 * it does so asks the kernel for a barrier, which empties the buffer of the other
 * side, if that is registered.  Kills are in channel.pml: what is in a buffer is
 * stored, whatever becomes of the process.
 *
 * SENDER, RECEIVER: whether that side may call membarrier(2): it registers, and
 * declares.  BREAK_BARRIER: nobody asks for it.  BREAK_EARLY: before it says that
 * it sleeps.  BREAK_DECLARE: no fence, whatever the other side has declared.
 * BREAK_REGISTER: no fence, although not registered.
 */
#ifndef MESSAGES
#define MESSAGES 4
#endif
#ifndef ROOM
#define ROOM 1
#endif
#ifndef SENDER
#define SENDER 1
#endif
#ifndef RECEIVER
#define RECEIVER 1
#endif

byte sent, head;	     /* in memory */
byte sent_own, head_own;     /* as who stores them sees them */
bool wants_more, wants_room; /* each is written with a fence, or a CAS */
bool more_bell, room_bell;

/* Whether the store of a side with `registered` may wait in its buffer, when the
 * other side has `declared`. */
#ifdef BREAK_DECLARE
#define UNFENCED(registered, declared) (registered)
#elif defined(BREAK_REGISTER)
#define UNFENCED(registered, declared) (declared)
#else
#define UNFENCED(registered, declared) ((registered) && (declared))
#endif

/* A barrier of a side that has `declared` on one that has `registered`. */
#ifdef BREAK_BARRIER
#define BARRIER(declared, registered, memory, own) skip
#else
#define BARRIER(declared, registered, memory, own)                             \
	if                                                                     \
	:: (declared) && (registered) -> memory = own                          \
	:: else                                                                \
	fi
#endif

active proctype sender()
{
	do
	:: sent_own == MESSAGES -> break
	:: sent_own < MESSAGES && sent_own - head < ROOM ->
		atomic {
			sent_own++;
			if
			:: UNFENCED(SENDER, RECEIVER)
			:: else -> sent = sent_own
			fi
		}
		if
		:: atomic { wants_more -> wants_more = false; more_bell = true }
		:: !wants_more
		fi
	:: sent_own < MESSAGES && sent_own - head >= ROOM ->
		room_bell = false;
#ifdef BREAK_EARLY
		BARRIER(SENDER, RECEIVER, head, head_own);
#endif
		atomic { wants_room = true; sent = sent_own };
#ifndef BREAK_EARLY
		BARRIER(SENDER, RECEIVER, head, head_own);
#endif
		if
		:: sent_own - head < ROOM
		:: sent_own - head >= ROOM -> room_bell /* poll */
		fi
	od
}

active proctype receiver()
{
	do
	:: head_own == MESSAGES -> break
	:: sent > head_own ->
		atomic {
			head_own++;
			if
			:: UNFENCED(RECEIVER, SENDER)
			:: else -> head = head_own
			fi
		}
		if
		:: atomic { wants_room -> wants_room = false; room_bell = true }
		:: !wants_room
		fi
	:: head_own < MESSAGES && sent == head_own ->
		more_bell = false;
#ifdef BREAK_EARLY
		BARRIER(RECEIVER, SENDER, sent, sent_own);
#endif
		atomic { wants_more = true; head = head_own };
#ifndef BREAK_EARLY
		BARRIER(RECEIVER, SENDER, sent, sent_own);
#endif
		if
		:: sent > head_own
		:: sent == head_own -> more_bell
		fi
	od
}

/* The buffers: a store arrives some time, in its turn. */
active proctype buffers()
{
end:	do
	:: atomic { sent < sent_own -> sent++ }
	:: atomic { head < head_own -> head++ }
	od
}
