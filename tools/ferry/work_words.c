/* SPDX-License-Identifier: MIT */
/* Arguments and environment of one run: see work_words.h. */
#include "work_words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "json.h"
#include "work.h"

#define N_VARIABLES 10

bool command_has_braces(char *const *command)
{
	for (; *command; command++)
		if (strstr(*command, "{}"))
			return true;
	return false;
}

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* `word` with every {} replaced, allocated; NULL without memory. */
static char *expand(const char *word, const struct ferry_message *m)
{
	const char *found;
	char *text, *to;
	size_t n = 0;

	for (found = word; (found = strstr(found, "{}")); found += 2)
		n++;
	text = to = malloc(strlen(word) + n * m->len + 1);
	if (!text)
		return NULL;
	for (; (found = strstr(word, "{}")); word = found + 2) {
		to = (char *)mempcpy(to, word, (size_t)(found - word));
		if (m->len)
			to = (char *)mempcpy(to, m->data, m->len);
	}
	strcpy(to, word);
	return text;
}

static int own(struct words *w, char *text)
{
	if (!text)
		return -ENOMEM;
	w->owned[w->n_owned++] = text;
	return 0;
}

static int put_argument(struct words *w, char *word,
			const struct ferry_message *m)
{
	if (strstr(word, "{}")) {
		word = expand(word, m);
		if (own(w, word) < 0)
			return -ENOMEM;
	}
	w->argv[w->n_argv++] = word;
	return 0;
}

static int put_variable(struct words *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int put_variable(struct words *w, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0 || own(w, text) < 0)
		return -ENOMEM;
	w->envp[w->n_envp++] = text;
	return 0;
}

/* Ours, from an outer `ferry work`, would come first and win. */
static bool is_ours(const char *variable)
{
	static const char *const names[N_VARIABLES] = {
		"FERRY_MAILBOX=",     "FERRY_SEQ=",	   "FERRY_ID=",
		"FERRY_TYPE=",	      "FERRY_SENDER_PID=", "FERRY_SENDER_UID=",
		"FERRY_REDELIVERED=", "FERRY_DELIVERIES=", "FERRY_PRIORITY=",
		"FERRY_FROM=",
	};

	for (int i = 0; i < N_VARIABLES; i++)
		if (!strncmp(variable, names[i], strlen(names[i])))
			return true;
	return false;
}

static int put_environment(struct words *w, const char *mailbox,
			   const struct ferry_message *m)
{
	for (char **e = environ; *e; e++)
		if (!is_ours(*e))
			w->envp[w->n_envp++] = *e;
	if (put_variable(w, "FERRY_MAILBOX=%s", mailbox) ||
	    put_variable(w, "FERRY_SEQ=%llu", (unsigned long long)m->seq) ||
	    put_variable(w, "FERRY_ID=%llu", (unsigned long long)m->id) ||
	    put_variable(w, "FERRY_TYPE=%u", m->type) ||
	    put_variable(w, "FERRY_SENDER_PID=%d", (int)m->sender.pid) ||
	    put_variable(w, "FERRY_SENDER_UID=%u", m->sender.uid) ||
	    put_variable(w, "FERRY_REDELIVERED=%d", m->redelivered) ||
	    put_variable(w, "FERRY_DELIVERIES=%u", m->deliveries) ||
	    put_variable(w, "FERRY_PRIORITY=%u", m->priority) ||
	    put_variable(w, "FERRY_FROM=%s", m->from ? m->from : ""))
		return -ENOMEM;
	return 0;
}

int words_init(struct words *w, const char *mailbox, char *const *command,
	       const struct ferry_message *m)
{
	size_t n = count(command);

	memset(w, 0, sizeof *w);
	if (command_has_braces(command) && m->len &&
	    !utf8_valid(m->data, m->len, false))
		return -EILSEQ;
	w->argv = calloc(n + 1, sizeof *w->argv);
	w->envp = calloc(count(environ) + N_VARIABLES + 1, sizeof *w->envp);
	w->owned = calloc(n + N_VARIABLES, sizeof *w->owned);
	if (!w->argv || !w->envp || !w->owned)
		return -ENOMEM;
	for (; *command; command++)
		if (put_argument(w, *command, m) < 0)
			return -ENOMEM;
	return put_environment(w, mailbox, m);
}

void words_fini(struct words *w)
{
	for (int i = 0; i < w->n_owned; i++)
		free(w->owned[i]);
	free(w->owned);
	free(w->argv);
	free(w->envp);
}
