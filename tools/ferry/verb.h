/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the command: one row here, one file cmd_NAME.c each.
 *
 * A verb is called with argv[0] = its name and returns the exit status.  It
 * uses the installed headers only: what a verb can do, any program can do.
 */
#ifndef FERRY_TOOLS_VERB_H
#define FERRY_TOOLS_VERB_H

#include <stddef.h>

struct option_row;

struct verb {
	const char *name;
	const char *operands;		  /* "NAME [MESSAGE]" */
	const char *summary;		  /* one line for `ferry help` */
	const struct option_row *options; /* ends with a row without name */
	int (*run)(const struct verb *verb, int argc, char **argv);
	int command_at; /* operands from this one on are a command
				 * line and hold no options of ours; 0: none */
};

extern const struct verb verb_mk, verb_send, verb_recv, verb_work, verb_peek;
extern const struct verb verb_pub, verb_sub, verb_clip;
extern const struct verb verb_drain, verb_ls, verb_who, verb_stat, verb_rm;
extern const struct verb verb_gc, verb_doctor, verb_transports, verb_version;
extern const struct verb verb_help, verb_pipe, verb_probe, verb_signal;
extern const struct verb verb_tap;

/* All of them, in the order of `ferry help`; ends with NULL. */
extern const struct verb *const verbs[];

/* The verb of that name, or NULL. */
const struct verb *verb_find(const char *name);

/* The verb whose name is nearest to a mistyped one, or NULL. */
const struct verb *verb_guess(const char *name);

#endif
