/* SPDX-License-Identifier: MIT */
/*
 * What a link with faults keeps.  For fault*.c only.
 *
 *	fault.c		the tables, and how such a link is opened
 *	fault_life.c	waiting, half of it, its end, the cut
 *	fault_move.c	what happens to what is sent
 *	fault_out.c	how that goes to the link behind, and what is owed to it
 *	fault_pass.c	what goes through as it is
 *	fault_stream.c	what happens to bytes
 *	fault_recv.c	messages that are received with faults
 *
 * The link behind it, `inner`, is asked for everything else.  A cut closes it, and may
 * come while the other direction sleeps on it, or while the caller has a message of
 * it: so it is counted who uses it, and the last one closes it.
 */
#ifndef FERRYI_LINK_FAULT_H
#define FERRYI_LINK_FAULT_H

#include <ferry/fault.h>
#include "link/copies.h"
#include "link/link.h"
#include "wire/dice.h"

#define FERRYI_FAULT_KEYS "seed drop dup reorder damage delay cut"

/* A message, or bytes, in memory of this process. */
struct ferryi_kept {
	struct ferryi_kept *next;
	ferry_time due;	      /* not to be handed out before */
	bool twin, overtaken; /* what is counted when it goes on */
	bool damaged;
	struct ferry_message m; /* len, type, priority, who */
	size_t gone, flipped; /* of bytes: how many went on; the damaged one */
	char *to;	      /* a destination of its own, or NULL */
	char from[FERRYI_COPY_FROM_MAX];
	unsigned char data[];
};

struct ferryi_fault_settings {
	uint64_t seed, cut; /* cut = 0: never */
	struct ferryi_odds odds;
};

struct ferryi_fault {
	struct ferry_link *inner;
	struct ferryi_fault_settings set;
	bool at_recv;	     /* the faults happen where it receives */
	uint32_t use;	     /* atomic: users of `inner`, and two bits */
	bool asleep[2];	     /* a call of that side counts as a user */
	bool resting[2];     /* it waits for a time of ours, not for inner */
	ferry_time until[2]; /* that time */
	uint32_t generation; /* of the process that `kept` is of */
	struct ferryi_messages messages;
	struct ferry_fault_stat stat; /* atomic, each by itself */

	/* of the side that has the faults, in its turn */
	struct ferryi_dice dice;
	struct ferryi_verdict verdict;
	bool judged;	       /* the verdict is for the next message */
	ferry_time due;	       /* when that may go on */
	uint64_t moved;	       /* messages or bytes, for the cut */
	bool commits, damages; /* what is sent: a loan; with a fault */
	bool sent; /* the call's message is out, what it owes is not */
	struct ferryi_kept *held; /* for the next one to pass */
	ferry_time held_until;
	struct ferryi_kept *twin;  /* of what is being sent */
	struct ferryi_kept *ready; /* to go out, or to be handed out */
	unsigned char *flipped;	   /* in a loan, and which bit */
	unsigned char bit;
	struct ferryi_copies copies; /* what was taken */
};

static inline struct ferryi_fault *ferryi_fault_of(struct ferry_link *l)
{
	return l->state;
}

static inline void ferryi_fault_count(uint64_t *what, uint64_t n)
{
	__atomic_store_n(what, *what + n, __ATOMIC_RELAXED);
}

/* --- fault_life.c: the use of the inner link ------------------------------- */

/* 0, or -ECONNRESET behind a cut; 0 is given back with ferryi_fault_leave(). */
int ferryi_fault_enter(struct ferryi_fault *f);
void ferryi_fault_leave(struct ferryi_fault *f);

/* The same for an attempt of a side, 0 to send, 1 to receive. */
int ferryi_fault_begin(struct ferryi_fault *f, unsigned side);

/* From inside: from now on nobody enters. */
void ferryi_fault_cut(struct ferryi_fault *f);

/* -EAGAIN: the side waits until then. */
int ferryi_fault_rest(struct ferryi_fault *f, unsigned side, ferry_time until);

/* for the table */
int ferryi_fault_adopt(struct ferry_link *l);
int ferryi_fault_shutdown(struct ferry_link *l, unsigned direction);
int ferryi_fault_turn(struct ferry_link *l);
int ferryi_fault_may_poll(struct ferry_link *l, unsigned direction);
int ferryi_fault_peer(struct ferry_link *l, struct ferry_process *out);
int ferryi_fault_peer_exit(struct ferry_link *l, int *status);
int ferryi_fault_local(struct ferry_link *l, char *buf, size_t size);
void ferryi_fault_fini(struct ferry_link *l);
int ferryi_fault_interest(struct ferry_link *l, enum ferryi_want want,
			  struct ferryi_wait *w);
