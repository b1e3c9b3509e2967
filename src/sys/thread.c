/* SPDX-License-Identifier: MIT */
/* See thread.h. */
#include "sys/thread.h"

#include <semaphore.h>
#include <signal.h>

struct start {
	void *(*run)(void *arg);
	void *arg;
	sem_t runs;
};

static void *begin(void *arg)
{
	struct start *s = arg;
	void *(*run)(void *) = s->run;

	arg = s->arg;
	sem_post(&s->runs); /* from here on *s is gone */
	return run(arg);
}

/* While a thread is set up it may hold locks, as an allocator's: a child forked
 * meanwhile would find them held for ever.  So it runs before we return. */
int ferryi_thread_start(pthread_t *out, void *(*run)(void *arg), void *arg)
{
	struct start s = { .run = run, .arg = arg };
	sigset_t all, before;
	int r;

	sem_init(&s.runs, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(out, NULL, begin, &s);
	if (r == 0)
		sem_wait(&s.runs); /* which no signal interrupts */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sem_destroy(&s.runs);
	if (r == 0)
		pthread_setname_np(*out, FERRYI_THREAD_NAME);
	return -r;
}

void ferryi_thread_join(pthread_t t)
{
	pthread_join(t, NULL);
}
