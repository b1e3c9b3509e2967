/* SPDX-License-Identifier: MIT */
/*
 * Threads that sleep on words for event loops, where io_uring cannot and the
 * program allows them (FERRY_THREAD).
 *
 * One thread sleeps for FERRYI_HELPED sleeps of this process, whatever their links;
 * more get another one.  It ends with the last of its sleeps, and does nothing but
 * to write eventfds, so that it may be anywhere when the process is killed or forks.
 * In a child of a fork there is none.
 */
#ifndef FERRYI_WAIT_HELPER_H
#define FERRYI_WAIT_HELPER_H

#include "sys/futex.h"

#define FERRYI_HELPED	    63 /* 2 words each, and one to talk to the thread */
#define FERRYI_HELPED_WORDS 2

struct ferryi_helped; /* one sleep at a time */

/* `told` is the eventfd that is written when a sleep ends, the caller's. */
int ferryi_helped_new(struct ferryi_helped **out, int told);

/* Sleep on these words, one or two; when they differ already, `told` says so. */
void ferryi_helped_sleep(struct ferryi_helped *s, const struct ferryi_futex *f,
			 unsigned n);

/* End the sleep, if there is one: `told` is not written any more. */
void ferryi_helped_stop(struct ferryi_helped *s);

void ferryi_helped_free(struct ferryi_helped *s);

#endif
