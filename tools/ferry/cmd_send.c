/* SPDX-License-Identifier: MIT */
/*
 * ferry send NAME [MESSAGE]: send the argument, or standard input.
 *
 * A message counts as sent when the mailbox has accepted it.
 */
#include <errno.h>
#include <ferry.h>
#include "address.h"
#include "cancel.h"
#include "feed.h"
#include "opening.h"
#include "options.h"
#include "report.h"
#include "signals.h"
#include "verb.h"

static struct patience patience = PATIENCE_INIT;
static struct framing_options framing;
static uint64_t type, priority;
static const char *as, *to;

static const struct option_row rows[] = {
	FRAMING_ROWS(framing),
	{ "type", 0, OPTION_NUMBER, &type, "NUMBER",
	  "the type of the messages (0)", NULL },
	{ "priority", 'p', OPTION_NUMBER, &priority, "NUMBER",
	  "the priority of the messages (0)", NULL },
	{ "as", 0, OPTION_TEXT, &as, "NAME",
	  "be process:NAME meanwhile (to a process: address)", NULL },
	{ "to", 0, OPTION_TEXT, &to, "ADDRESS",
	  "the destination of each message (through udp: and the like)", NULL },
	PATIENCE_ROWS(patience),
	{ 0 },
};

/* A signal carries a number. */
static int send_signal(struct ferry_link *link, const struct frame *f,
		       uint32_t t, ferry_time deadline, const char **out_wrong)
{
	char value[SIGNAL_VALUE_MAX];
	int n = signal_value(f->data, f->len, value);
	struct frame number = { .data = value, .len = (size_t)n };

	if (n < 0) {
		*out_wrong = "the value of a signal is a decimal number, or "
			     "nothing ('')";
		return -EINVAL;
	}
	return t ? send_with(link, &number, t, 0, deadline) :
		   ferry_send(link, value, (size_t)n, deadline);
}

static int send_one(struct ferry_link *link, const struct frame *f,
		    const char **out_wrong)
{
	ferry_time deadline = patience_deadline(&patience);
	uint32_t t = f->type ? f->type : (uint32_t)type;
	uint32_t p = f->priority ? f->priority : (uint32_t)priority;

	if (signal_is_address(ferry_address(link)))
		return send_signal(link, f, t, deadline, out_wrong);
	if (to && (t || p)) {
		*out_wrong = "it has a type or a priority, which does not go "
			     "with --to";
		return -EINVAL;
	}
	if (to)
		return ferry_send_to(link, to, f->data, f->len, deadline);
	if (t || p)
		return send_with(link, f, t, p, deadline);
	return ferry_send(link, f->data, f->len, deadline);
}

/* The link to send through; *out_self is the name that this process has. */
static int open_both(const char *name, struct ferry_link **out,
		     struct ferry_link **out_self)
{
	char address[ADDRESS_SIZE], framed[ADDRESS_SIZE], self[ADDRESS_SIZE];
	const char *through =
		address_framed(framed, name, framing_key(&framing));
	int err = 0;

	if (as)
		err = ferry_open(out_self, address_beside(self, name, as),
				 FERRY_RECV);
	if (err < 0)
		return report_error(self, NULL, err);
	err = open_patiently(out, address_with(address, through, "as", as),
			     FERRY_SEND, &patience);
	if (err < 0) {
		err = opening_failed(name, err, &patience);
		ferry_close(*out_self);
	}
	return err;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv), status;
	enum framing how = framing_chosen(&framing);
	struct feed feed = { .send = send_one };
	struct ferry_link *self = NULL;

	if (n == 0)
		usage_error("NAME is missing");
	if (n > 2)
		usage_error("one MESSAGE, please (put it in quotes)");
	if (type > UINT32_MAX)
		usage_error("--type: at most %u", UINT32_MAX);
	if (priority > UINT32_MAX)
		usage_error("--priority: at most %u", UINT32_MAX);
	if ((type || priority) && to)
		usage_error("--to goes with neither --type nor --priority");
	if (n == 2 && framing_key(&framing) &&
	    !address_is_stream(address_transport(argv[1]), argv[1]))
		usage_error("-l, -0 and --len32 are for standard input");
	status = open_both(argv[1], &feed.link, &self);
	if (status)
		return status;
	cancel_on_signals(feed.link);
	feed.name = argv[1];
	status = n == 2 ? feed_text(&feed, argv[2]) : feed_input(&feed, how);
	cancel_forget();
	ferry_close(feed.link);
	ferry_close(self);
	return cancel_finish(status);
}

const struct verb verb_send = {
	.name = "send",
	.operands = "NAME [MESSAGE]",
	.summary = "send the message, or standard input",
	.options = rows,
	.run = run,
};
