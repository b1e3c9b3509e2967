/* SPDX-License-Identifier: MIT */
/* Looking at queued messages one after the other, each whole. */
#ifndef FERRY_TOOLS_GLASS_H
#define FERRY_TOOLS_GLASS_H

#include <ferry.h>

struct glass {
	struct ferry_link *link;
	uint64_t cursor;
	char *buf;
	size_t cap;
};

/* The next message, valid until the one after it: 0, or as ferry_peek(); -ENOMEM. */
int glass_next(struct glass *g, struct ferry_message *m);
void glass_fini(struct glass *g);

#endif
