/* SPDX-License-Identifier: MIT */
/*
 * ferry tap ADDRESS: a copy of what passes, without taking it.
 * ferry tap A B: the same from in between, where a link cannot be looked into.
 *
 * What every receiver gets is received.  What one receiver takes is looked at: no
 * event tells who only looks of a new message, so that is done now and then, and
 * what came and went in between is counted.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "cancel.h"
#include "glass.h"
#include "opening.h"
#include "relay.h"
#include "report.h"
#include "source.h"
#include "tap.h"
#include "verb.h"

static struct relay_options options = RELAY_INIT;
static int64_t every = FERRY_MS(100);
static bool all, hex;
static const char *file;

static const struct option_row rows[] = {
	{ "output", 'o', OPTION_TEXT, &file, "FILE",
	  "append to FILE (else standard output)", NULL },
	{ "hex", 'x', OPTION_FLAG, &hex, NULL, "in hexadecimal", NULL },
	{ "all", 'a', OPTION_FLAG, &all, NULL,
	  "what is queued already, too (one ADDRESS)", NULL },
	{ "every", 0, OPTION_DURATION, &every, "DURATION",
	  "look so often, where there is no event (100ms)", NULL },
	RELAY_ROWS(options),
	{ 0 },
};

/* How to receive without being in anybody's way, and only what is new. */
static const struct {
	const char *scheme, *key, *value, *value_of_all;
} manners[] = {
	{ "topic", "policy", "drop-old", NULL },
	{ "topic", "from", "now", "oldest" },
	{ "file", "from", "end", NULL },
};

/* --- one address ---------------------------------------------------------------- */

struct one {
	const char *name;
	struct ferry_link *link;
	struct tap tap;
	uint64_t n_seen;
	int64_t seen_at;
};

static int see(struct one *o, const struct ferry_message *m)
{
	o->n_seen++;
	o->seen_at = ferry_after(0);
	return tap_write(&o->tap, '>', o->name, NULL, m);
}

static bool wants_more(const struct one *o)
{
	return !cancelled() && o->n_seen < options.count;
}

/* Nothing more is to be seen: is that what was asked for? */
static int ended(struct one *o, int err)
{
	if (err == -ENODATA || cancelled())
		return 0;
	if (err == -EAGAIN || err == -ETIMEDOUT)
		return o->n_seen ? 0 : ferry_error_status(err);
	return report_error(o->name, o->link, err);
}

static void tell_missed(const struct one *o, uint64_t n)
{
	if (n)
		report(o->name, 0,
		       "%" PRIu64 " messages passed unseen (it went faster "
		       "than was looked)",
		       n);
}

static void add_manners(const struct ferry_transport_info *t, char *address)
{
	for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
		const char *value = all ? manners[i].value_of_all :
					  manners[i].value;

		if (!strcmp(manners[i].scheme, t->scheme) &&
		    !address_has(address, manners[i].key, NULL) &&
		    (value || !all))
			address_add(address, ADDRESS_SIZE, manners[i].key,
				    value);
	}
}

/* As one receiver among all. */
static int listen_in(struct one *o)
{
	static struct ferry_subscriber subs[256];
	struct ferry_message m;
	struct source s;
	int err = 0, status = 0;
	ssize_t n;

	source_init(&s, o->link, o->name, false);
	note("watching %s", ferry_address(o->link));
	while (!status && wants_more(o)) {
		err = source_next(&s, &m, patience_deadline(&options.patience));
		if (err < 0)
			break;
		status = see(o, &m);
		source_done(&s, &m);
	}
	source_fini(&s);
	if (!status && err < 0)
		status = ended(o, err);
	n = ferry_topic_subscribers(o->link, subs, 256);
	for (ssize_t i = 0; i < n && i < 256; i++)
		if (subs[i].process.pid == getpid())
			tell_missed(o, subs[i].dropped);
	return status;
}

static uint64_t n_sent(const struct one *o)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	return ferry_stat(o->link, &st) < 0 ? 0 : st.sent;
}

static bool is_closed(const struct one *o)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	return ferry_stat(o->link, &st) >= 0 && st.closed;
}

