/* SPDX-License-Identifier: MIT */
/*
 * What a link to a channel keeps.  For channel*.c only.
 *
 * Messages lie in the segment (shm/channel.h); two sockets stay for life.  The
 * connection itself tells of the peer's end, says who it is, and carries the
 * bell for messages: a byte that the receiver leaves unread until there is
 * nothing more to take.  The other one carries the bell for room.
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

struct ferryi_channel {
	struct ferryi_unix unix_; /* first: the connection, or the door */
	uint32_t ring_log2;
	bool stream; /* as the address chose */

	/* a door */
	int aside[FERRYI_CHANNEL_ASIDE]; /* the oldest first */
	unsigned n_aside;

	/* an end */
	bool attached; /* all of what follows is set */
	int memory, room;
	uint32_t generation; /* of the process that has the mapping */
	uint64_t me;	     /* the same process, for the other side to see */
	unsigned side;	     /* 0: who made the segment */
	struct ferryi_channel_segment *segment;
	uint64_t *bits;
	struct ferryi_ring out, in;

	bool dead;	/* atomic: nobody has the other end any more */
	uint32_t held;	/* atomic: messages that were taken and not released */
	unsigned calls; /* atomic: that found a silent peer */

	/* stream: the message that is being read */
	struct ferryi_ring_message part;
	uint32_t part_done;
	bool has_part;
};

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

/* What the link moves, by what its address chose. */
void ferryi_channel_set_tables(struct ferry_link *l);

/* Of a connected socket: make everything, and pass on what the other side needs. */
int ferryi_channel_offer(struct ferry_link *l);

/* Or join with what the other side has passed, which is ours from now on. */
int ferryi_channel_join(struct ferry_link *l, const int fds[2]);

/* A write of at most 4096 bytes goes as a whole or not at all, a longer one as
 * far as there is room: how much there has to be. */
static inline uint64_t ferryi_channel_least(uint64_t len)
{
	return len <= 4096 ? len : 1;
}

/* channel_move.c */
extern const struct ferryi_messages ferryi_messages_of_channel;
extern const struct ferryi_stream ferryi_stream_of_channel;

#endif
