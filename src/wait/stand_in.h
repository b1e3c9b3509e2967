/* SPDX-License-Identifier: MIT */
/*
 * Who sleeps on words in the place of an event loop: a ring of the kernel's
 * (sys/uring.h) or, where there is none and the program allows it, a thread
 * (helper.h).  Either ends its sleep by writing to an eventfd, `told`, which is in
 * the loop's set.
 *
 * A stand-in knows nothing of deaths: it does not watch `death`, since a wake-up
 * that the kernel gives to one sleeper only would stay with a loop that does not
 * come back.  What that leaves is ferryi_doze's, wait.h.
 */
#ifndef FERRYI_WAIT_STAND_IN_H
#define FERRYI_WAIT_STAND_IN_H

#include "sys/uring.h"
#include "wait/helper.h"
#include "wait/wait.h"

struct ferryi_stand_in {
	int told; /* -1: there is none */
	struct ferryi_uring ring;
	struct ferryi_helped *helped; /* NULL: by the ring */
	bool may_thread;	      /* where no ring can be made any more */
};

/* 0, or errors of ferryi_uring_new() where no thread is allowed; else -EMFILE,
 * -ENOMEM, -EAGAIN (no thread can be made). */
int ferryi_stand_in_new(struct ferryi_stand_in *s, bool may_thread);

/* Sleep on the words of `w`, of which the first is the one that is woken.
 * 0; -EAGAIN: one differs already; or an error, and no sleep. */
int ferryi_stand_in_sleep(struct ferryi_stand_in *s,
			  const struct ferryi_wait *w);

/* End the sleep, and forget that one has ended. */
void ferryi_stand_in_stop(struct ferryi_stand_in *s);

/* `is_ours`: no copy of the parent's. */
void ferryi_stand_in_free(struct ferryi_stand_in *s, bool is_ours);

#endif
