/* SPDX-License-Identifier: MIT */
/*
 * What a link to a channel keeps.  For channel*.c only.
 *
 * Messages lie in the segment (shm/channel.h); three sockets stay for life.  The
 * connection itself tells of the peer's end, says who it is, and carries the
 * bell for messages: a byte that the receiver leaves unread until there is
 * nothing more to take.  The second one carries the bell for room, the third, the
 * carrier, what goes beside the ring.
 *
 * fork: both processes have the end until one closes it or takes it over with
 * ferry_adopt_after_fork(); what has been sent and taken so far is known to both.
 */
#ifndef FERRYI_LINK_CHANNEL_H
#define FERRYI_LINK_CHANNEL_H

#include "link/unix.h"
#include "shm/channel.h"

/* Connections that a door holds until they have passed their segment: as many
 * as fit into one wait beside the door itself. */
#define FERRYI_CHANNEL_ASIDE (FERRYI_WAIT_FDS - 1u)

/* What the other side is passed when it connects. */
enum {
	FERRYI_CHANNEL_MEMORY,
	FERRYI_CHANNEL_ROOM_SOCKET,
	FERRYI_CHANNEL_CARRIER_SOCKET,
	FERRYI_CHANNEL_PASSED
};

/* Why the last attempt to send could not. */
enum ferryi_blocked {
	FERRYI_BLOCKED_ROOM,	/* for `need` bytes in the ring */
	FERRYI_BLOCKED_HAND,	/* nobody takes what is on offer */
	FERRYI_BLOCKED_TURN,	/* it is the other side's */
	FERRYI_BLOCKED_LONG,	/* a long message is under way */
	FERRYI_BLOCKED_CARRIER, /* full */
};

/* The memory of a long message that is being sent or was taken. */
struct ferryi_channel_long {
	void *base; /* NULL: there is none; atomic on the receiving side */
	uint64_t len;
	int memory; /* -1: not kept */
};

struct ferryi_channel {
	struct ferryi_unix unix_; /* first: the connection, or the door */
	uint32_t ring_log2;
	uint32_t flags; /* as the address chose */

	/* a door */
	int aside[FERRYI_CHANNEL_ASIDE]; /* the oldest first */
	unsigned n_aside;

	/* an end */
	bool attached;	 /* all of what follows is set */
	bool given_away; /* it is another process's now */
	int memory, room, carrier;
	uint32_t generation; /* of the process that has the mapping */
	uint64_t me;	     /* the same process, for the other side to see */
	unsigned side;	     /* 0: who made the segment */
	struct ferryi_channel_segment *segment;
	uint64_t *bits;
	struct ferryi_ring out, in;

	bool dead;	/* atomic: nobody has the other end any more */
	uint32_t held;	/* atomic: messages that were taken and not released */
	unsigned calls; /* atomic: that found a silent peer */

	/* of who sends */
	enum ferryi_blocked blocked;
	uint64_t need;
	uint64_t packets;    /* through the carrier */
	uint64_t long_until; /* where the last long message ends in the ring */
	struct ferryi_channel_long out_long, in_long;

	/* stream: the message that is being read */
	struct ferryi_ring_message part;
	uint32_t part_done;
	bool has_part;
};

static inline bool ferryi_channel_is(const struct ferryi_channel *c,
				     uint32_t flag)
{
	return c->flags & flag;
}

static inline struct ferryi_channel *ferryi_channel_of(struct ferry_link *l)
{
	return l->state;
}

/* At the entry of every call: -ESTALE after a fork. */
int ferryi_channel_enter(struct ferry_link *l);

/* -ECONNRESET once the other end is gone, which is looked up now and then. */
int ferryi_channel_gone(struct ferry_link *l);

/* Nothing more to take: -EAGAIN, or how it ended. */
int ferryi_channel_end(struct ferry_link *l);

