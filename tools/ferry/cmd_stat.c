/* SPDX-License-Identifier: MIT */
/* ferry stat NAME...: every figure of an object, of any mechanism, a line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <ferry.h>
#include "figures.h"
#include "object.h"
#include "options.h"
#include "report.h"
#include "table.h"
#include "topic.h"
#include "verb.h"

static void put_text(const char *key, const char *value)
{
	char safe[512];

	printf("%-15s %s\n", key, plain(value, safe, sizeof safe));
}

static void put_number(const char *key, uint64_t value)
{
	printf("%-15s %" PRIu64 "\n", key, value);
}

static void put_size(const char *key, uint64_t value)
{
	char buf[SHORT_MAX];

	printf("%-15s %" PRIu64, key, value);
	if (value >= 1024)
		printf(" (%s)", short_size(value, buf));
	putchar('\n');
}

static void put_options(const struct ferry_mailbox_stat *st)
{
	const struct ferry_mailbox_options *o = &st->options;

	put_number("capacity", o->capacity);
	put_size("message max", o->message_max);
	put_size("bytes max", o->bytes_max);
	put_text("full", full_name(o->full));
	put_text("delivery", delivery_name(o->delivery));
	put_text("persistence", persistence_name(o->persistence));
	put_text("trust", o->trust == FERRY_TRUST_GROUP ? "group" : "own");
	put_number("max deliveries", o->max_deliveries);
	put_text("dead letters", st->dead_letter[0] ? st->dead_letter : "-");
}

static void put_figures(const struct ferry_mailbox_stat *st)
{
	put_number("queued", st->queued);
	put_number("held", st->held);
	put_number("returned", st->returned);
	put_number("loaned", st->loaned);
	put_size("bytes", st->bytes);
	put_number("sent", st->sent);
	put_number("taken", st->taken);
	put_number("redelivered", st->redelivered);
	put_number("dropped", st->dropped);
	put_number("lost", st->lost);
	put_number("rejected", st->rejected);
	put_number("dead-lettered", st->dead_lettered);
	put_number("repaired", st->repaired);
	put_number("users", st->users);
	put_text("closed", st->closed ? "yes" : "no");
	put_text("waiting", st->receivers_wait ? "receivers" :
			    st->senders_wait   ? "senders" :
						 "nobody");
}

static void put_topic(const struct ferry_topic_stat *st)
{
	put_number("capacity", st->options.capacity);
	put_size("message max", st->options.message_max);
	put_text("persistence", persistence_name(st->options.persistence));
	put_text("trust",
		 st->options.trust == FERRY_TRUST_GROUP ? "group" : "own");
	put_number("published", st->published);
	put_number("kept", st->kept);
	put_size("bytes", st->bytes);
	put_number("subscribers", st->subscribers);
	put_number("blocking", st->blocking);
	put_number("dropped", st->dropped);
	put_number("disconnected", st->disconnected);
	put_number("repaired", st->repaired);
	put_number("users", st->users);
	put_text("closed", st->closed ? "yes" : "no");
}

/* A row each; who cannot open the topic sees none. */
static void put_subscribers(const struct ferry_object *o, const char *name)
{
	static struct ferry_subscriber all[256];
	static const struct topic_options any = TOPIC_OPTIONS_INIT;
	char address[4096], counts[100], key[20];
	struct ferry_link *link;
	ssize_t n;

	topic_address(address, sizeof address, name, &any, NULL, NULL);
	if (o->state != FERRY_LIVE ||
	    ferry_open(&link, address, FERRY_SEND) < 0)
		return;
	n = ferry_topic_subscribers(link, all, 256);
	ferry_close(link);
	for (ssize_t i = 0; i < n && i < 256; i++) {
		snprintf(key, sizeof key, "pid %d", (int)all[i].process.pid);
		snprintf(counts, sizeof counts,
			 "%s, %" PRIu64 " behind, %" PRIu64
			 " delivered, %" PRIu64 " dropped",
			 all[i].disconnected ? "disconnected" :
					       policy_name(all[i].policy),
			 all[i].behind, all[i].delivered, all[i].dropped);
		put_text(key, counts);
	}
}

static void put_object(const struct ferry_object *o, const char *name)
{
	char buf[SHORT_MAX];

	put_text("name", o->name);
	put_text("state", state_name(o->state));
	if (o->kind[0])
		put_text("kind", o->kind);
	put_text("owner", user_name(o->uid, buf));
	printf("%-15s %04o\n", "mode", o->mode & 07777);
	put_text("age", short_age(o->created_at, buf));
	if (o->why[0])
		put_text("why", o->why);
	if (!object_known(o))
		return;
	if (object_is_topic(o)) {
		put_topic(&o->topic);
		put_subscribers(o, name);
		return;
	}
	put_options(&o->mailbox);
	put_figures(&o->mailbox);
}

/* --- of other mechanisms ------------------------------------------------------ */

static void put_figure(const struct ferry_figure *f)
{
	char buf[SHORT_MAX];

	if (f->unit == FERRY_BYTES)
		put_size(f->name, (uint64_t)f->value);
	else
		put_text(f->name, figure_text(f, buf));
}

static void put_figures_of(const char *address, const struct ferry_figure *f,
			   size_t n)
{
	if (globals.json) {
		figures_json(address, f, n);
		return;
	}
	put_text("name", address);
	for (size_t i = 0; i < n; i++)
		put_figure(&f[i]);
}

/* -EOPNOTSUPP: it is no address of another mechanism. */
static int show_figures(const char *name)
{
	struct ferry_figure *figures;
	size_t n;
	int r = ferry_figures(name, &figures, &n);

	if (r < 0)
		return r;
	put_figures_of(name, figures, n);
	if (r > 0)
		report(name, 0,
		       "there may be more: processes of other users cannot be "
		       "looked into (ask as root)");
	ferry_free(figures);
	return 0;
}

static int show_object(const char *name)
{
	struct ferry_object o;
	int err = ferry_look(name, &o);

	if (err < 0)
		return err;
	if (globals.json)
		object_json(&o);
	else
		put_object(&o, name);
	return 0;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv), err, status = 0;

	if (n == 0)
		usage_error("NAME is missing");
	for (int i = 1; i <= n; i++) {
		err = show_figures(argv[i]);
		if (err == -EOPNOTSUPP)
			err = show_object(argv[i]);
		if (err < 0)
			status = report_error(argv[i], NULL, err);
		else if (!globals.json && i < n)
			putchar('\n');
	}
	return status;
}

const struct verb verb_stat = {
	.name = "stat",
	.operands = "NAME...",
	.summary = "every figure of an object",
	.run = run,
};
