/* SPDX-License-Identifier: MIT */
/* ferry-demo: chooses the role; see demo.h. */
#include <stdio.h>
#include <string.h>
#include <ferry.h>
#include "demo.h"

int demo_failed(const char *what, struct ferry_link *link, int err)
{
	char sentence[512];

	ferry_explain(link, err, sentence, sizeof sentence);
	fprintf(stderr, "ferry-demo: %s: %s\n", what, sentence);
	return ferry_error_status(err);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "send"))
		return demo_send(argv + 2);
	if (argc == 7 && !strcmp(argv[1], "count"))
		return demo_count(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "collect"))
		return demo_collect(argv + 2);
	fprintf(stderr, "usage: see tools/demo/demo.h\n");
	return 2;
}
