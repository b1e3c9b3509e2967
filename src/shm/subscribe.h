/* SPDX-License-Identifier: MIT */
/*
 * One subscriber of a topic: where it stands, and what it reads there.
 *
 * It has a slot, which says whose it is and what it wants, and a cursor, the next
 * position that it reads.  A message is read in its place; when that was overwritten
 * meanwhile, what was read is worth nothing, and the subscriber goes on as it chose.
 *
 * One who blocks announces itself first, at the oldest position that it might get,
 * and looks for the tail then: what it finds there nobody overwrites any more, but
 * one publisher that had asked before, and that one only the position N before the
 * next (B5), which is no longer promised.
 *
 * Pure, like broadcast.h.  One thread at a time uses a subscription.
 */
#ifndef FERRYI_SHM_SUBSCRIBE_H
#define FERRYI_SHM_SUBSCRIBE_H

#include "shm/broadcast.h"

/* What a subscriber gets that does not keep up.  Values of a slot's word. */
enum ferryi_policy {
	FERRYI_POLICY_BLOCK,
	FERRYI_POLICY_DROP_OLD,
	FERRYI_POLICY_LATEST,
	FERRYI_POLICY_DISCONNECT,
	FERRYI_POLICIES,
};

enum ferryi_from {
	FERRYI_FROM_NOW,
	FERRYI_FROM_LAST,
	FERRYI_FROM_OLDEST,
};

struct ferryi_subscription {
	uint32_t slot;
	uint64_t word; /* the proof that the slot is ours */
	enum ferryi_policy policy;
	uint64_t cursor; /* as in the slot */
	bool cut;
};

/* A message in its place. */
struct ferryi_news {
	uint64_t at, cell;
	uint32_t index;
	uint64_t len;
	const void *data;
	struct ferryi_sender sender;
};

/* -ENOSPC: all slots are taken.  -EBADMSG. */
int ferryi_broadcast_subscribe(struct ferryi_broadcast *b, uint32_t owner,
			       enum ferryi_policy policy, enum ferryi_from from,
			       struct ferryi_subscription *out);
void ferryi_broadcast_unsubscribe(struct ferryi_broadcast *b,
				  const struct ferryi_subscription *s);

/*
 * The message at the cursor, which may move forward for it: what is passed by is
 * counted.  -EAGAIN: none yet.  -ECONNRESET: it was too slow, and wanted to be told.
 * -EBADMSG: a stranger wrote there; it is passed by.
 */
int ferryi_broadcast_next(struct ferryi_broadcast *b,
			  struct ferryi_subscription *s,
			  struct ferryi_news *out);

/* The message of a position, whoever asks.  -EAGAIN: none yet.  -ESTALE: it has been
 * overwritten.  -EBADMSG. */
int ferryi_broadcast_read(struct ferryi_broadcast *b, uint64_t at,
			  struct ferryi_news *out);

/* Whether what was read of the message so far was it. */
bool ferryi_broadcast_is_whole(const struct ferryi_broadcast *b,
			       const struct ferryi_news *n);

/* It has been read, or (not `whole`) was overwritten: the cursor moves behind it. */
void ferryi_broadcast_pass(struct ferryi_broadcast *b,
			   struct ferryi_subscription *s, uint64_t at,
			   bool whole);

/* Slots in use. */
uint32_t ferryi_broadcast_subscribers(const struct ferryi_broadcast *b);

#endif
