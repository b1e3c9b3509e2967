/* SPDX-License-Identifier: MIT */
/*
 * Messages of a topic, copied before they are written: a slow standard output must
 * keep no publisher waiting for longer than it has to, and what is overwritten while
 * it is copied is left out.
 */
#ifndef FERRY_TOOLS_NEWS_H
#define FERRY_TOOLS_NEWS_H

#include <ferry.h>

struct news {
	struct ferry_message message; /* its data is the next field */
	char *data;
	size_t cap;
};

/* The next one: 0, or as ferry_take(); -ENOMEM. */
int news_next(struct news *n, struct ferry_link *link, ferry_time deadline);
void news_fini(struct news *n);

#endif
