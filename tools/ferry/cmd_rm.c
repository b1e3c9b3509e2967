/* SPDX-License-Identifier: MIT */
/*
 * ferry rm NAME...: remove objects at once, with what they hold.  Their users
 * learn that they are gone; a name that is not there stops nothing else.
 */
#include <errno.h>
#include <ferry.h>
#include "options.h"
#include "report.h"
#include "verb.h"

static bool force;

static const struct option_row rows[] = {
	{ "force", 'f', OPTION_FLAG, &force, NULL,
	  "no error when it is not there", NULL },
	{ 0 },
};

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv), err, status = 0;

	if (n == 0)
		usage_error("NAME is missing");
	for (int i = 1; i <= n; i++) {
		err = ferry_destroy(argv[i]);
		if (err == -ENOENT && force)
			continue;
		if (err < 0)
			status = report_error(argv[i], NULL, err);
		else
			note("%s was removed", argv[i]);
	}
	return status;
}

const struct verb verb_rm = {
	.name = "rm",
	.operands = "NAME...",
	.summary = "remove objects, with what they hold",
	.options = rows,
	.run = run,
};
