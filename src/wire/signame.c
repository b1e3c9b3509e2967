/* SPDX-License-Identifier: MIT */
/* See signame.h. */
#include "wire/signame.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int number;
	const char *name;
} names[] = {
	{ SIGHUP, "HUP" },	 { SIGINT, "INT" },	  { SIGQUIT, "QUIT" },
	{ SIGILL, "ILL" },	 { SIGTRAP, "TRAP" },	  { SIGABRT, "ABRT" },
	{ SIGBUS, "BUS" },	 { SIGFPE, "FPE" },	  { SIGKILL, "KILL" },
	{ SIGUSR1, "USR1" },	 { SIGSEGV, "SEGV" },	  { SIGUSR2, "USR2" },
	{ SIGPIPE, "PIPE" },	 { SIGALRM, "ALRM" },	  { SIGTERM, "TERM" },
	{ SIGSTKFLT, "STKFLT" }, { SIGCHLD, "CHLD" },	  { SIGCONT, "CONT" },
	{ SIGSTOP, "STOP" },	 { SIGTSTP, "TSTP" },	  { SIGTTIN, "TTIN" },
	{ SIGTTOU, "TTOU" },	 { SIGURG, "URG" },	  { SIGXCPU, "XCPU" },
	{ SIGXFSZ, "XFSZ" },	 { SIGVTALRM, "VTALRM" }, { SIGPROF, "PROF" },
	{ SIGWINCH, "WINCH" },	 { SIGIO, "IO" },	  { SIGPWR, "PWR" },
	{ SIGSYS, "SYS" },	 { SIGIOT, "IOT" },	  { SIGPOLL, "POLL" },
	{ SIGCHLD, "CLD" },
};

#define N_NAMES (sizeof names / sizeof names[0])

/* Two digits at most, and nothing behind them; else -1. */
static int number_of(const char *text)
{
	int n = 0, i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 2; i++)
		n = 10 * n + (text[i] - '0');
	return i > 0 && !text[i] ? n : -1;
}

static int is_signal(int n, struct ferryi_rt_signals rt)
{
	return (n > 0 && n <= SIGSYS) || (n >= rt.min && n <= rt.max);
}

/* What stands behind RTMIN or RTMAX: nothing, or a sign and a number. */
static int beside(const char *text, int from, char sign,
		  struct ferryi_rt_signals rt)
{
	int n = *text ? number_of(text + 1) : 0;

	if ((*text && *text != sign) || n < 0)
		return -EINVAL;
	n = sign == '+' ? from + n : from - n;
	return n >= rt.min && n <= rt.max ? n : -EINVAL;
}

int ferryi_signame_parse(const char *text, struct ferryi_rt_signals rt)
{
	int n = number_of(text);

	if (n >= 0)
		return is_signal(n, rt) ? n : -EINVAL;
	if (strncmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncmp(text, "RTMIN", 5) == 0)
		return beside(text + 5, rt.min, '+', rt);
	if (strncmp(text, "RTMAX", 5) == 0)
		return beside(text + 5, rt.max, '-', rt);
	for (unsigned i = 0; i < N_NAMES; i++)
		if (strcmp(names[i].name, text) == 0)
			return names[i].number;
	return -EINVAL;
}

int ferryi_signame_format(int number, struct ferryi_rt_signals rt, char out[16])
{
	out[0] = 0;
	if (!is_signal(number, rt))
		return -EINVAL;
	if (number == rt.min)
		return snprintf(out, 16, "RTMIN");
	if (number == rt.max)
		return snprintf(out, 16, "RTMAX");
	if (number > rt.min)
		return snprintf(out, 16, "RTMIN+%d", number - rt.min);
	for (unsigned i = 0; i < N_NAMES; i++)
		if (names[i].number == number)
			return snprintf(out, 16, "%s", names[i].name);
	return -EINVAL;
}
