/* SPDX-License-Identifier: MIT */
/*
 * The handle itself: what the core keeps for every link, whatever its scheme,
 * and what its files share.
 *
 *	open.c		addresses become links: open, listen, accept, pair
 *	link.c		the calls that copy messages and bytes
 *	in_place.c	messages that are lent and taken
 *	many.c		several messages in one call
 *	call.c		how a call waits, and waits its turn
 *	framing.c	messages over a stream
 *	pollfd.c	descriptors for event loops
 *	explain.c	sentences
 *	table.c		the transports there are
 *	copies.c	messages in memory of this process
 *	fault*.c	faults on purpose, before any scheme
 *	endpoint.c	what transports over descriptors have in common
 */
#ifndef FERRYI_LINK_LINK_H
#define FERRYI_LINK_LINK_H

#include "base/error.h"
#include "link/transport.h"
#include "wait/wait.h"

struct ferryi_framing; /* framing.c: messages over a stream */
struct ferryi_polled;  /* pollfd.c: for event loops */

struct ferry_link {
	const struct ferryi_transport *t;
	/*
	 * What this link moves: the transport's tables.  A transport that can
	 * do either sets or clears them in open, listen, accept and pair.
	 */
	const struct ferryi_messages *messages;
	const struct ferryi_stream *stream;
	unsigned flags; /* FERRY_SEND, FERRY_RECV */
	bool listening;
	bool may_thread; /* FERRY_THREAD */
	char *address;	 /* canonical, for people */
	struct ferryi_cancel cancel;
	uint32_t turn[2];		/* call.c; [0] send side, [1] receive
					 * side; not used when the transport is
					 * concurrent */
	struct ferryi_spin spin[2];	/* the same two sides */
	struct ferryi_framing *framing; /* NULL: the transport's own */
	bool framed; /* by that, or by the framing of the link before it */
	struct ferryi_polled *polled[2]; /* the same sides; NULL: nobody asked */
	void *state;			 /* the transport's, state_size bytes */
};

/*
 * A link without a connection: zeroed state, both tables of the transport.
 * Errors: -ENOMEM, -EMFILE.
 */
int ferryi_link_new(struct ferry_link **out, const struct ferryi_transport *t,
		    unsigned flags, const char *address);

/* The same for a transport's own use: nobody waits on it, or cancels. */
int ferryi_link_inner(struct ferry_link **out, const struct ferryi_transport *t,
		      unsigned flags, const char *address);

/* May messages be moved in that direction?  0, or an error with a sentence. */
int ferryi_refuse_messages(struct ferry_link *l, unsigned side);
static inline int ferryi_check_messages(struct ferry_link *l, unsigned side)
{
	ferryi_fail_clear();
	if (l && !l->listening && (l->flags & side) &&
	    (l->messages || l->framing))
		return 0;
	return ferryi_refuse_messages(l, side);
}

/* -EOPNOTSUPP: such links do not do what mailboxes do. */
int ferryi_lacks(struct ferry_link *l, const char *what);

/* ferry_send_to(), of a link that has that. */
int ferryi_send_to(struct ferry_link *l, const char *to, const void *data,
		   size_t len, ferry_time deadline);

/* Another canonical address, before the link is anybody's.  -ENOMEM. */
int ferryi_link_rename(struct ferry_link *l, const char *address);

/* The end of a link, half-built or not.  NULL is allowed. */
void ferryi_link_free(struct ferry_link *l);

#endif
