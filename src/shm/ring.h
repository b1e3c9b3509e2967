/* SPDX-License-Identifier: MIT */
/*
 * A ring of 64-byte slots: messages from one sender to one receiver, in order.
 *
 * A message begins in a slot, with a word of 8 bytes, and takes as many slots
 * as it needs, all in one piece.  The word is the only thing that says that it
 * is there; no index is shared on the way:
 *
 *	word:  PRESENT:1 | tag:28 | PAD:1 | TAKEN:1 | BESIDE:1 | len:32
 *
 * `tag` is the position of the slot, counted from the beginning of time.  Where
 * a message does not fit before the end of the ring, a PAD says that the next one
 * is at its beginning.  BESIDE is the user's: part of the message goes another way.
 *
 *   Accepted  the word was stored                 one store, by the sender
 *   Taken     the receiver's own count went on    private
 *   Ended     `head` passed it                    one store, by the receiver
 *
 * From hand to hand, in a ring without capacity, the sender has one message on
 * offer at a time, and does not go on before it knows what became of it:
 *
 *   Offered    the word was stored                one store, by the sender
 *   Accepted   TAKEN was set in it                one CAS, by the receiver
 *   Withdrawn  the word became 0                  one CAS, by the sender
 *
 * Who sleeps says so in a word of its own, makes a barrier for both sides where it
 * has declared that it does (more_barrier, room_barrier), and looks again.  For that
 * one a word and `head` are stored without a fence, by a process that barriers
 * reach.
 *
 * Invariants:
 *   R1  the sender writes only to the slots from its `at` to `head` + n
 *   R2  the word of the slot at `at` is not one of this position until the sender
 *       stores it: it is 0, or the word that a message had there before, which
 *       has another tag.  Where the slot was in the middle of something, the
 *       sender clears it before it accepts the message in front of it.
 *   R3  one slot is always free, so that R2 can be kept
 *   R4  a word that is on offer leaves that state once: of the two CAS one
 *       succeeds, and both sides know which
 *
 * A process may die between any two instructions.  A sender's message is there
 * or it is not, an offer stays; a receiver's is ended with it, for nobody else can
 * take it.
 *
 * Pure: no system call, no waiting.  What the other side writes is fetched once
 * and checked; what it can spoil is what it sends itself.
 *
 * Threads: one call at a time on the sending side; one ferryi_ring_take() at a
 * time, while any thread may call ferryi_ring_end(); ferryi_ring_end_all() is like a
 * take, and nobody may be in ferryi_ring_end().
 */
#ifndef FERRYI_SHM_RING_H
#define FERRYI_SHM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FERRYI_SLOT	64u
#define FERRYI_RING_MIN 16u /* slots */
#define FERRYI_RING_MAX (1u << 26)

/* What both sides see of one direction, besides its slots. */
struct ferryi_ring_shared {
	/* written by the sender, seldom */
	uint32_t ended;	       /* no more will come */
	uint32_t wants_room;   /* it may sleep; the receiver lowers it */
	uint32_t room_barrier; /* it makes one before it sleeps */
	uint8_t pad0[116];
	/* written by the receiver, for each message */
	uint64_t head; /* slots that were given back */
	uint8_t pad1[120];
	/* written by the receiver, seldom */
	uint32_t deaf;	       /* it takes no more */
	uint32_t wants_more;   /* it may sleep; the sender lowers it */
	uint32_t more_barrier; /* it makes one before it sleeps */
	uint8_t pad2[116];
	/* written by the sender, now and then */
	uint64_t sent; /* hint: how many messages */
	uint8_t pad3[120];
};

_Static_assert(sizeof(struct ferryi_ring_shared) == 512, "four pairs of lines");

/* One side's own view. */
struct ferryi_ring {
	struct ferryi_ring_shared *shared;
	uint8_t *slots;
	uint64_t n;	   /* slots, a power of two */
	uint64_t at;	   /* the next position to fill, or to take */
	uint64_t head;	   /* sender: as last seen; receiver: its own */
	uint64_t *bits;	   /* sender: this slot is in the middle of something;
			 * receiver: the message that begins here is ended */
	uint64_t count;	   /* messages that were sent, or taken */
	uint32_t pad;	   /* sender: slots that its loan leaves out first */
	uint32_t lent;	   /* sender: slots of its loan; 0: there is none */
	uint32_t busy;	   /* receiver: a thread is moving `head` */
	uint32_t offered;  /* sender: slots that are on offer; 0: none */
	bool hand_to_hand; /* as both sides have agreed */
	bool reached;	   /* barriers reach this process */
};

