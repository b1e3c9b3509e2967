/* SPDX-License-Identifier: MIT */
/* See signals.h. */
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "address.h"

bool signal_is_address(const char *address)
{
	return strncmp(address_behind(address), "signal:", 7) == 0;
}

static const char *child_word(int code)
{
	switch (code) {
	case CLD_EXITED: return "exited";
	case CLD_KILLED: return "killed";
	case CLD_DUMPED: return "dumped";
	case CLD_STOPPED: return "stopped";
	case CLD_CONTINUED: return "continued";
	}
	return "trapped";
}

static int put_child(const struct ferry_signal *s, char *out, size_t size)
{
	char name[FERRY_SIGNAL_NAME_MAX];

	if (s->code == CLD_EXITED || ferry_signal_name(s->status, name) < 0)
		snprintf(name, sizeof name, "%d", s->status);
	return snprintf(out, size, "child pid %d uid %u %s %s", (int)s->pid,
			(unsigned)s->uid, child_word(s->code), name);
}

static int put_origin(const struct ferry_signal *s, char *out, size_t size)
{
	bool queued = s->code == SI_QUEUE;

	switch (s->origin) {
	case FERRY_FROM_PROCESS:
		if (queued && s->wide > UINT32_MAX)
			return snprintf(out, size,
					"process pid %d uid %u value %" PRIu64,
					(int)s->pid, (unsigned)s->uid, s->wide);
		return snprintf(out, size,
				queued ? "process pid %d uid %u value %d" :
					 "process pid %d uid %u",
				(int)s->pid, (unsigned)s->uid, s->value);
	case FERRY_FROM_CHILD: return put_child(s, out, size);
	case FERRY_FROM_TIMER:
		return snprintf(out, size, "timer value %d overrun %u",
				s->value, (unsigned)s->overrun);
	case FERRY_FROM_QUEUE:
		return snprintf(out, size, "queue pid %d uid %u value %d",
				(int)s->pid, (unsigned)s->uid, s->value);
	case FERRY_FROM_IO: return snprintf(out, size, "io");
	}
	return snprintf(out, size, "kernel");
}

int signal_line(const struct ferry_message *m, char out[SIGNAL_LINE_MAX])
{
	char name[FERRY_SIGNAL_NAME_MAX], origin[SIGNAL_LINE_MAX / 2];
	struct ferry_signal s;

	if (m->len != sizeof s)
		return -EBADMSG;
	memcpy(&s, m->data, sizeof s);
	if (ferry_signal_name(s.number, name) < 0)
		snprintf(name, sizeof name, "%d", s.number);
	put_origin(&s, origin, sizeof origin);
	return snprintf(out, SIGNAL_LINE_MAX, "%s %s", name, origin);
}

int signal_value(const char *text, size_t len, char out[SIGNAL_VALUE_MAX])
{
	char digits[24], *end;
	int32_t small;
	long long n;

	if (len && text[len - 1] == '\n')
		len--;
	if (len == 0)
		return 0;
	if (len >= sizeof digits)
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = 0;
	errno = 0;
	n = strtoll(digits, &end, 10);
	if (errno || *end || strspn(digits, "-0123456789") != len)
		return -EINVAL;
	small = (int32_t)n;
	if (small == n)
		memcpy(out, &small, sizeof small);
	else
		memcpy(out, &n, sizeof n);
	return small == n ? (int)sizeof small : (int)sizeof n;
}
