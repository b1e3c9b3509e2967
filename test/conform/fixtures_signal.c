/* SPDX-License-Identifier: MIT */
/*
 * A real-time signal with a value, from this process to itself.  Once the link is
 * closed it is ignored: it must not end the test.
 */
#include <signal.h>

#include "conform.h"

static void make_signal(struct ferry_link *ends[2])
{
	signal(SIGRTMIN + 1, SIG_IGN);
	make_one_way(ends);
}

const struct fixture fixtures_of_signals[] = {
	{ .name = "signal",
	  .scheme = "signal",
	  .address = "signal:self?signals=RTMIN+1",
	  .to = "signal:{pid}?signal=RTMIN+1",
	  .make = make_signal,
	  .values = true,
	  .ticks = true,
	  .lends = true,
	  .closed = -ETIMEDOUT,
	  .killed = -ETIMEDOUT,
	  .gone = 0 },
	{ 0 },
};
