/* SPDX-License-Identifier: MIT */
/* Clocks, and the deadline arithmetic of the public interface. */
#include "sys/clock.h"

#include <time.h>
#include <ferry/base.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t ferryi_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t ferryi_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t ferryi_now_stamp(void)
{
	return read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t ferryi_wall_stamp(void)
{
	return read_clock(CLOCK_REALTIME_COARSE);
}

int64_t ferryi_cpu(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

ferry_time ferry_after(int64_t ns)
{
	int64_t now = ferryi_now();

	if (ns <= 0)
		return now;
	return ns > FERRY_FOREVER - now ? FERRY_FOREVER : now + ns;
}
