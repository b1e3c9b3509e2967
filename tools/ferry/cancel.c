/* SPDX-License-Identifier: MIT */
/* Signals of a verb that waits: see cancel.h. */
#include "cancel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
#define N_SIGNALS (sizeof signals / sizeof signals[0])

static volatile sig_atomic_t caught;
static struct ferry_link *_Atomic targets[CANCEL_MAX];
static bool installed;
static struct sigaction before[N_SIGNALS];

static void on_signal(int signal)
{
	caught = signal;
	for (int i = 0; i < CANCEL_MAX; i++) {
		struct ferry_link *link = atomic_load(&targets[i]);

		if (link)
			ferry_cancel(link);
	}
}

void cancel_on_signals(struct ferry_link *link)
{
	cancel_on_signals_too(link, 0);
}

void cancel_on_signals_too(struct ferry_link *link, int i)
{
	struct sigaction ours = { .sa_handler = on_signal };

	atomic_store(&targets[i], link);
	if (installed)
		return;
	installed = true;
	for (size_t i = 0; i < N_SIGNALS; i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &ours, NULL);
	}
}

void cancel_forget(void)
{
	for (int i = 0; i < CANCEL_MAX; i++)
		atomic_store(&targets[i], NULL);
}

/* Not on_signal() without a target: that would be a signal that nobody hears. */
void cancel_stop(void)
{
	for (size_t i = 0; installed && i < N_SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
	installed = false;
	cancel_forget();
}

bool cancelled(void)
{
	return caught;
}

int cancel_wait_readable(int fd)
{
	return cancel_wait(fd, -1);
}

int cancel_wait(int fd, int64_t ns)
{
	struct timespec most = { .tv_sec = ns / FERRY_S(1),
				 .tv_nsec = ns % FERRY_S(1) };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	sigset_t blocked, before;
	int n = -1;

	/* Blocked between the look at `caught` and the sleep, or a signal in
	 * between would be seen only after the next byte. */
	sigemptyset(&blocked);
	for (size_t i = 0; i < N_SIGNALS; i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	while (!caught && n < 0) {
		n = ppoll(&p, 1, ns < 0 ? NULL : &most, &before);
		if (n < 0 && errno != EINTR)
			n = 0;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return caught ? -ECANCELED : 0;
}

int cancel_finish(int status)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };

	if (!caught)
		return status;
	sigaction(caught, &standard, NULL);
	raise(caught);
	return 128 + caught;
}
