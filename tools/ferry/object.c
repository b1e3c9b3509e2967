/* SPDX-License-Identifier: MIT */
/* An object as JSON: see object.h. */
#include "object.h"

#include <stdio.h>
#include <string.h>
#include "json.h"
#include "table.h"

static void text(struct json *j, const char *key, const char *value)
{
	json_text(j, key, value, strlen(value));
}

static void put_options(struct json *j, const struct ferry_mailbox_stat *st)
{
	const struct ferry_mailbox_options *o = &st->options;

	json_open(j, "options", '{');
	json_number(j, "capacity", o->capacity);
	json_number(j, "message_max", o->message_max);
	json_number(j, "bytes_max", o->bytes_max);
	text(j, "full", full_name(o->full));
	text(j, "delivery", delivery_name(o->delivery));
	text(j, "persistence", persistence_name(o->persistence));
	text(j, "trust", o->trust == FERRY_TRUST_GROUP ? "group" : "own");
	json_number(j, "max_deliveries", o->max_deliveries);
	if (st->dead_letter[0])
		text(j, "dead_letter", st->dead_letter);
	json_close(j, '}');
}

static void put_figures(struct json *j, const struct ferry_mailbox_stat *st)
{
	json_number(j, "queued", st->queued);
	json_number(j, "held", st->held);
	json_number(j, "returned", st->returned);
	json_number(j, "loaned", st->loaned);
	json_number(j, "bytes", st->bytes);
	json_number(j, "sent", st->sent);
	json_number(j, "taken", st->taken);
	json_number(j, "redelivered", st->redelivered);
	json_number(j, "dropped", st->dropped);
	json_number(j, "lost", st->lost);
	json_number(j, "rejected", st->rejected);
	json_number(j, "dead_lettered", st->dead_lettered);
	json_number(j, "repaired", st->repaired);
	json_number(j, "users", st->users);
	json_bool(j, "closed", st->closed);
	json_bool(j, "receivers_wait", st->receivers_wait);
	json_bool(j, "senders_wait", st->senders_wait);
}

static void put_topic(struct json *j, const struct ferry_topic_stat *st)
{
	json_number(j, "published", st->published);
	json_number(j, "kept", st->kept);
	json_number(j, "bytes", st->bytes);
	json_number(j, "subscribers", st->subscribers);
	json_number(j, "blocking", st->blocking);
	json_number(j, "dropped", st->dropped);
	json_number(j, "disconnected", st->disconnected);
	json_number(j, "repaired", st->repaired);
	json_number(j, "users", st->users);
	json_bool(j, "closed", st->closed);
	json_open(j, "options", '{');
	json_number(j, "capacity", st->options.capacity);
	json_number(j, "message_max", st->options.message_max);
	text(j, "persistence", persistence_name(st->options.persistence));
	text(j, "trust",
	     st->options.trust == FERRY_TRUST_GROUP ? "group" : "own");
	json_close(j, '}');
}

void object_json(const struct ferry_object *o)
{
	char mode[8];
	struct json j;

	snprintf(mode, sizeof mode, "%04o", o->mode & 07777);
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	text(&j, "name", o->name);
	text(&j, "state", state_name(o->state));
	if (o->kind[0])
		text(&j, "kind", o->kind);
	json_number(&j, "uid", o->uid);
	json_number(&j, "gid", o->gid);
	text(&j, "mode", mode);
	if (o->created_at)
		json_time(&j, "created_at", o->created_at);
	if (object_known(o) && object_is_topic(o)) {
		put_topic(&j, &o->topic);
	} else if (object_known(o)) {
		put_figures(&j, &o->mailbox);
		put_options(&j, &o->mailbox);
	}
	if (o->why[0])
		text(&j, "why", o->why);
	json_close(&j, '}');
	json_end(&j);
}
