/* SPDX-License-Identifier: MIT */
/* ferry version: the library that is running and its segment format. */
#include <stdio.h>
#include <string.h>
#include <ferry.h>
#include "json.h"
#include "options.h"
#include "report.h"
#include "verb.h"

static int run(const struct verb *verb, int argc, char **argv)
{
	const char *version = ferry_version();
	struct json j;

	if (options_parse(verb, argc, argv))
		usage_error("there are no operands");
	if (!globals.json) {
		printf("ferry %s (segment format %u)\n", version,
		       ferry_format_version());
		return 0;
	}
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "version", version, strlen(version));
	json_number(&j, "format", ferry_format_version());
	json_close(&j, '}');
	json_end(&j);
	return 0;
}

const struct verb verb_version = {
	.name = "version",
	.operands = "",
	.summary = "the version of the library and of its segments",
	.run = run,
};
