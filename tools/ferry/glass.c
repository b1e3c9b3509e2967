/* SPDX-License-Identifier: MIT */
/* See glass.h. */
#include "glass.h"

#include <errno.h>
#include <stdlib.h>

int glass_next(struct glass *g, struct ferry_message *m)
{
	uint64_t before = g->cursor;
	size_t cap = 1 << 16;
	char *buf;
	int err;

	for (;;) {
		g->cursor = before;
		err = ferry_peek(g->link, &g->cursor, m, g->buf, g->cap);
		if (err < 0 || (g->buf && m->len <= g->cap))
			return err;
		if (m->len > cap)
			cap = m->len;
		buf = realloc(g->buf, cap);
		if (!buf)
			return -ENOMEM;
		g->buf = buf;
		g->cap = cap;
	}
}

void glass_fini(struct glass *g)
{
	free(g->buf);
}
