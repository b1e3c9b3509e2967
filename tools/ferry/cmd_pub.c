/* SPDX-License-Identifier: MIT */
/*
 * ferry pub NAME [MESSAGE]: publish the argument, or standard input, to a topic.
 *
 * It makes the topic when there is none.  Nobody has to be there to hear it, unless
 * --wait says how many.
 */
#include <ferry.h>
#include "cancel.h"
#include "feed.h"
#include "options.h"
#include "report.h"
#include "topic.h"
#include "verb.h"

static struct patience patience = PATIENCE_INIT;
static struct framing_options framing;
static struct topic_options topic = TOPIC_OPTIONS_INIT;
static uint64_t crowd;

static const struct option_row rows[] = {
	{ "wait", 'w', OPTION_NUMBER, &crowd, "N",
	  "first wait until there are N subscribers", NULL },
	FRAMING_ROWS(framing),
	TOPIC_ROWS(topic),
	PATIENCE_ROWS(patience),
	{ 0 },
};

static int publish_one(struct ferry_link *link, const struct frame *f,
		       const char **out_wrong)
{
	unsigned reached = 0;
	int err = ferry_publish(link, f->data, f->len, &reached,
				patience_deadline(&patience));

	if (err == 0)
		note("reached: %u", reached);
	(void)out_wrong;
	return err;
}

static int publish(const struct feed *feed, char *text, enum framing how)
{
	int err = ferry_topic_wait(feed->link, (unsigned)crowd,
				   patience_deadline(&patience));

	if (cancelled())
		return STATUS_NO;
	if (err < 0)
		return report_error(feed->name, feed->link, err);
	return text ? feed_text(feed, text) : feed_input(feed, how);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv), err, status;
	enum framing how = framing_chosen(&framing);
	struct feed feed = { .send = publish_one };
	char address[4096];

	if (n == 0)
		usage_error("NAME is missing");
	if (n > 2)
		usage_error("one MESSAGE, please (put it in quotes)");
	if (crowd > 256)
		usage_error("--wait: a topic has at most 256 subscribers");
	if (n == 2 && (framing.line || framing.nul || framing.len32))
		usage_error("-l, -0 and --len32 are for standard input");
	feed.name = argv[1];
	topic_address(address, sizeof address, argv[1], &topic, NULL, NULL);
	err = ferry_open(&feed.link, address, FERRY_SEND);
	if (err < 0)
		return report_error(argv[1], NULL, err);
	cancel_on_signals(feed.link);
	status = publish(&feed, n == 2 ? argv[2] : NULL, how);
	cancel_forget();
	ferry_close(feed.link);
	return cancel_finish(status);
}

const struct verb verb_pub = {
	.name = "pub",
	.operands = "NAME [MESSAGE]",
	.summary = "publish the message, or standard input, to a topic",
	.options = rows,
	.run = run,
};
