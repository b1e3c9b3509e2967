/* SPDX-License-Identifier: MIT */
/*
 * Sending what was given: one message, or standard input message by message.  On
 * the first error it ends, and says how many were sent by then.
 */
#ifndef FERRY_TOOLS_FEED_H
#define FERRY_TOOLS_FEED_H

#include "framing.h"

struct feed {
	const char *name; /* what the user wrote */
	struct ferry_link *link;
	/* *out_wrong: why the input is malformed, when the link was not asked */
	int (*send)(struct ferry_link *link, const struct frame *f,
		    const char **out_wrong);
};

/* Both return the exit status. */
int feed_text(const struct feed *f, char *text);
int feed_input(const struct feed *f, enum framing how);

/* One message with a type and a priority, which is written in place; otherwise as
 * ferry_send(). */
int send_with(struct ferry_link *link, const struct frame *f, uint32_t type,
	      uint32_t priority, ferry_time deadline);

#endif
