/* SPDX-License-Identifier: MIT */
/*
 * The one place that sleeps.
 *
 * A blocking call of the library is a loop in the link room:
 *
 *	struct ferryi_wait w;
 *
 *	ferryi_wait_init(&w, deadline, &link->cancel);
 *	while ((r = attempt()) == -EAGAIN && (r = ferryi_wait_check(&w)) == 0) {
 *		if (ferryi_wait_spin(&w))
 *			continue;
 *		ferryi_wait_begin(&w);
 *		r = transport->interest(link, want, &w);
 *		if (r < 0 || (r == 0 && (r = ferryi_wait_sleep(&w)) < 0))
 *			break;
 *	}
 *	ferryi_wait_end(&w, r);
 *
 * A transport says what it waits for: futex words and the values that they
 * must still have, descriptors and poll events, a tick, or a bell (the realm
 * whose deaths matter to it).  It never sleeps itself.  Words and descriptors
 * are not mixed in one wait.
 */
#ifndef FERRYI_WAIT_WAIT_H
#define FERRYI_WAIT_WAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <ferry/base.h>

#include "wait/spin.h"

#define FERRYI_WAIT_WORDS 40 /* futex words one sleep may watch */
#define FERRYI_WAIT_FDS	  4

/* What cancels a wait: a word for futex sleeps, an eventfd for the others. */
struct ferryi_cancel {
	uint32_t word;	     /* 0, or 1 once cancelled; sticky */
	int fd;		     /* eventfd, or -1 when the link sleeps on words */
	uint32_t generation; /* of the process whose fd it is: a child keeps its
			      * hands off until it has renewed it */
};

struct ferryi_word {
	uint32_t *addr;
	uint32_t expected;
};

struct ferryi_poll {
	int fd;
	short events;
};

struct ferryi_realm;

struct ferryi_wait {
	/* set by the caller */
	ferry_time deadline;
	struct ferryi_cancel *cancel;
	uint64_t len;		  /* of the message to send, for interest() */
	struct ferryi_spin *spin; /* what the side has learnt; NULL: no spin */
	ferryi_glance_fn *glance; /* what a spin looks at; NULL: the attempt */
	void *glance_of;

	/* set by interest(), anew for each sleep */
	struct ferryi_word words[FERRYI_WAIT_WORDS];
	unsigned n_words;
	struct ferryi_poll fds[FERRYI_WAIT_FDS];
	unsigned n_fds;
	ferry_time tick;	    /* look again at this time at the latest */
	struct ferryi_realm *realm; /* whose bell to watch, or NULL */
	uint32_t epoch;		    /* of that realm, read before the words */
	unsigned gate;		    /* the transport's: where it waits */
	bool polls;		    /* an event loop sleeps, not the call */

	/* kept by the wait room over the sleeps of one call */
	ferry_time began;      /* when it first thought of sleeping */
	ferry_time spin_until; /* 0: not begun; INT64_MAX: over */
	unsigned spins;
	bool slept;	   /* at least once */
	bool elected;	   /* carries the realm's safety net */
	unsigned looks;	   /* how often it has looked for the dead */
	int64_t suspicion; /* ns of the next short sleep after a death bell */
};

/* A call may have to wait.  What interest() fills in is left as it is: it is large,
 * and most waits are over before it is asked. */
static inline void ferryi_wait_init(struct ferryi_wait *w, ferry_time deadline,
				    struct ferryi_cancel *cancel)
{
	w->deadline = deadline;
	w->cancel = cancel;
	w->len = 0;
	w->spin = NULL;
	w->glance = NULL;
	w->n_words = w->n_fds = 0;
	w->realm = NULL;
	w->began = w->spin_until = 0;
	w->spins = w->looks = 0;
	w->slept = w->elected = w->polls = false;
	w->suspicion = 0;
}

/* Forget the last interest; the state of the call is kept. */
void ferryi_wait_begin(struct ferryi_wait *w);

/* For interest(): watch a word, a descriptor, a time.  Full sets stay valid:
 * what does not fit is left out, which costs at most a tick. */
void ferryi_wait_word(struct ferryi_wait *w, uint32_t *addr, uint32_t expected);
void ferryi_wait_fd(struct ferryi_wait *w, int fd, short events);
void ferryi_wait_tick(struct ferryi_wait *w, ferry_time at);

/*
 * True while the call should look again instead of sleeping: before its first
 * sleep, for FERRY_SPIN_US microseconds (20) or some times that, while that pays
 * (spin.h).  With a glance it returns when that has seen something, or after some.
 */
bool ferryi_wait_spin(struct ferryi_wait *w);

/*
 * May the call wait at all?  0; -ECANCELED; -EAGAIN when its deadline is
 * FERRY_NOWAIT; -ETIMEDOUT.  Asked before interest(), so that a segment full of
 * garbage, in which it always seems worth another look, cannot hold a call
 * beyond its deadline.
 */
int ferryi_wait_check(const struct ferryi_wait *w);

/*
 * Sleep until something that is watched changes, or it is time to look again.
 * 0: try again.  Errors of ferryi_wait_check(), or of poll.
 */
int ferryi_wait_sleep(struct ferryi_wait *w);

/*
 * The call ends with `result`.  Hands on what the sleeper knew: a suspicion of a
 * death, the duty of the safety net; and learns whether to spin the next time.
 */
void ferryi_wait_end(struct ferryi_wait *w, ssize_t result);

/*
 * What an event loop owes to the others when it sleeps, and what it is owed.  It does
 * not hear the bell (stand_in.h) and carries no net for others: it may never come
 * back.  So it looks for the dead itself, when it is called: 10 and 100 ms after it
 * lay down, as any sleeper, and once a period of the net, which the links of a
 * process that poll in one realm do in turn.  However often it is called meanwhile, for
 * something or for nothing, its turn does not move.  All zero: it does not sleep.
 */
struct ferryi_doze {
	struct ferryi_realm *realm; /* NULL: there is nobody to look after */
	ferry_time since;   /* when it lay down; 0: its next sleep is new */
	ferry_time look_at; /* the next look of either kind */
	ferry_time turn;    /* the next one of the net's; 0: none is taken */
	unsigned looks;
	int64_t suspicion;
};

/* It lies down, with what `w` watches: tells until when, in w->tick. */
void ferryi_doze_begin(struct ferryi_doze *d, struct ferryi_wait *w);

/* It has come, and looks if it is time to. */
void ferryi_doze_end(struct ferryi_doze *d);

/* A call has found something: the next sleep is a first one again. */
void ferryi_doze_reset(struct ferryi_doze *d);

/* It will sleep no more. */
void ferryi_doze_fini(struct ferryi_doze *d);

/* A descriptor for an event loop, if there is none yet.  Any thread may cancel
 * meanwhile. */
int ferryi_cancel_need_fd(struct ferryi_cancel *c);

int ferryi_cancel_init(struct ferryi_cancel *c, bool with_fd);
void ferryi_cancel_fini(struct ferryi_cancel *c);
void ferryi_cancel_set(struct ferryi_cancel *c); /* async-signal-safe */
void ferryi_cancel_clear(struct ferryi_cancel *c);

/* In the child of a fork: a descriptor of its own in the place of the parent's, which
 * stays cancelled if it was.  Any thread may cancel, or renew, meanwhile.  -EMFILE. */
int ferryi_cancel_renew(struct ferryi_cancel *c);

#endif
