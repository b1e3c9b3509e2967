/* SPDX-License-Identifier: MIT */
/*
 * ferry peek NAME: look at queued messages without taking them.  Never waits.
 */
#include <errno.h>
#include <stdlib.h>
#include <ferry.h>
#include "framing.h"
#include "options.h"
#include "report.h"
#include "verb.h"

static struct framing_options framing;
static uint64_t count = 1;
static bool all;

static const struct option_row rows[] = {
	{ "count", 'C', OPTION_NUMBER, &count, "COUNT", "so many messages (1)",
	  NULL },
	{ "all", 'a', OPTION_FLAG, &all, NULL, "every queued message", NULL },
	FRAMING_ROWS(framing),
	{ 0 },
};

struct glass {
	struct ferry_link *link;
	uint64_t cursor;
	char *buf;
	size_t cap;
};

/* The next message, with a buffer that holds all of it. */
static int next(struct glass *g, struct ferry_message *m)
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

static int look(struct glass *g, const struct output *o, const char *name)
{
	struct ferry_message m;
	uint64_t seen = 0;
	int err = 0;

	while (all || seen < count) {
		err = next(g, &m);
		if (err < 0)
			break;
		seen++;
		if (!output_message(o, &m))
			return report_stdout();
	}
	if (err == -EAGAIN)
		return seen ? 0 : STATUS_NO;
	return err < 0 ? report_error(name, g->link, err) : 0;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct glass g = { 0 };
	struct output o;
	int err, status;

	if (options_parse(verb, argc, argv) != 1)
		usage_error("one NAME, please");
	output_init(&o, framing_chosen(&framing), argv[1]);
	err = ferry_open(&g.link, argv[1], FERRY_RECV);
	if (err < 0)
		return report_error(argv[1], NULL, err);
	status = look(&g, &o, argv[1]);
	ferry_close(g.link);
	free(g.buf);
	return status;
}

const struct verb verb_peek = {
	.name = "peek",
	.operands = "NAME",
	.summary = "look at queued messages without taking them",
	.options = rows,
	.run = run,
};
