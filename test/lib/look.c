/* SPDX-License-Identifier: MIT */
/*
 * Reads /proc; nothing here changes the process that is looked at.
 */
#include "look.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

double look_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct look_limit look_limit(double seconds)
{
	return (struct look_limit){ look_clock() + seconds,
				    (long)(seconds * 1000) };
}

bool look_is_over(struct look_limit *l)
{
	return --l->looks < 0 && look_clock() > l->end;
}

static bool read_proc(pid_t pid, const char *what, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	return true;
}

bool look_in_futex(pid_t pid)
{
	char buf[512];
	long nr;

	if (!read_proc(pid, "syscall", buf, sizeof(buf)))
		return false;
	if (strncmp(buf, "running", 7) == 0)
		return false;
	nr = strtol(buf, NULL, 10);
	if (nr != SYS_futex && nr != SYS_futex_waitv && nr != SYS_ppoll)
		return false;
	if (!read_proc(pid, "stat", buf, sizeof(buf)))
		return false;
	return strrchr(buf, ')') && strrchr(buf, ')')[2] == 'S';
}

bool look_await_futex(pid_t pid, double seconds)
{
	double end = look_clock() + seconds;

	while (!look_in_futex(pid)) {
		if (look_clock() > end)
			return false;
		look_pause_us(50);
	}
	return true;
}

/* How often it has gone to sleep. */
static long sleeps_of(pid_t pid)
{
	static const char name[] = "\nvoluntary_ctxt_switches:";
	char buf[4096], *p = NULL;

	if (read_proc(pid, "status", buf, sizeof(buf)))
		p = strstr(buf, name);
	return p ? strtol(p + sizeof(name) - 1, NULL, 10) : -1;
}

bool look_await_long_sleep(pid_t pid, double seconds)
{
	double end = look_clock() + seconds, since = look_clock();
	long n = sleeps_of(pid), now;

	while (look_clock() < since + 0.3 || !look_in_futex(pid)) {
		if (look_clock() > end)
			return false;
		look_pause_us(5000);
		now = sleeps_of(pid);
		if (now != n || !look_in_futex(pid))
			since = look_clock();
		n = now;
	}
	return true;
}

int look_count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n - 3; /* ".", ".." and the directory itself */
}

void look_pause_us(unsigned us)
{
	struct timespec t = { us / 1000000, (long)(us % 1000000) * 1000 };

	nanosleep(&t, NULL);
}
