/* SPDX-License-Identifier: MIT */
/*
 * ferry sub NAME: write what is published, from now on or from before.
 *
 * It makes the topic when there is none, and goes on until it is ended or no more
 * can come, unless -C says after how many.
 */
#include <errno.h>
#include <ferry.h>
#include "cancel.h"
#include "framing.h"
#include "options.h"
#include "report.h"
#include "source.h"
#include "topic.h"
#include "verb.h"

static const char *const policies[] = { "block", "drop-old", "latest",
					"disconnect", NULL };
static const char *const froms[] = { "now", "last", "oldest", NULL };

static struct patience patience = PATIENCE_INIT;
static struct framing_options framing;
static struct topic_options topic = TOPIC_OPTIONS_INIT;
static uint64_t count;
static int policy, from;
static bool last, follow;

static const struct option_row rows[] = {
	{ "count", 'C', OPTION_NUMBER, &count, "COUNT",
	  "end after so many messages", NULL },
	{ "follow", 'f', OPTION_FLAG, &follow, NULL,
	  "go on until no more can come (without -C)", NULL },
	{ "from", 0, OPTION_CHOICE, &from, "WHERE",
	  "now, last or oldest: where it begins (now)", froms },
	{ "last", 0, OPTION_FLAG, &last, NULL, "the same as --from last",
	  NULL },
	{ "policy", 0, OPTION_CHOICE, &policy, "POLICY",
	  "block, drop-old, latest or disconnect (block)", policies },
	FRAMING_ROWS(framing),
	TOPIC_ROWS(topic),
	PATIENCE_ROWS(patience),
	{ 0 },
};

/* The end of the wait: what it means depends on what was asked for. */
static int ended(const char *name, struct ferry_link *link, int err,
		 uint64_t got)
{
	if (cancelled())
		return STATUS_NO;
	if (!count &&
	    (err == -ENODATA || (got && (err == -EAGAIN || err == -ETIMEDOUT))))
		return 0;
	if (err == -EAGAIN || err == -ETIMEDOUT) {
		note("%s: no message", name);
		return ferry_error_status(err);
	}
	return report_error(name, link, err);
}

static int copy_all(const char *name, struct ferry_link *link)
{
	struct ferry_message m;
	struct source s;
	struct output o;
	uint64_t got = 0;
	int err, status = 0;

	output_init(&o, framing_chosen(&framing), name);
	o.kind = "topic";
	source_init(&s, link, "topic:", false);
	while (!status && !cancelled() && (!count || got < count)) {
		err = source_next(&s, &m, patience_deadline(&patience));
		if (err < 0) {
			status = ended(name, link, err, got);
			break;
		}
		got++;
		if (!output_message(&o, &m))
			status = report_stdout();
	}
	source_fini(&s);
	return status;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct ferry_link *link;
	char address[4096];
	int err, status;

	if (options_parse(verb, argc, argv) != 1)
		usage_error("one NAME, please");
	if (follow && count)
		usage_error("-f goes on, -C ends: one of them, please");
	topic_address(address, sizeof address, argv[1], &topic,
		      policies[policy], last ? "last" : froms[from]);
	err = ferry_open(&link, address, FERRY_RECV);
	if (err < 0)
		return report_error(argv[1], NULL, err);
	cancel_on_signals(link);
	status = copy_all(argv[1], link);
	cancel_forget();
	ferry_close(link);
	return cancel_finish(status);
}

const struct verb verb_sub = {
	.name = "sub",
	.operands = "NAME",
	.summary = "write what is published to a topic",
	.options = rows,
	.run = run,
};