/* channel_open.c */
int ferryi_channel_open(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_channel_listen(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_channel_accept(struct ferry_link *door, struct ferry_link *peer);
int ferryi_channel_pair(struct ferry_link *ends[2],
			const struct ferryi_address *a);

/* ring= of an address, or what it is without. */
int ferryi_channel_read_ring(const struct ferryi_address *a,
			     uint32_t *out_log2);

/* A connected socket becomes an end, which closes it. */
void ferryi_channel_use(struct ferry_link *l, int fd);

/* The same when the other side has passed its memory.  -EAGAIN: not yet, and
 * the socket is still the caller's. */
int ferryi_channel_meet(struct ferry_link *l, int fd);

/* channel_segment.c */
int ferryi_channel_adopt(struct ferry_link *l);
void ferryi_channel_fini(struct ferry_link *l);

/* channel_parcel.c */
int ferryi_channel_pack(struct ferry_link *l, struct ferryi_parcel *p,
			int *fds);
void ferryi_channel_packed(struct ferry_link *l);
int ferryi_channel_unpack(struct ferry_link *l, const struct ferryi_parcel *p,
			  const int *fds);

/* What the link moves, by what its address chose. */
void ferryi_channel_set_tables(struct ferry_link *l);

/* Of a connected socket: make everything, and pass on what the other side needs. */
int ferryi_channel_offer(struct ferry_link *l);

/* A side of the segment whose header was read, with empty rings. */
int ferryi_channel_attach(struct ferry_link *l, unsigned side);

/* Read it: ring_log2 is set. */
int ferryi_channel_read_header(struct ferry_link *l);

/* Or join with what the other side has passed, which is ours from now on. */
int ferryi_channel_join(struct ferry_link *l,
			const int fds[FERRYI_CHANNEL_PASSED]);

/* --- turns, channel.c ------------------------------------------------------- */

bool ferryi_channel_has_turn(struct ferryi_channel *c);

/* Have it, or take it where it is nobody's, or the other side has ended. */
bool ferryi_channel_get_turn(struct ferryi_channel *c);

/* Ours, to the other side or FERRYI_CHANNEL_NOBODY. */
void ferryi_channel_pass_turn(struct ferryi_channel *c, uint32_t to);

/* --- channel_send.c --------------------------------------------------------- */

void ferryi_channel_ring_bell(int fd);
int ferryi_channel_over(struct ferry_link *l, const char *what);
int ferryi_channel_nonsense(struct ferry_link *l);
int ferryi_channel_busy(struct ferry_link *l); /* with a loan */

/* Whether this end may send now.  -EAGAIN: it is not its turn. */
int ferryi_channel_begin_send(struct ferry_link *l);

/* A place in the ring. */
int ferryi_channel_lend(struct ferry_link *l, size_t len, void **place);

/* What was lent is in the ring now: wake who waits for it. */
void ferryi_channel_committed(struct ferryi_channel *c);

/* Of a message that was loaned or taken. */
int ferryi_channel_enter_with(struct ferry_link *l,
			      const struct ferry_message *m);

int ferryi_channel_send(struct ferry_link *l, const void *data, size_t len);
int ferryi_channel_send_fds(struct ferry_link *l, const void *data, size_t len,
			    const int *fds, unsigned n);
int ferryi_channel_reply(struct ferry_link *l, const struct ferry_message *m,
			 const void *data, size_t len);
int ferryi_channel_may_poll(struct ferry_link *l, unsigned direction);
int ferryi_channel_loan(struct ferry_link *l, size_t len,
			struct ferry_message *m);
int ferryi_channel_commit(struct ferry_link *l, struct ferry_message *m);
int ferryi_channel_abandon(struct ferry_link *l, struct ferry_message *m);
int ferryi_channel_gave_up(struct ferry_link *l, enum ferryi_want want,
			   int err);

/* --- channel_recv.c --------------------------------------------------------- */

/* The next message, which stays the next one; or how it ended. */
int ferryi_channel_next(struct ferry_link *l, struct ferryi_ring_message *m);

/* Take it.  -EAGAIN: it has been withdrawn. */
int ferryi_channel_take_this(struct ferryi_channel *c,
			     const struct ferryi_ring_message *m);

/* It was copied. */
void ferryi_channel_finish(struct ferryi_channel *c, uint64_t at);
void ferryi_channel_tell_room(struct ferryi_channel *c);

ssize_t ferryi_channel_recv(struct ferry_link *l, void *buf, size_t size);
ssize_t ferryi_channel_recv_fds(struct ferry_link *l, void *buf, size_t size,
				int *fds, unsigned *n);
ssize_t ferryi_channel_next_len(struct ferry_link *l);
int ferryi_channel_take(struct ferry_link *l, struct ferry_message *m);
int ferryi_channel_release(struct ferry_link *l, struct ferry_message *m);

/* --- channel_beside.c ------------------------------------------------------- */

/* With descriptors, or long, or both. */
int ferryi_channel_send_beside(struct ferry_link *l, const void *data,
			       size_t len, const int *fds, unsigned n);
int ferryi_channel_lend_long(struct ferry_link *l, size_t len, void **place);
int ferryi_channel_commit_long(struct ferry_link *l, size_t len);
void ferryi_channel_drop_long(struct ferryi_channel *c); /* unsent */

/* Of a message that ferryi_channel_next() has found to have a part beside. */
ssize_t ferryi_channel_len_beside(struct ferry_link *l,
				  const struct ferryi_ring_message *m);
ssize_t ferryi_channel_recv_beside(struct ferry_link *l,
				   const struct ferryi_ring_message *m,
				   void *buf, size_t size, int *fds,
				   unsigned *n);
int ferryi_channel_take_beside(struct ferry_link *l,
			       const struct ferryi_ring_message *m, void **data,
			       uint64_t *len);
void ferryi_channel_end_long(struct ferryi_channel *c); /* read */

/* channel_stream.c */
extern const struct ferryi_stream ferryi_stream_of_channel;

/* channel.c */
extern const struct ferryi_messages ferryi_messages_of_channel;

#endif