/* All that is there and was not seen; -EAGAIN, or a status in *out_status. */
static int look(struct one *o, struct glass *g, uint64_t *n_again,
		int *out_status)
{
	struct ferry_message m;
	int err = 0;

	while (!err && !*out_status && wants_more(o)) {
		err = glass_next(g, &m);
		if (err < 0)
			break;
		*n_again += m.redelivered;
		*out_status = see(o, &m);
	}
	return err;
}

/* Until when: the end of the mailbox, of our patience, or of what was asked for. */
static int follow(struct one *o, struct glass *g, uint64_t *n_again)
{
	int err, status = 0;

	for (;;) {
		bool closed = is_closed(o);

		err = look(o, g, n_again, &status);
		if (status || !wants_more(o))
			return status;
		if (err != -EAGAIN)
			return ended(o, err);
		if (closed || options.patience.nonblock)
			return ended(o, closed ? -ENODATA : -EAGAIN);
		if (options.patience.timeout >= 0 &&
		    ferry_after(0) - o->seen_at >= options.patience.timeout)
			return ended(o, -ETIMEDOUT);
		cancel_wait(-1, every);
	}
}

/* As one who looks. */
static int look_in(struct one *o)
{
	struct glass g = { .link = o->link };
	uint64_t before = n_sent(o), n_again = 0, n;
	struct ferry_message m;
	int err = all ? -EAGAIN : 0, status;

	while (!err)
		err = glass_next(&g, &m);
	if (err != -EAGAIN)
		return ended(o, err);
	note("watching %s", ferry_address(o->link));
	status = follow(o, &g, &n_again);
	n = n_sent(o) - before;
	if (!all && options.count == UINT64_MAX && n > o->n_seen - n_again)
		tell_missed(o, n - (o->n_seen - n_again));
	glass_fini(&g);
	return status;
}

static int tap_one(struct one *o)
{
	const struct ferry_transport_info *t = address_transport(o->name);
	char address[ADDRESS_SIZE];
	unsigned can = t ? t->promises : FERRY_CAN_PEEK;
	int err, status;

	if (!(can & (FERRY_CAN_BROADCAST | FERRY_CAN_PEEK)))
		return report(o->name, ferry_error_status(-EOPNOTSUPP),
			      "nobody can look into it without taking (stand "
			      "between: ferry tap %s B, and let the receiver "
			      "use B)",
			      o->name);
	snprintf(address, sizeof address - 64, "%s", o->name);
	if (t)
		add_manners(t, address);
	err = open_patiently(&o->link, address, FERRY_RECV, &options.patience);
	if (err < 0)
		return opening_failed(o->name, err, &options.patience);
	cancel_on_signals(o->link);
	o->seen_at = ferry_after(0);
	status = can & FERRY_CAN_BROADCAST ? listen_in(o) : look_in(o);
	cancel_forget();
	ferry_close(o->link);
	return status;
}

static void check_one(void)
{
	if (options.listens[0] || options.listens[1] || options.one_way ||
	    options.strict || options.framing.line || options.framing.nul ||
	    options.framing.len32)
		usage_error("-l, -L, --one-way, --strict and framings are for "
			    "two ADDRESSes");
	if (every < FERRY_MS(1))
		usage_error("--every: at least 1ms");
}

/* --- two ---------------------------------------------------------------------------- */

static const char *first;

static int seen(void *context, const struct relay_end *from,
		const struct relay_end *to, const struct ferry_message *m)
{
	return tap_write(context, from->name == first ? '>' : '<', from->name,
			 to->name, m);
}

static int tap_between(const char *a, const char *b, struct tap *t)
{
	if (all)
		usage_error("-a is for one ADDRESS");
	first = a;
	options.seen = seen;
	options.context = t;
	return relay(a, b, &options);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv), status, closed;
	struct one o = { .name = argv[1] };

	if (n < 1 || n > 2)
		usage_error("one ADDRESS, or two, please");
	if (n == 1)
		check_one();
	status = tap_open(&o.tap, file, hex);
	if (status)
		return status;
	status = n == 1 ? tap_one(&o) : tap_between(argv[1], argv[2], &o.tap);
	closed = tap_close(&o.tap);
	return cancel_finish(status ? status : closed);
}

const struct verb verb_tap = {
	.name = "tap",
	.operands = "ADDRESS [ADDRESS]",
	.summary = "a copy of what passes, without taking it",
	.options = rows,
	.run = run,
};
