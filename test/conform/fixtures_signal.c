/* SPDX-License-Identifier: MIT */
/*
 * A real-time signal with a value, from this process to itself.  Once the link is
 * closed it is ignored: it must not end the test.
 */
#include <signal.h>

#include "conform.h"

static void make_signal(struct ferry_link *ends[2])
{
	char address[60];

	signal(SIGRTMIN + 1, SIG_IGN);
	ok(NULL,
	   ferry_open(&ends[0], "signal:self?signals=RTMIN+1", FERRY_RECV));
	snprintf(address, sizeof address, "signal:%d?signal=RTMIN+1", getpid());
	ok(NULL, ferry_open(&ends[1], address, FERRY_SEND));
}

const struct fixture fixtures_of_signals[] = {
	{ .name = "signal",
	  .scheme = "signal",
	  .make = make_signal,
	  .values = true,
	  .ticks = true,
	  .lends = true,
	  .closed = -ETIMEDOUT,
	  .killed = -ETIMEDOUT,
	  .gone = 0 },
	{ 0 },
};
