/* SPDX-License-Identifier: MIT */
/* See news.h. */
#include "news.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy(struct news *n, const struct ferry_message *m)
{
	char *grown;

	if (m->len > n->cap) {
		grown = realloc(n->data, m->len);
		if (!grown)
			return -ENOMEM;
		n->data = grown;
		n->cap = m->len;
	}
	if (m->len)
		memcpy(n->data, m->data, m->len);
	n->message = *m;
	n->message.data = n->data;
	return 0;
}

int news_next(struct news *n, struct ferry_link *link, ferry_time deadline)
{
	struct ferry_message m;
	int err, copied;

	do {
		err = ferry_take(link, &m, deadline);
		if (err < 0)
			return err;
		copied = copy(n, &m);
		err = ferry_release(&m);
	} while (err == -ESTALE && copied == 0); /* overwritten: the next one */
	return copied < 0 ? copied : err;
}

void news_fini(struct news *n)
{
	free(n->data);
}
