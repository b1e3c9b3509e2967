/* SPDX-License-Identifier: MIT */
/* Command-line options as a table: see options.h. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"
#include "verb.h"

struct globals globals;

static bool want_help;
static const char *realm;

const struct option_row global_rows[] = {
	{ "quiet", 'q', OPTION_FLAG, &globals.quiet, NULL,
	  "no messages on standard error, only the status", NULL },
	{ "verbose", 'v', OPTION_FLAG, &globals.verbose, NULL,
	  "say what is done", NULL },
	{ "json", 0, OPTION_FLAG, &globals.json, NULL,
	  "JSON in and out, errors too", NULL },
	{ "realm", 0, OPTION_TEXT, &realm, "DIR",
	  "the directory names lie in (else $FERRY_REALM)", NULL },
	{ "help", 'h', OPTION_FLAG, &want_help, NULL, "this text", NULL },
	{ 0 },
};

/* What the parser knows while it walks the words. */
struct parse {
	const struct verb *verb; /* NULL in front of the verb */
	int argc;
	char **argv;
	int i; /* the word it is at */
};

static const struct option_row *find_in(const struct option_row *rows,
					const char *name, size_t len, char c)
{
	for (; rows && rows->name; rows++) {
		if (c && rows->letter == c)
			return rows;
		if (!c && strlen(rows->name) == len &&
		    !strncmp(rows->name, name, len))
			return rows;
	}
	return NULL;
}

static const struct option_row *find(const struct parse *p, const char *name,
				     size_t len, char c)
{
	const struct option_row *row = NULL;

	if (p->verb)
		row = find_in(p->verb->options, name, len, c);
	return row ? row : find_in(global_rows, name, len, c);
}

static _Noreturn void bad_value(const struct option_row *row, const char *text,
				const char *wanted)
{
	usage_error("--%s: \"%s\" is not %s", row->name, text, wanted);
}

static void set_choice(const struct option_row *row, const char *text)
{
	char list[128] = "one of";

	for (int i = 0; row->choices[i]; i++) {
		if (!strcmp(row->choices[i], text)) {
			*(int *)row->out = i;
			return;
		}
		strncat(list, i ? ", " : " ", sizeof list - strlen(list) - 1);
		strncat(list, row->choices[i], sizeof list - strlen(list) - 1);
	}
	bad_value(row, text, list);
}

static void set_mode(const struct option_row *row, const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (!*text || *end || text[0] == '-' || mode > 0777)
		bad_value(row, text, "permission bits such as 0660");
	*(uint64_t *)row->out = mode;
}

static void set(const struct option_row *row, const char *text)
{
	switch (row->kind) {
	case OPTION_FLAG: *(bool *)row->out = true; return;
	case OPTION_TEXT: *(const char **)row->out = text; return;
	case OPTION_NUMBER:
		if (!parse_number(text, row->out))
			bad_value(row, text, "a number");
		return;
	case OPTION_SIZE:
		if (!parse_size(text, row->out))
			bad_value(row, text, "a size such as 512, 64K or 1M");
		return;
	case OPTION_DURATION:
		if (!parse_duration(text, row->out))
			bad_value(row, text,
				  "a duration such as 500ms, 2s or 1m");
		return;
	case OPTION_MODE: set_mode(row, text); return;
	case OPTION_CHOICE: set_choice(row, text); return;
	}
}

/* The value of an option: what follows in the same word, or the next word. */
static const char *value_of(struct parse *p, const struct option_row *row,
			    const char *same_word)
{
	if (same_word)
		return same_word;
	if (p->i + 1 >= p->argc)
		usage_error("--%s needs a %s", row->name, row->value);
	return p->argv[++p->i];
}

static void take_long(struct parse *p, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct option_row *row = find(p, word, len, 0);

	if (!row)
		usage_error("there is no option --%.*s", (int)len, word);
	if (row->kind == OPTION_FLAG) {
		if (equals)
			usage_error("--%s takes no value", row->name);
		set(row, NULL);
		return;
	}
	set(row, value_of(p, row, equals ? equals + 1 : NULL));
}

static void take_letters(struct parse *p, const char *letters)
{
	for (; *letters; letters++) {
		const struct option_row *row = find(p, NULL, 0, *letters);

		if (!row)
			usage_error("there is no option -%c", *letters);
		if (row->kind != OPTION_FLAG) {
			set(row,
			    value_of(p, row, letters[1] ? letters + 1 : NULL));
			return;
		}
		set(row, NULL);
	}
}

/* True when the word at p->i was an option (and is consumed). */
static bool take_option(struct parse *p)
{
	const char *word = p->argv[p->i];

	if (word[0] != '-' || !word[1])
		return false;
	if (word[1] == '-')
		take_long(p, word + 2);
	else
		take_letters(p, word + 1);
	return true;
}

static void apply_globals(const struct verb *verb)
{
	if (want_help) {
		if (verb)
			help_verb(verb);
		else
			help_all();
		exit(0);
	}
	if (realm && setenv("FERRY_REALM", realm, 1))
		usage_error("--realm: \"%s\" cannot be set", realm);
}

int options_parse(const struct verb *verb, int argc, char **argv)
{
	struct parse p = { verb, argc, argv, 1 };
	bool only_operands = false;
	int n = 0;

	report_verb(verb->name);
	for (; p.i < argc; p.i++) {
		if (!only_operands && !strcmp(argv[p.i], "--")) {
			only_operands = true;
			continue;
		}
		if (only_operands || !take_option(&p))
			argv[++n] = argv[p.i];
		if (verb->command_at && n > verb->command_at)
			only_operands = true;
	}
	argv[n + 1] = NULL;
	apply_globals(verb);
	return n;
}

int options_parse_globals(int argc, char **argv)
{
	struct parse p = { NULL, argc, argv, 1 };

	while (p.i < argc && strcmp(argv[p.i], "--") && take_option(&p))
		p.i++;
	if (p.i == argc)
		apply_globals(NULL);
	return p.i;
}

void options_print(const struct option_row *rows)
{
	for (; rows && rows->name; rows++) {
		char left[64];
		char letter[8] = "    ";

		if (rows->letter)
			snprintf(letter, sizeof letter, "-%c, ", rows->letter);
		snprintf(left, sizeof left, "%s--%s%s%s", letter, rows->name,
			 rows->value ? " " : "",
			 rows->value ? rows->value : "");
		printf("  %-28s %s\n", left, rows->help);
	}
}

ferry_time patience_deadline(const struct patience *p)
{
	if (p->nonblock)
		return FERRY_NOWAIT;
	return p->timeout < 0 ? FERRY_FOREVER : ferry_after(p->timeout);
}
