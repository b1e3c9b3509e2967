/* SPDX-License-Identifier: MIT */
/*
 * ferry who [NAME]: the processes that use an object, or that take part in
 * the realm; what they hold, and for how long.
 */
#include <stdio.h>
#include <string.h>
#include <ferry.h>
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"
#include "verb.h"

static const char *const headings[] = {
	">PID",	  "NAME",    "USER",   "ALIVE", ">HOLDS",
	">LOANS", ">OLDEST", ">SINCE", NULL,
};

static void put_row(struct table *t, const struct ferry_user *u)
{
	char buf[SHORT_MAX];

	table_cell(t, "%d%s", (int)u->process.pid,
		   u->same_namespace ? "" : "*");
	table_cell(t, "%s", u->process.name);
	table_cell(t, "%s", user_name(u->process.uid, buf));
	table_cell(t, "%s", u->alive ? "yes" : "no");
	table_cell(t, "%u", u->holds);
	table_cell(t, "%u", u->loans);
	table_cell(t, "%s", short_span(u->holds ? u->oldest_ns : -1, buf));
	table_cell(t, "%s", short_age(u->since, buf));
}

static void put_json(const struct ferry_user *u)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_number(&j, "pid", (uint64_t)u->process.pid);
	json_text(&j, "name", u->process.name,
		  strnlen(u->process.name, sizeof u->process.name));
	json_number(&j, "uid", u->process.uid);
	json_bool(&j, "alive", u->alive);
	json_bool(&j, "same_namespace", u->same_namespace);
	json_number(&j, "holds", u->holds);
	json_number(&j, "loans", u->loans);
	if (u->holds && u->oldest_ns >= 0)
		json_number(&j, "oldest_ms",
			    (uint64_t)(u->oldest_ns / FERRY_MS(1)));
	if (u->since)
		json_time(&j, "since", u->since);
	json_close(&j, '}');
	json_end(&j);
}

static bool elsewhere(const struct ferry_user *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!list[i].same_namespace)
			return true;
	return false;
}

static void put_all(const struct ferry_user *list, size_t n)
{
	struct table t;

	for (size_t i = 0; i < n && globals.json; i++)
		put_json(&list[i]);
	if (globals.json)
		return;
	table_init(&t, headings);
	for (size_t i = 0; i < n; i++)
		put_row(&t, &list[i]);
	table_print(&t);
	if (elsewhere(list, n))
		printf("* as it is called in its own pid namespace\n");
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int operands = options_parse(verb, argc, argv), err;
	const char *name = operands ? argv[1] : NULL;
	struct ferry_user *list;
	size_t n;

	if (operands > 1)
		usage_error("one NAME, please");
	err = ferry_who(NULL, name, &list, &n);
	if (err < 0)
		return report_error(name, NULL, err);
	put_all(list, n);
	if (err > 0)
		report(name, 0,
		       "there may be more: processes of other users cannot be "
		       "looked into (ask as root)");
	if (!n)
		note("%s: nobody", name ? name : "this realm");
	ferry_free(list);
	return n ? 0 : STATUS_NO;
}

const struct verb verb_who = {
	.name = "who",
	.operands = "[NAME]",
	.summary = "who uses an object, or takes part in the realm",
	.run = run,
};
