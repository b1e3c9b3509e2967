/* SPDX-License-Identifier: MIT */
/*
 * ferry peek NAME: look at queued messages without taking them.  Never waits.
 */
#include <errno.h>
#include <ferry.h>
#include "framing.h"
#include "glass.h"
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

static int look(struct glass *g, const struct output *o, const char *name)
{
	struct ferry_message m;
	uint64_t seen = 0;
	int err = 0;

	while (all || seen < count) {
		err = glass_next(g, &m);
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
	glass_fini(&g);
	return status;
}

const struct verb verb_peek = {
	.name = "peek",
	.operands = "NAME",
	.summary = "look at queued messages without taking them",
	.options = rows,
	.run = run,
};
