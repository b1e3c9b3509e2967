/* SPDX-License-Identifier: MIT */
/*
 * How late a call comes back is measured without the time in which the process
 * was ready to run and had no CPU, which the kernel counts in schedstat: so a
 * machine with other work to do does not make a call late.
 */
#include "hostile.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LATE_NS 100000000.0

/* Read by the sanitizer of undefined behaviour, which only prints otherwise. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

void violate(const char *fmt, ...)
{
	uint64_t i =
		__atomic_fetch_add(&board->violations, 1, __ATOMIC_SEQ_CST);
	va_list ap;

	if (i >= sizeof(board->text) / sizeof(board->text[0]))
		return;
	va_start(ap, fmt);
	vsnprintf(board->text[i], sizeof(board->text[i]), fmt, ap);
	va_end(ap);
}

double slow(void)
{
	const char *s = getenv("FERRY_TEST_SLOW");

	return s && atof(s) > 1 ? atof(s) : 1;
}

/* Field `i` of /proc/PID/schedstat: 0 on a CPU, 1 ready but waiting for one. */
static int64_t schedstat(pid_t pid, int i)
{
	long long v[2] = { 0, 0 };
	char path[64], text[128] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0)
		sscanf(text, "%lld %lld", &v[0], &v[1]);
	close(fd);
	return v[i];
}

int64_t watch_cpu(pid_t pid)
{
	return schedstat(pid, 0);
}

struct watch watch_begin(const char *call, ferry_time deadline)
{
	struct watch w = { call, deadline, schedstat(getpid(), 1) };
	ferry_time now = ferry_after(0);

	if (deadline == FERRY_NOWAIT || deadline < now)
		w.due = now;
	return w;
}

static bool is_one_of(long result, const int *documented)
{
	for (; *documented; documented++)
		if (result == *documented)
			return true;
	return false;
}

long watch_end(const struct watch *w, long result, const int *documented)
{
	int64_t late = ferry_after(0) - w->due;

	__atomic_fetch_add(&board->calls, 1, __ATOMIC_RELAXED);
	if (late > 1000000)
		late -= schedstat(getpid(), 1) - w->delay;
	if (late > 0 && (uint64_t)late > board->late_ns)
		board->late_ns = (uint64_t)late;
	if ((double)late > LATE_NS * slow())
		violate("%s came back %.1f ms late, with %ld", w->call,
			(double)late / 1e6, result);
	if (result >= 0)
		__atomic_fetch_add(&board->good, 1, __ATOMIC_RELAXED);
	else if (!is_one_of(result, documented))
		violate("%s said %s, which is not documented", w->call,
			ferry_error_name((int)result));
	return result;
}
