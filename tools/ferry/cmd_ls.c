/* SPDX-License-Identifier: MIT */
/*
 * ferry ls: the objects of a realm; ferry ls SCHEME:... those of other mechanisms.
 *
 * What was abandoned by its last user counts as absent, so it is shown with
 * --dead or --all only; files that are not Ferry's are always shown, because
 * they do not belong there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <ferry.h>
#include "found.h"
#include "object.h"
#include "options.h"
#include "report.h"
#include "table.h"
#include "verb.h"

static bool wide, dead, all, names;

static const struct option_row rows[] = {
	{ "long", 'l', OPTION_FLAG, &wide, NULL, "owner, mode and policies",
	  NULL },
	{ "dead", 0, OPTION_FLAG, &dead, NULL, "only what is not alive", NULL },
	{ "all", 'a', OPTION_FLAG, &all, NULL, "the abandoned ones, too",
	  NULL },
	{ "names", 0, OPTION_FLAG, &names, NULL, "only the names", NULL },
	{ 0 },
};

static const char *const headings[] = {
	"NAME",	  "STATE",  ">QUEUED/CAP", ">HELD",
	">USERS", ">BYTES", ">AGE",	   NULL,
};
static const char *const wide_headings[] = {
	"NAME",	    "STATE",   ">QUEUED/CAP", ">HELD", ">USERS",
	">BYTES",   ">AGE",    "OWNER",	      "MODE",  "FULL",
	"DELIVERY", "PERSIST", ">MAX",	      ">SENT", NULL,
};

static bool shown(const struct ferry_object *o)
{
	if (dead)
		return o->state != FERRY_LIVE;
	return all || o->state != FERRY_ABANDONED;
}

static void unknown_cells(struct table *t, int n)
{
	while (n--)
		table_cell(t, "-");
}

static void put_figures(struct table *t, const struct ferry_object *o)
{
	const struct ferry_mailbox_stat *st = &o->mailbox;
	char buf[SHORT_MAX];

	if (!object_known(o)) {
		unknown_cells(t, 4);
	} else if (object_is_topic(o)) {
		table_cell(t, "%" PRIu64 "/%" PRIu64, o->topic.kept,
			   o->topic.options.capacity);
		unknown_cells(t, 1);
		table_cell(t, "%u", o->topic.users);
		table_cell(t, "%s", short_size(o->topic.bytes, buf));
	} else {
		table_cell(t, "%" PRIu64 "/%" PRIu64, st->queued + st->returned,
			   st->options.capacity);
		table_cell(t, "%" PRIu64, st->held);
		table_cell(t, "%u", st->users);
		table_cell(t, "%s", short_size(st->bytes, buf));
	}
	table_cell(t, "%s", short_age(o->created_at, buf));
}

static void put_policies(struct table *t, const struct ferry_object *o)
{
	const struct ferry_mailbox_options *opts = &o->mailbox.options;
	char buf[SHORT_MAX];

	table_cell(t, "%s", user_name(o->uid, buf));
	table_cell(t, "%04o", o->mode & 07777);
	if (!object_known(o)) {
		unknown_cells(t, 5);
		return;
	}
	if (object_is_topic(o)) {
		unknown_cells(t, 2);
		table_cell(t, "%s",
			   persistence_name(o->topic.options.persistence));
		table_cell(t, "%s",
			   short_size(o->topic.options.message_max, buf));
		table_cell(t, "%" PRIu64, o->topic.published);
		return;
	}
	table_cell(t, "%s", full_name(opts->full));
	table_cell(t, "%s", delivery_name(opts->delivery));
	table_cell(t, "%s", persistence_name(opts->persistence));
	table_cell(t, "%s", short_size(opts->message_max, buf));
	table_cell(t, "%" PRIu64, o->mailbox.sent);
}

static void put_table(const struct ferry_object *list, size_t n)
{
	struct table t;

	table_init(&t, wide ? wide_headings : headings);
	for (size_t i = 0; i < n; i++) {
		if (!shown(&list[i]))
			continue;
		table_cell(&t, "%s%s", object_prefix(&list[i]), list[i].name);
		table_cell(&t, "%s%s", state_name(list[i].state),
			   object_known(&list[i]) && (list[i].mailbox.closed ||
						      list[i].topic.closed) ?
				   ",closed" :
				   "");
		put_figures(&t, &list[i]);
		if (wide)
			put_policies(&t, &list[i]);
	}
	table_print(&t);
}

static int show_found(int n, char **argv)
{
	int status = 0, s;

	if (wide || dead || all)
		usage_error("-l, --dead and --all are for the realm");
	for (int i = 1; i <= n; i++) {
		size_t len = strlen(argv[i]);

		if (len < 2 || argv[i][len - 1] != ':')
			usage_error("%s is no scheme (mq: sysv: unix: tcp: or "
				    "udp:; one object: ferry stat)",
				    argv[i]);
		s = found_show(argv[i], names);
		status = s ? s : status;
	}
	return status;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct ferry_object *list;
	int err, operands;
	size_t n;

	operands = options_parse(verb, argc, argv);
	if (operands)
		return show_found(operands, argv);
	err = ferry_list(NULL, &list, &n);
	if (err < 0)
		return report_error(NULL, NULL, err);
	for (size_t i = 0; i < n && (names || globals.json); i++) {
		if (!shown(&list[i]))
			continue;
		if (globals.json)
			object_json(&list[i]);
		else if (object_is_there(&list[i]))
			printf("%s%s\n", object_prefix(&list[i]), list[i].name);
	}
	if (!names && !globals.json)
		put_table(list, n);
	if (!n)
		note("there is nothing in this realm");
	ferry_free(list);
	return 0;
}

const struct verb verb_ls = {
	.name = "ls",
	.operands = "[SCHEME:...]",
	.summary = "the objects of the realm, or of another mechanism",
	.options = rows,
	.run = run,
};
