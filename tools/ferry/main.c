/* SPDX-License-Identifier: MIT */
/*
 * The `ferry` command: finds the verb and runs it.  Each verb is one file,
 * cmd_NAME.c; what they share is in options, report, framing, json and cancel.
 */
#include <stdio.h>
#include <string.h>
#include "options.h"
#include "report.h"
#include "standard.h"
#include "verb.h"

const struct verb *const verbs[] = {
	&verb_mk,      &verb_send,   &verb_recv,  &verb_work,
	&verb_peek,    &verb_drain,  &verb_pipe,  &verb_tap,
	&verb_pub,     &verb_sub,    &verb_clip,  &verb_ls,
	&verb_who,     &verb_stat,   &verb_rm,	  &verb_gc,
	&verb_signal,  &verb_doctor, &verb_probe, &verb_transports,
	&verb_version, &verb_help,   NULL,
};

const struct verb *verb_find(const char *name)
{
	for (int i = 0; verbs[i]; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t min = a < b ? a : b;

	return min < c ? min : c;
}

/* Edit distance; names are short, longer ones are not looked at. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(b), row[32], diagonal, above;

	if (n >= 32 || strlen(a) >= 32)
		return 32;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			above = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1,
				       diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

const struct verb *verb_guess(const char *name)
{
	const struct verb *best = NULL;
	size_t best_distance = 3;

	for (int i = 0; verbs[i]; i++) {
		size_t d = distance(name, verbs[i]->name);

		if (d < best_distance && d < strlen(name)) {
			best = verbs[i];
			best_distance = d;
		}
	}
	return best;
}

int main(int argc, char **argv)
{
	const struct verb *verb;
	int at, status;

	standard_fill();
	sigpipe_hold();
	at = options_parse_globals(argc, argv);
	if (at >= argc) {
		help_all();
		return STATUS_USAGE;
	}
	verb = verb_find(argv[at]);
	if (!verb) {
		verb = verb_guess(argv[at]);
		if (verb)
			usage_error("there is no verb %s; did you mean %s?",
				    argv[at], verb->name);
		usage_error("there is no verb %s", argv[at]);
	}
	status = verb->run(verb, argc - at, argv + at);
	progress_end();
	if (fflush(stdout) || ferror(stdout))
		return report_stdout();
	return status;
}
