/* SPDX-License-Identifier: MIT */
/*
 * ferry gc [--apply]: what the dead have left in the realm.  Without --apply
 * nothing is changed; what a living process uses is never touched.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <ferry.h>
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"
#include "verb.h"

static bool apply;

static const struct option_row rows[] = {
	{ "apply", 0, OPTION_FLAG, &apply, NULL, "remove it", NULL },
	{ 0 },
};

static void put_json(const struct ferry_garbage *g)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "path", g->path, strlen(g->path));
	json_text(&j, "why", g->why, strlen(g->why));
	json_number(&j, "bytes", g->bytes);
	json_bool(&j, "removed", g->removed);
	json_close(&j, '}');
	json_end(&j);
}

static void put_line(const struct ferry_garbage *g)
{
	char path[512], why[160], size[SHORT_MAX];

	printf("%s %s (%s): %s\n",
	       g->removed ? "removed" :
	       apply	  ? "left" :
			    "would remove",
	       plain(g->path, path, sizeof path), short_size(g->bytes, size),
	       plain(g->why, why, sizeof why));
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct ferry_garbage *list;
	uint64_t bytes = 0;
	char size[SHORT_MAX];
	size_t n;
	int err;

	if (options_parse(verb, argc, argv))
		usage_error("there are no operands");
	err = ferry_gc(NULL, apply, &list, &n);
	if (err < 0)
		return report_error(NULL, NULL, err);
	for (size_t i = 0; i < n; i++) {
		bytes += list[i].bytes;
		if (globals.json)
			put_json(&list[i]);
		else
			put_line(&list[i]);
	}
	ferry_free(list);
	if (globals.json)
		return 0;
	if (n == 0)
		note("the dead have left nothing");
	else if (!apply)
		printf("%zu found, %s; ferry gc --apply removes it\n", n,
		       short_size(bytes, size));
	return 0;
}

const struct verb verb_gc = {
	.name = "gc",
	.operands = "",
	.summary = "find (with --apply: remove) what the dead have left",
	.options = rows,
	.run = run,
};