int ferryi_fault_gave_up(struct ferry_link *l, enum ferryi_want want, int err);
unsigned ferryi_fault_gathered(void *of, unsigned *out_enough);
bool ferryi_fault_glance(void *of);
void ferryi_fault_woke(struct ferry_link *l, const struct ferryi_wait *w);
int ferryi_fault_explain(struct ferry_link *l, int err, char *buf, size_t size);

/* --- fault_move.c ---------------------------------------------------------- */

/* Those that send. */
extern const struct ferryi_messages ferryi_messages_of_faults;

/* The caller gets a message of the inner link, if r is 0, and counts as a user. */
int ferryi_fault_hand_out(struct ferry_link *l, struct ferry_message *m, int r);

/* The verdict for the next message or write, drawn once. */
const struct ferryi_verdict *ferryi_fault_judge(struct ferryi_fault *f);

/* It has been used, for so many messages or bytes; perhaps they were the last. */
void ferryi_fault_used(struct ferryi_fault *f, uint64_t n);

/* Flip the bit of the verdict; false: there is none. */
bool ferryi_fault_damage(struct ferryi_fault *f, void *data, size_t len);

/* A call ends before its message was sent, or in an attempt that was (0). */
int ferryi_fault_end_send(struct ferryi_fault *f, int inner, int err);

/* --- fault_out.c ----------------------------------------------------------- */

enum ferryi_way {
	FERRYI_WAY_PLAIN,
	FERRYI_WAY_TO,	   /* a destination of its own */
	FERRYI_WAY_COMMIT, /* a loan of the inner link's */
	/* These two are neither doubled nor held back: they stand for what is the
	 * caller's only now. */
	FERRYI_WAY_FDS,
	FERRYI_WAY_REPLY,
};

struct ferryi_out {
	enum ferryi_way way;
	void *data;
	size_t len;
	uint32_t type, priority;
	const char *to;
	const int *fds;
	unsigned n_fds;
	struct ferry_message *m; /* the loan, or what is answered */
};

/* One attempt.  The second with the bit of the verdict flipped: in a copy, but for a
 * loan, which is ours to write in. */
int ferryi_fault_pass(struct ferry_link *inner, const struct ferryi_out *o);
int ferryi_fault_pass_damaged(struct ferryi_fault *f,
			      const struct ferryi_out *o);

/* A copy, for later; NULL with the sentence of -ENOMEM. */
struct ferryi_kept *ferryi_fault_keep(const struct ferryi_out *o);
void ferryi_fault_drop_twin(struct ferryi_fault *f);

/* What was held back is ready; has it been overtaken? */
void ferryi_fault_release_held(struct ferryi_fault *f, bool overtaken);

/* Send what is ready. */
int ferryi_fault_pay(struct ferryi_fault *f);

/* The first that is ready has gone out, or, received, to the caller: count it. */
void ferryi_fault_paid(struct ferryi_fault *f);

/* Let go what waits for the next message, and give what is ready a last try. */
int ferryi_fault_flush(struct ferry_link *l);

/* --- fault_pass.c ---------------------------------------------------------- */

/* What `inner` does, with what there is of faults in between. */
void ferryi_fault_messages(struct ferryi_fault *f, struct ferryi_messages *out);

/* --- fault_stream.c -------------------------------------------------------- */

extern const struct ferryi_stream ferryi_stream_of_faults;

/* --- fault_recv.c ---------------------------------------------------------- */

/* In a place of its own.  NULL: out of memory. */
struct ferryi_kept *ferryi_kept_new(const void *data, size_t len,
				    const char *to);
void ferryi_kept_free(struct ferryi_kept *k);
void ferryi_kept_put(struct ferryi_kept **list, struct ferryi_kept *k);

/* All that is kept.  In the child of a fork it is the parent's. */
void ferryi_fault_forget(struct ferryi_fault *f);

/* For a link that receives with faults. */
ssize_t ferryi_fault_recv(struct ferry_link *l, void *buf, size_t size);
ssize_t ferryi_fault_recv_fds(struct ferry_link *l, void *buf, size_t size,
			      int *fds, unsigned *n_fds);
ssize_t ferryi_fault_next_len(struct ferry_link *l);
int ferryi_fault_take(struct ferry_link *l, struct ferry_message *m);
int ferryi_fault_release(struct ferry_link *l, struct ferry_message *m);

#endif
