/* SPDX-License-Identifier: MIT */
/*
 * The next message of any link that gives messages: held until it is settled where
 * it can be given back or is a copy anyway, else copied at once, since in place a
 * slow reader would keep the senders waiting, or be overwritten.  Signals come as
 * lines of text.
 *
 * Threads may share a link; each has a source of its own.
 */
#ifndef FERRY_TOOLS_SOURCE_H
#define FERRY_TOOLS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <ferry.h>
#include "signals.h"

#define SOURCE_FROM_MAX 192

struct source {
	struct ferry_link *link;
	bool returns;  /* what nobody settles is delivered again */
	bool in_place; /* but a message in its place is not kept for long */
	bool passes_fds;
	/* of the last message */
	int fds[FERRY_FDS_MAX];
	unsigned n_fds;
	/* where there is nothing to take, or it is not kept */
	bool copies;
	char *buf;
	size_t cap;
	char from[SOURCE_FROM_MAX];
	bool signals;
	char line[SIGNAL_LINE_MAX];
};

/* `address` is what the user wrote; `passes_fds`: keep descriptors, and nothing
 * else of the message but its bytes. */
void source_init(struct source *s, struct ferry_link *link, const char *address,
		 bool passes_fds);
void source_fini(struct source *s);

/* 0, or as ferry_take().  The message is valid until it is settled, and at most
 * until the next one. */
int source_next(struct source *s, struct ferry_message *m, ferry_time deadline);

/* Settle it: it was delivered; or it is to be delivered again, -EOPNOTSUPP where
 * that cannot be: then it is lost. */
int source_done(struct source *s, struct ferry_message *m);
int source_return(struct ferry_message *m, int64_t delay_ns);

#endif