/* A message that was taken. */
struct ferryi_ring_message {
	void *data;
	uint64_t at; /* its position, for ferryi_ring_end() */
	uint64_t word;
	uint32_t len;
	bool beside;
};

/* Of a ring with n slots. */
static inline uint64_t ferryi_ring_largest(uint64_t n)
{
	return n / 2 * FERRYI_SLOT - sizeof(uint64_t);
}

/* Of an empty ring; `bits` is zeroed memory of n bits, at least 64. */
void ferryi_ring_attach(struct ferryi_ring *r,
			struct ferryi_ring_shared *shared, void *slots,
			uint64_t n, uint64_t *bits);

/* --- the sender ------------------------------------------------------------ */

/*
 * A place for `len` bytes.  -EAGAIN: no room.  -EMSGSIZE.  -EBUSY: there is a
 * loan already.  -EBADMSG: the other side wrote nonsense.
 */
int ferryi_ring_loan(struct ferryi_ring *r, uint64_t len, void **out);

/* Send the loan, of which the first `len` bytes are meant.  -ESTALE: there is
 * none. */
int ferryi_ring_commit(struct ferryi_ring *r, uint64_t len, bool beside);

/*
 * The same from hand to hand: put it on offer, or, where it is, see what became of
 * it.  0: it was taken.  -EAGAIN: not yet.  -ESTALE.
 */
int ferryi_ring_offer(struct ferryi_ring *r, uint64_t len);

/* Take it back; it is a loan again.  False: it was taken, and nothing is left. */
bool ferryi_ring_withdraw(struct ferryi_ring *r);

void ferryi_ring_abandon(struct ferryi_ring *r);

/* After a commit, or `ended`: whether the receiver has to be woken. */
bool ferryi_ring_lower_more(struct ferryi_ring *r);

/*
 * Before a sleep: ask for a bell at the next end, of whatever kind, make the
 * barrier, and look again: whether there is room for `len` bytes, or the receiver
 * has taken what is on offer, or takes no more.
 */
void ferryi_ring_ask_room(struct ferryi_ring *r);
bool ferryi_ring_has_room(struct ferryi_ring *r, uint64_t len);

/* Whether all before `position` has been ended. */
bool ferryi_ring_has_passed(struct ferryi_ring *r, uint64_t position);

/* --- the receiver ---------------------------------------------------------- */

/* The next message, which stays the next one.  -EAGAIN: none.  -EBADMSG. */
int ferryi_ring_next(struct ferryi_ring *r, struct ferryi_ring_message *out);

/* The same, and it is ours until it is ended.  -EMSGSIZE: it is longer than
 * `max` (out->len), and stays the next one. */
int ferryi_ring_take(struct ferryi_ring *r, uint64_t max,
		     struct ferryi_ring_message *out);

/* Take what ferryi_ring_next() has found.  -EAGAIN: it has been withdrawn. */
int ferryi_ring_take_this(struct ferryi_ring *r,
			  const struct ferryi_ring_message *m);

/* The messages may be ended in any order. */
void ferryi_ring_end(struct ferryi_ring *r, uint64_t at);

/* All that was taken, where none that came later has been ended before. */
void ferryi_ring_end_all(struct ferryi_ring *r);

/* After an end: whether the sender has to be woken. */
bool ferryi_ring_lower_room(struct ferryi_ring *r);

/* Whether the next message, or a PAD, may be there. */
bool ferryi_ring_glance(const struct ferryi_ring *r);

/* About how many messages wait, without a look at any of them. */
uint64_t ferryi_ring_waiting(const struct ferryi_ring *r);

/* Before a sleep: ask for a bell, make the barrier, and look again: whether there is
 * something, or the end. */
void ferryi_ring_ask_more(struct ferryi_ring *r);
bool ferryi_ring_has_more(struct ferryi_ring *r);

#endif
