/* SPDX-License-Identifier: MIT */
/* ferry stat NAME...: every figure of an object, a line each. */
#include <inttypes.h>
#include <stdio.h>
#include <ferry.h>
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

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv), err, status = 0;
	struct ferry_object o;

	if (n == 0)
		usage_error("NAME is missing");
	for (int i = 1; i <= n; i++) {
		err = ferry_look(argv[i], &o);
		if (err < 0) {
			status = report_error(argv[i], NULL, err);
			continue;
		}
		if (globals.json)
			object_json(&o);
		else
			put_object(&o, argv[i]);
		if (!globals.json && i < n)
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
