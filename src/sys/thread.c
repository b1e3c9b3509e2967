/* SPDX-License-Identifier: MIT */
/* See thread.h. */
#include "sys/thread.h"

#include <signal.h>

int ferryi_thread_start(pthread_t *out, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(out, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		pthread_setname_np(*out, FERRYI_THREAD_NAME);
	return -r;
}

void ferryi_thread_join(pthread_t t)
{
	pthread_join(t, NULL);
}
