/* SPDX-License-Identifier: MIT */
/*
 * ferry doctor: is this machine fit for Ferry?  Realm, memory, RemoveIPC,
 * limits and kernel, each with what to do about it.
 */
#include <stdio.h>
#include <string.h>
#include <ferry.h>
#include "json.h"
#include "options.h"
#include "report.h"
#include "verb.h"

static const struct {
	const char *tag, *name;
	enum colour colour;
} healths[] = {
	[FERRY_GOOD] = { "[ok]  ", "ok", COLOUR_GREEN },
	[FERRY_NOTE] = { "[note]", "note", COLOUR_DIM },
	[FERRY_WARNING] = { "[warn]", "warn", COLOUR_YELLOW },
	[FERRY_BROKEN] = { "[bad] ", "bad", COLOUR_RED },
};

static void put_json(const struct ferry_finding *f)
{
	const char *health = healths[f->health].name;
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "health", health, strlen(health));
	json_text(&j, "topic", f->topic, strlen(f->topic));
	json_text(&j, "what", f->what, strlen(f->what));
	if (f->fix[0])
		json_text(&j, "fix", f->fix, strlen(f->fix));
	json_close(&j, '}');
	json_end(&j);
}

static void put_line(const struct ferry_finding *f)
{
	char what[256], fix[256];

	printf("%s%s%s %s: %s\n", colour(healths[f->health].colour),
	       healths[f->health].tag, colour(COLOUR_NONE), f->topic,
	       plain(f->what, what, sizeof what));
	if (f->fix[0])
		printf("       to do: %s\n", plain(f->fix, fix, sizeof fix));
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct ferry_finding *list;
	int err, status = 0;
	size_t n;

	if (options_parse(verb, argc, argv))
		usage_error("there are no operands");
	err = ferry_doctor(NULL, &list, &n);
	if (err < 0)
		return report_error(NULL, NULL, err);
	for (size_t i = 0; i < n; i++) {
		if (list[i].health == FERRY_BROKEN)
			status = STATUS_NO;
		if (globals.json)
			put_json(&list[i]);
		else
			put_line(&list[i]);
	}
	ferry_free(list);
	return status;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "is this machine fit for Ferry, and what to do if not",
	.run = run,
};
