/* SPDX-License-Identifier: MIT */
/* ferry transports: the addresses there are, and what each one promises. */
#include <stdio.h>
#include <string.h>
#include <ferry.h>
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"
#include "verb.h"

static const struct {
	unsigned bit;
	const char *name;
} promises[] = {
	{ FERRY_CAN_MESSAGES, "messages" },
	{ FERRY_CAN_STREAM, "stream" },
	{ FERRY_CAN_DUPLEX, "duplex" },
	{ FERRY_CAN_ORDER, "order" },
	{ FERRY_CAN_RELIABLE, "reliable" },
	{ FERRY_CAN_MANY_SEND, "many-send" },
	{ FERRY_CAN_MANY_RECV, "many-recv" },
	{ FERRY_CAN_CONNECT, "connect" },
	{ FERRY_CAN_PAIR, "pair" },
	{ FERRY_CAN_NAME, "name" },
	{ FERRY_CAN_SHUTDOWN, "shutdown" },
	{ FERRY_CAN_PEER_DEATH, "peer-death" },
	{ FERRY_CAN_CREDENTIAL, "credential" },
	{ FERRY_CAN_IN_PLACE, "in-place" },
	{ FERRY_CAN_REDELIVER, "redeliver" },
	{ FERRY_CAN_PEEK, "peek" },
	{ FERRY_CAN_PERSIST, "persist" },
	{ FERRY_CAN_REMOTE, "remote" },
	{ FERRY_CAN_FDS, "fds" },
	{ FERRY_CAN_BROADCAST, "broadcast" },
	{ FERRY_CAN_SEND_TO, "send-to" },
	{ FERRY_CAN_TYPE, "type" },
	{ FERRY_CAN_PRIORITY, "priority" },
	{ FERRY_CAN_TICK, "tick" },
};
#define N_PROMISES (sizeof promises / sizeof promises[0])

static const char *const headings[] = {
	"ADDRESS",   "NAMING",	    "FRAMING", "DIRECTION",
	"BUFFERING", "PERSISTENCE", NULL,
};

static void put_promises(const struct ferry_transport_info *t)
{
	printf("%s: %s\n   ", t->scheme, t->summary);
	for (size_t i = 0; i < N_PROMISES; i++)
		if (t->promises & promises[i].bit)
			printf(" %s", promises[i].name);
	putchar('\n');
}

static void put_table(void)
{
	const struct ferry_transport_info *t;
	struct table table;

	table_init(&table, headings);
	for (unsigned i = 0; (t = ferry_transport(i)); i++) {
		table_cell(&table, "%s:", t->scheme);
		table_cell(&table, "%s", t->naming);
		table_cell(&table, "%s", t->framing);
		table_cell(&table, "%s", t->direction);
		table_cell(&table, "%s", t->buffering);
		table_cell(&table, "%s", t->persistence);
	}
	table_print(&table);
	putchar('\n');
	for (unsigned i = 0; (t = ferry_transport(i)); i++)
		put_promises(t);
}

static void text(struct json *j, const char *key, const char *value)
{
	json_text(j, key, value, strlen(value));
}

static void put_json(const struct ferry_transport_info *t)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	text(&j, "scheme", t->scheme);
	text(&j, "summary", t->summary);
	text(&j, "naming", t->naming);
	text(&j, "framing", t->framing);
	text(&j, "direction", t->direction);
	text(&j, "buffering", t->buffering);
	text(&j, "persistence", t->persistence);
	json_open(&j, "promises", '[');
	for (size_t i = 0; i < N_PROMISES; i++)
		if (t->promises & promises[i].bit)
			text(&j, NULL, promises[i].name);
	json_close(&j, ']');
	json_close(&j, '}');
	json_end(&j);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	const struct ferry_transport_info *t;

	if (options_parse(verb, argc, argv))
		usage_error("there are no operands");
	if (!globals.json) {
		put_table();
		return 0;
	}
	for (unsigned i = 0; (t = ferry_transport(i)); i++)
		put_json(t);
	return 0;
}

const struct verb verb_transports = {
	.name = "transports",
	.operands = "",
	.summary = "the addresses there are, and what each one promises",
	.run = run,
};
