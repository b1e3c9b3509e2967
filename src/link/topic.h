/* SPDX-License-Identifier: MIT */
/*
 * What a link to a topic keeps.  For topic*.c only.
 *
 * One loan and one message in place at a time: the core calls each side of the link
 * from one thread at a time, only the end of a message may come from another.
 */
#ifndef FERRYI_LINK_TOPIC_H
#define FERRYI_LINK_TOPIC_H

#include <ferry/topic.h>
#include "link/link.h"
#include "realm/segment.h"
#include "shm/subscribe.h"

struct ferryi_topic {
	struct ferryi_realm *realm;
	struct ferryi_segment *segment;
	uint32_t generation; /* of the process that opened it; 0: not open */

	/* the side that publishes */
	struct ferryi_chunk loan;
	bool has_loan;
	unsigned blocked; /* calls that found a subscriber in the way */

	/* the side that subscribes */
	enum ferryi_policy policy;
	enum ferryi_from from;
	bool subscribed;
	struct ferryi_subscription sub;
	struct ferryi_news held;
	bool holds; /* atomic */
};

static inline struct ferryi_topic *ferryi_topic_of(struct ferry_link *l)
{
	return l->state;
}

static inline struct ferryi_broadcast *ferryi_broadcast_of(struct ferry_link *l)
{
	return &ferryi_topic_of(l)->segment->view.topic;
}

extern const struct ferryi_transport ferryi_transport_topic;
extern const struct ferryi_messages ferryi_messages_of_topic;

/* At the entry of every call: -ESTALE after a fork or a removal. */
int ferryi_topic_enter(struct ferry_link *l);

/* Wake all who sleep at a gate, if anybody does. */
void ferryi_topic_wake(struct ferryi_segment *s, enum ferryi_topic_gate gate);

/* A subscriber that blocks is in the way: see whether it lives. */
void ferryi_topic_doubt(struct ferry_link *l, uint32_t slot);

/* topic_open.c */
int ferryi_topic_open(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_topic_adopt(struct ferry_link *l);
void ferryi_topic_fini(struct ferry_link *l);

/* topic_move.c: ferry_publish(), one attempt. */
int ferryi_topic_publish(struct ferry_link *l, const void *data, size_t len,
			 unsigned *out_reached);

#endif
