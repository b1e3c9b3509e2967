/* SPDX-License-Identifier: MIT */
/*
 * The handle itself: what the core keeps for every link, whatever its scheme.
 */
#ifndef FERRYI_LINK_LINK_H
#define FERRYI_LINK_LINK_H

#include <pthread.h>
#include "link/transport.h"
#include "wait/wait.h"

struct ferryi_framing;		/* framing.c: messages over a stream */

struct ferry_link {
	const struct ferryi_transport *t;
	unsigned flags;			/* FERRY_SEND, FERRY_RECV */
	bool listening;
	char *address;			/* canonical, for people */
	struct ferryi_cancel cancel;
	pthread_mutex_t turn[2];	/* [0] send side, [1] receive side; not
					 * used when the transport is concurrent */
	struct ferryi_framing *framing;	/* NULL: the transport's own */
	void *state;			/* the transport's, state_size bytes */
};

#endif
