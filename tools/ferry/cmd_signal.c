/* SPDX-License-Identifier: MIT */
/*
 * ferry signal -l [PID]: the signals there are; with PID also what that process does
 * with each of them, as /proc/PID/status says.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ferry.h>
#include "json.h"
#include "options.h"
#include "report.h"
#include "table.h"
#include "verb.h"

#define SIGNALS_MAX 64

static bool list;

static const struct option_row rows[] = {
	{ "list", 'l', OPTION_FLAG, &list, NULL, "list the signals there are",
	  NULL },
	{ 0 },
};

/* What the default is: see signal(7).  All others, real-time ones too, end it. */
static const char *action_of(int number)
{
	switch (number) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH: return "ignore";
	case SIGCONT: return "continue";
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU: return "stop";
	case SIGQUIT:
	case SIGILL:
	case SIGTRAP:
	case SIGABRT:
	case SIGBUS:
	case SIGFPE:
	case SIGSEGV:
	case SIGXCPU:
	case SIGXFSZ:
	case SIGSYS: return "core";
	}
	return "end";
}

static bool is_catchable(int number)
{
	return number != SIGKILL && number != SIGSTOP;
}

/* --- what a process does with them ------------------------------------------- */

struct state {
	uint64_t ignored, blocked, caught, pending;
};

static int read_state(const char *pid, struct state *out)
{
	char path[64], line[256];
	uint64_t shared = 0;
	FILE *f;

	memset(out, 0, sizeof *out);
	snprintf(path, sizeof path, "/proc/%.20s/status", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof line, f)) {
		char *value = strchr(line, '\t');
		uint64_t n = value ? strtoull(value, NULL, 16) : 0;

		if (!strncmp(line, "SigIgn:", 7))
			out->ignored = n;
		else if (!strncmp(line, "SigBlk:", 7))
			out->blocked = n;
		else if (!strncmp(line, "SigCgt:", 7))
			out->caught = n;
		else if (!strncmp(line, "SigPnd:", 7))
			out->pending = n;
		else if (!strncmp(line, "ShdPnd:", 7))
			shared = n;
	}
	fclose(f);
	out->pending |= shared;
	return 0;
}

static bool has(uint64_t set, int number)
{
	return set >> (number - 1) & 1;
}

/* --- printed ----------------------------------------------------------------- */

static const char *const headings[] = { ">NUMBER", "NAME", "DEFAULT",
					"CATCHABLE", NULL };
static const char *const more_headings[] = { ">NUMBER",	  "NAME", "DEFAULT",
					     "CATCHABLE", "DOES", "BLOCKED",
					     "PENDING",	  NULL };

static const char *yes(bool value)
{
	return value ? "yes" : "-";
}

static const char *does(const struct state *s, int number)
{
	return has(s->caught, number)  ? "catch" :
	       has(s->ignored, number) ? "ignore" :
					 "default";
}

static void put_row(struct table *t, int number, const char *name,
		    const struct state *s)
{
	table_cell(t, "%d", number);
	table_cell(t, "%s", name);
	table_cell(t, "%s", action_of(number));
	table_cell(t, "%s", is_catchable(number) ? "yes" : "no");
	if (!s)
		return;
	table_cell(t, "%s", does(s, number));
	table_cell(t, "%s", yes(has(s->blocked, number)));
	table_cell(t, "%s", yes(has(s->pending, number)));
}

static void put_json(int number, const char *name, const struct state *s)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_number(&j, "number", (uint64_t)number);
	json_text(&j, "name", name, strlen(name));
	json_text(&j, "default", action_of(number), strlen(action_of(number)));
	json_bool(&j, "catchable", is_catchable(number));
	if (s) {
		json_bool(&j, "caught", has(s->caught, number));
		json_bool(&j, "ignored", has(s->ignored, number));
		json_bool(&j, "blocked", has(s->blocked, number));
		json_bool(&j, "pending", has(s->pending, number));
	}
	json_close(&j, '}');
	json_end(&j);
}

static void put_all(const struct state *s)
{
	char name[FERRY_SIGNAL_NAME_MAX];
	struct table t;

	if (!globals.json)
		table_init(&t, s ? more_headings : headings);
	for (int n = 1; n <= SIGNALS_MAX; n++) {
		if (ferry_signal_name(n, name) < 0)
			continue;
		if (globals.json)
			put_json(n, name, s);
		else
			put_row(&t, n, name, s);
	}
	if (!globals.json)
		table_print(&t);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	int n = options_parse(verb, argc, argv), err;
	struct state state;
	uint64_t pid;

	if (!list)
		usage_error("-l lists the signals; ferry send "
			    "signal:PID?signal=USR1 '' sends one");
	if (n > 1)
		usage_error("one PID, please");
	if (n == 0) {
		put_all(NULL);
		return 0;
	}
	if (!parse_number(argv[1], &pid) || pid == 0)
		usage_error("%s is not the number of a process", argv[1]);
	err = read_state(argv[1], &state);
	if (err == -ENOENT || err == -ESRCH)
		return report(argv[1], ferry_error_status(-ENOENT),
			      "there is no such process");
	if (err < 0)
		return report_sys(argv[1], -err);
	put_all(&state);
	return 0;
}

const struct verb verb_signal = {
	.name = "signal",
	.operands = "-l [PID]",
	.summary = "the signals there are, and what a process does with them",
	.options = rows,
	.run = run,
};
