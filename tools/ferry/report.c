/* SPDX-License-Identifier: MIT */
/* Errors and notes on standard error: see report.h. */
#include "report.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cancel.h"
#include "json.h"
#include "options.h"

static const char *verb_name;
static struct sigaction sigpipe_before;

void report_verb(const char *name)
{
	verb_name = name;
}

const char *plain(const char *text, char *buf, size_t size)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < size; i++)
		buf[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ?
				 '?' :
				 text[i];
	buf[i] = '\0';
	return buf;
}

/* One write, so lines of several processes do not mix. */
static void say(const char *fmt, ...)
{
	char line[1400];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	if (n >= (int)sizeof line) {
		n = sizeof line - 1;
		line[n - 1] = '\n';
	}
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* there is nobody left to tell */
}

static void say_json(const char *name, const char *error, int status,
		     const char *sentence)
{
	struct json j;

	json_init(&j, stderr);
	json_open(&j, NULL, '{');
	json_text(&j, "error", error, strlen(error));
	json_number(&j, "status", (uint64_t)status);
	if (name)
		json_text(&j, "name", name, strlen(name));
	json_text(&j, "message", sentence, strlen(sentence));
	json_close(&j, '}');
	json_end(&j);
}

static void emit(const char *name, const char *error, int status,
		 const char *sentence)
{
	char safe_name[256], safe[1024];

	if (globals.quiet)
		return;
	progress_end();
	if (globals.json) {
		say_json(name, error, status, sentence);
		return;
	}
	plain(sentence, safe, sizeof safe);
	if (name && *name)
		say("ferry: %s: %s\n", plain(name, safe_name, sizeof safe_name),
		    safe);
	else
		say("ferry: %s\n", safe);
}

_Noreturn void usage_error(const char *fmt, ...)
{
	char what[768], sentence[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	snprintf(sentence, sizeof sentence, "%s (see: ferry help%s%s)", what,
		 verb_name ? " " : "", verb_name ? verb_name : "");
	emit(verb_name, "EINVAL", STATUS_USAGE, sentence);
	exit(STATUS_USAGE);
}

int report_status(const char *name, struct ferry_link *link, int err,
		  int status)
{
	char sentence[1024];

	if (err == -ECANCELED && cancelled())
		return status; /* by a signal: cancel_finish() ends us */
	ferry_explain(link, err, sentence, sizeof sentence);
	emit(name, ferry_error_name(err), status, sentence);
	return status;
}

int report_error(const char *name, struct ferry_link *link, int err)
{
	return report_status(name, link, err, ferry_error_status(err));
}

int report(const char *name, int status, const char *fmt, ...)
{
	char sentence[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, args);
	va_end(args);
	emit(name, status == STATUS_USAGE ? "EINVAL" : "ECOMMAND", status,
	     sentence);
	return status;
}

int report_sys(const char *name, int sys_errno)
{
	int status = ferry_error_status(-sys_errno);

	emit(name, ferry_error_name(-sys_errno), status, strerror(sys_errno));
	return status;
}

void note(const char *fmt, ...)
{
	char text[1024], safe[1024];
	va_list args;

	if (!globals.verbose || globals.quiet)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	progress_end();
	say("ferry: %s\n", plain(text, safe, sizeof safe));
}

void sigpipe_hold(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, &sigpipe_before);
}

void sigpipe_restore(void)
{
	sigaction(SIGPIPE, &sigpipe_before, NULL);
}

int report_stdout(void)
{
	static int said; /* once, by the verb or at the end */
	int sys_errno = errno;

	if (said)
		return said;
	if (cancelled())
		return STATUS_NO; /* that ended the write */
	if (sys_errno == EPIPE && sigpipe_before.sa_handler != SIG_IGN) {
		sigpipe_restore();
		raise(SIGPIPE);
	}
	said = report_sys("standard output", sys_errno);
	return said;
}
