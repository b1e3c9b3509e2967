/* SPDX-License-Identifier: MIT */
/* See pollers.h. */
#include "link/pollers.h"

#include <limits.h>

#include "shm/watch.h"
#include "sys/futex.h"

void ferryi_pollers_wake(const struct ferryi_users *u,
			 enum ferryi_poll_gate gate)
{
	uint32_t *word = &u->polled[gate];

	if (!ferryi_poll_gate_lower(word))
		return;
	/* W4: sleepers are told, loops not; the bell, and the repair, tell them */
	ferryi_futex_wake(word, INT_MAX);
}

void ferryi_pollers_wake_all(const struct ferryi_users *u)
{
	ferryi_pollers_wake(u, FERRYI_POLL_SEND);
	ferryi_pollers_wake(u, FERRYI_POLL_RECV);
}
