/* SPDX-License-Identifier: MIT */
/*
 * Command-line options as a table: a verb lists its rows, and parsing, help
 * text and the sentence for a wrong value come from them.
 *
 * Not getopt_long(): a verb that runs a command must stop at the command's
 * first word, and a wrong value must be answered with what would be right.
 * Options and operands may be mixed; "--" ends the options.
 */
#ifndef FERRY_TOOLS_OPTIONS_H
#define FERRY_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <ferry.h>

struct verb;

enum option_kind {
	OPTION_FLAG,	 /* bool */
	OPTION_TEXT,	 /* const char * */
	OPTION_NUMBER,	 /* uint64_t */
	OPTION_SIZE,	 /* uint64_t, "64K" */
	OPTION_DURATION, /* int64_t nanoseconds, "500ms" */
	OPTION_MODE,	 /* uint64_t, octal */
	OPTION_CHOICE,	 /* int, an index into `choices` */
};

struct option_row {
	const char *name; /* "timeout", without the dashes */
	char letter;	  /* 't', or 0 */
	enum option_kind kind;
	void *out;	   /* untouched when the option is not given */
	const char *value; /* "DURATION", for the help text */
	const char *help;
	const char *const *choices; /* OPTION_CHOICE: ends with NULL */
};

/* Options every verb has. */
struct globals {
	bool quiet, verbose, json;
};
extern struct globals globals;

/* The rows of the options above, for the main program and for help. */
extern const struct option_row global_rows[];

/*
 * Parse argv[1..] by the verb's rows and the global ones.  Moves the operands
 * to argv[1..n] and returns n; a mistake is reported and ends the process with
 * status 2, and --help prints the verb's help and ends it with 0.
 */
int options_parse(const struct verb *verb, int argc, char **argv);

/*
 * The global options in front of the verb.  Returns the index of the verb in
 * argv, or argc when there is none.
 */
int options_parse_globals(int argc, char **argv);

/* Print the rows as the help text does. */
void options_print(const struct option_row *rows);

/* "64K" "1M" "2G" "10" as bytes.  False when it is not one. */
bool parse_size(const char *text, uint64_t *out);

/* "10us" "500ms" "2s" "1m" "3h", or plain seconds, as ns.  False if not. */
bool parse_duration(const char *text, int64_t *out);

/* A decimal number.  False when it is not one. */
bool parse_number(const char *text, uint64_t *out);

/* -t and -n of the verbs that can wait. */
struct patience {
	int64_t timeout; /* ns; < 0: for ever */
	bool nonblock;
};
#define PATIENCE_INIT                                                          \
	{                                                                      \
		-1, false                                                      \
	}

#define PATIENCE_ROWS(p)                                                       \
	{ "timeout",	't',	    OPTION_DURATION,                           \
	  &(p).timeout, "DURATION", "wait at most so long (status 124)",       \
	  NULL },                                                              \
	{                                                                      \
		"nonblock", 'n', OPTION_FLAG, &(p).nonblock, NULL,             \
			"do not wait (status 1 when nothing can be done now)", \
			NULL                                                   \
	}

/* The deadline of one wait that begins now. */
ferry_time patience_deadline(const struct patience *p);

#endif
