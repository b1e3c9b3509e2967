/* SPDX-License-Identifier: MIT */
/* ferry help [VERB]: what there is, and the options of one verb. */
#include <stdio.h>
#include "options.h"
#include "report.h"
#include "verb.h"

void help_verb(const struct verb *verb)
{
	printf("usage: ferry %s [options]%s%s\n\n%s\n\n", verb->name,
	       verb->operands[0] ? " " : "", verb->operands, verb->summary);
	options_print(verb->options);
	options_print(global_rows);
	printf("\nThe manual: man ferry-%s\n", verb->name);
}

void help_all(void)
{
	printf("usage: ferry VERB [options] [operands]\n\n");
	for (int i = 0; verbs[i]; i++)
		printf("  %-11s %s\n", verbs[i]->name, verbs[i]->summary);
	printf("\nOptions that every verb has:\n");
	options_print(global_rows);
	printf("\nOne verb: ferry help VERB, or man ferry-VERB.\n");
}

static int run(const struct verb *verb, int argc, char **argv)
{
	const struct verb *wanted;
	int n = options_parse(verb, argc, argv);

	if (n > 1)
		usage_error("one VERB, please");
	if (n == 0) {
		help_all();
		return 0;
	}
	wanted = verb_find(argv[1]);
	if (!wanted)
		usage_error("there is no verb %s", argv[1]);
	help_verb(wanted);
	return 0;
}

const struct verb verb_help = {
	.name = "help",
	.operands = "[VERB]",
	.summary = "what there is, and the options of one verb",
	.run = run,
};
